// Package yamldoc reads the YAML documents that people write: strictly, with
// the position of everything, and within limits.
//
// Parse turns bytes into a Node tree. Decode fills Go structs from a Node:
// unknown keys, wrong types, missing and repeated keys become Diagnostics with
// positions, all of them at once. The YAML syntax itself is read by
// go.yaml.in/yaml/v3; this package adds the limits (size, depth, expanded
// aliases) and the strictness. It is pure: it is given bytes, never a path to
// open.
package yamldoc
