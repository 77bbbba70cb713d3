// Package service holds the use cases of Refit: the only door for user
// interfaces.
//
// It reads the files that people wrote, asks targets and actions for what is
// true now, and hands both to the pure packages that make procedures, plans
// and reports of them. Every method takes a context, changes nothing in the
// world but the files it is told to write, and returns values that a user
// interface renders; it never prints. Four kinds of errors come back:
// diag.Diagnostics for what a person wrote, *UsageError for what a person
// asked, *StaleError for a world that is not what a plan expects, and plain
// errors for Refit's own trouble.
package service
