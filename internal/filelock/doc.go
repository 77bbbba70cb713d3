// Package filelock takes locks between processes that the kernel gives back when
// the process that holds one ends. It reads nothing and leaves the file there.
package filelock

import "os"

// Lock is the file of a lock that is held, until Close.
type Lock struct{ *os.File }
