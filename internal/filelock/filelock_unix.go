//go:build unix

package filelock

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Try takes a lock that the kernel gives back when the process ends. It
// does not wait: nil means that another holds it.
func Try(name string) (*Lock, error) {
	f, err := os.OpenFile(filepath.Clean(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return &Lock{f}, nil
	}
	_ = f.Close() // Nothing was written.
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, &os.PathError{Op: "lock", Path: name, Err: err}
}

// Close gives the lock back. Closing the file alone would not always do: a program that
// is being started at this moment still has it until it has become that program.
func (l *Lock) Close() error {
	return errors.Join(unix.Flock(int(l.Fd()), unix.LOCK_UN), l.File.Close())
}
