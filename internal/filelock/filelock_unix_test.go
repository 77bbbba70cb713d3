//go:build unix

package filelock

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCloseGivesBack has somebody else hold the open file, as a program has that is
// being started: the lock is free all the same once it was given back.
func TestCloseGivesBack(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "x.lock")
	first, err := Try(name)
	if err != nil || first == nil {
		t.Fatalf("a free lock: %v, %v", first, err)
	}
	inherited, err := unix.Dup(int(first.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(inherited) }() // It is only held.
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Try(name)
	if err != nil || second == nil {
		t.Fatalf("a lock that was given back: %v, %v", second, err)
	}
	_ = second.Close() // It was only tried.
}
