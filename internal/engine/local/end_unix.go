//go:build unix

package local

import (
	"time"

	"golang.org/x/sys/unix"
)

// endProgram asks a program and its group to end, and ends them when they have
// not done so in time. The program was looked at a moment ago, so its number is
// still its own.
func endProgram(c child, since time.Duration) {
	const patience = 5 * time.Second
	signal := unix.SIGTERM
	if since > patience {
		signal = unix.SIGKILL
	}
	if group, err := unix.Getpgid(c.pid); err == nil && group == c.pid {
		_ = unix.Kill(-c.pid, signal) // It may have ended meanwhile.
		return
	}
	_ = unix.Kill(c.pid, signal) // The same.
}
