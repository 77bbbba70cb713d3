// Package schema describes the types of the values that procedures handle:
// inputs, facts, outputs of steps, versions' properties.
//
// A Type is derived from a Go struct (inputs and outputs of actions) or from
// what an author declares in YAML. From it come the checking of expressions
// (package expr), the checking of values, the JSON Schema for editors and the
// tables of the reference pages. The package is pure.
package schema
