// Package form asks a person on a terminal: questions of package service become
// fields of a form, which refuses what the check refuses while it is typed. For
// screen readers and simple terminals it asks line by line instead. It decides
// nothing and writes no file.
package form
