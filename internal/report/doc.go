// Package report turns plans, and later the history of a run, into what
// people read. It is the last part of the path
// procedure → plan → run → report; it decides nothing.
//
// Every text is written to an io.Writer that the caller gives, is never wider
// than the width that the caller names, and is coloured by meaning through a
// Style. What is shown to people is also available as plain structs with
// stable JSON names, so that scripts need not read the texts. The package is
// pure: it knows neither terminals nor files nor the time.
package report
