// Package filelock takes locks between processes that the kernel gives back when
// the process that holds one ends. It reads nothing and leaves the file there.
package filelock
