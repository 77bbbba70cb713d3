//go:build unix && !aix && !solaris

package service

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder waits until no other program, and no other goroutine, holds the
// lock of a folder, takes it, and returns what gives it back. The lock is on
// the folder itself, so no file is left behind. Some file systems have no
// locks; then nothing is locked, and only new files are safe.
func lockFolder(dir string) (unlock func()) {
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return func() {}
	}
	for errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX), syscall.EINTR) {
		continue // a signal came; the lock is still wanted
	}
	return func() { _ = f.Close() } // closing gives the lock back
}
