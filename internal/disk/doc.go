// Package disk says what is known of the file system that holds a path: how much
// room there is, and whether it is on a network. It changes nothing.
package disk
