package filelock

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestTry(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "x.lock")
	first, err := Try(name)
	if err != nil || first == nil {
		t.Fatalf("a free lock: %v, %v", first, err)
	}
	if second, err := Try(name); err != nil || second != nil {
		t.Fatalf("a lock that is held: %v, %v", second, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := Try(name)
	if err != nil || third == nil {
		t.Fatalf("a lock that was given back: %v, %v", third, err)
	}
	_ = third.Close() // It is the last.
	if _, err := Try(filepath.Join(name, "below")); err == nil || errors.Is(err, fs.ErrExist) {
		t.Errorf("a place that cannot be: %v", err)
	}
}
