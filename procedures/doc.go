// Package procedures holds the procedures that Refit ships, one folder each:
// procedure.yaml, versions.yaml, issues.yaml, README.md and testdata. Parts
// that several of them use are in lib.
package procedures
