package build

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A little checkout is built as that of Refit is.
func TestCheckout(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	b := Builder{Source: filepath.Join(root, "test", "cluster", "build"), Cache: filepath.Join(root, "cache"), Say: t.Logf}
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made := func() string {
		t.Helper()
		file, err := b.Checkout(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode()&0o111 == 0 {
			t.Fatalf("%v, %v", info, err)
		}
		return file
	}
	write("go.mod", "module refit\n\ngo 1.26\n")
	write("test/cluster/build/none", "")
	write("cmd/refit/main.go", "package main\n\nfunc main() { println(1) }\n")
	first := made()
	if again := made(); again != first {
		t.Errorf("the same program is in %s and %s", first, again)
	}
	write("cmd/refit/main.go", "package main\n\nfunc main() { println(2) }\n")
	long := time.Now().Add(-2 * keepOld)
	if err := os.Chtimes(filepath.Dir(first), long, long); err != nil {
		t.Fatal(err)
	}
	if other := made(); other == first {
		t.Error("another program has the same file")
	}
	if _, err := os.Stat(first); err == nil {
		t.Error("a program that nobody wanted for long is still there")
	}
	write("cmd/refit/main.go", "package main\n\nfunc main() { nothing() }\n")
	if file, err := b.Checkout(t.Context()); err == nil {
		t.Errorf("a program that cannot be built is in %s", file)
	}
	if left, _ := filepath.Glob(filepath.Join(b.Cache, "*.new-*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}
