// Package file holds the actions that read files of the machine on which Refit
// runs.
package file
