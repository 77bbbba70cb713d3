// Package yamledit changes YAML documents of people: only the lines that a change
// is about become others where that is possible, comments and the order of keys stay.
package yamledit
