// Package file holds the actions that read, write and delete files of the machine on which Refit
// runs.
package file
