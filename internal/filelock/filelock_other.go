//go:build !unix

package filelock

import "errors"

// Try refuses: runs are driven on systems with locks of the kernel only.
func Try(string) (*Lock, error) {
	return nil, errors.New("this needs a system with file locks such as Linux or macOS")
}

// Close gives the lock back.
func (l *Lock) Close() error { return l.File.Close() }
