// Package cli is Refit's command line.
//
// There is one file per command, and beside it the views that are not simply a
// text of package report. A command reads its flags, calls one use case of
// package service and shows the result: as text for people, as JSON or YAML
// for programs. Results go to the standard output; errors, diagnostics and
// progress go to the standard error. With -o json an error is written to the
// standard output too, as an object with the members "error" and
// "diagnostics", so that a program finds one JSON value there in any case.
package cli
