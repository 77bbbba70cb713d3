//go:build !unix

package local

import "time"

// endProgram does nothing: runs are driven on systems with process groups only.
func endProgram(child, time.Duration) {}
