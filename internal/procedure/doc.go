// Package procedure turns the YAML that an author writes into a checked
// Procedure. It is the first part of the path procedure → plan → run → report.
//
// Load reads a procedure, the version graph and the sub-procedures that it
// names through a Files interface, checks everything that can be checked
// before anything is observed, and returns all problems at once. The package
// is pure: it contacts nothing and opens no file by itself.
package procedure
