package disktest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Small returns a folder with a file system of its own, of a size such as "1m", which
// goes with the test. Where none may be mounted the test is skipped, or fails when
// REFIT_TEST=all asks for every test.
func Small(t *testing.T, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		if os.Getenv("REFIT_TEST") == "all" {
			t.Fatalf("mounting a file system is not permitted: %v", err)
		}
		t.Skipf("mounting a file system is not permitted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}
