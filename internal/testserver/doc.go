// Package testserver is what the fixtures of real servers share: what a program
// prints, a port for it, and that it ends with the tests that have started it.
package testserver
