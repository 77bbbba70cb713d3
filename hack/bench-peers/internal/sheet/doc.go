// Package sheet holds what was measured: it reads the lines of Go benchmarks,
// keeps the best of several rounds, and renders the one table.
package sheet
