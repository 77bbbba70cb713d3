package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/run"
)

// TestEarlierEngine lets the engine of an earlier commit start a run and kills it;
// the newest goes on with what that has left.
func TestEarlierEngine(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(read(t, "testdata/earlier.txt")) {
		commit := strings.TrimSpace(line)
		if commit == "" || strings.HasPrefix(commit, "#") {
			continue
		}
		t.Run(commit[:8], func(t *testing.T) {
			t.Parallel()
			driver := earlier(t, commit)
			for _, at := range []string{"begin", "effect", "end"} {
				s := chained(t, 8, 5)
				cmd, wait := s.start(driver)
				s.kill(cmd, wait, at, "g.s2")
				s.goesOn()
			}
			s := chained(t, 4, 5)
			_, wait := s.start(driver)
			if e, err := wait(); err != nil || e.status != run.Succeeded {
				t.Fatalf("the earlier engine alone: %+v, %v", e, err)
			}
			s.goesOn()
		})
	}
}

// earlier returns the driver of a commit, which is built once and kept in the
// cache of the user. A commit without a driver gets the first one that was written: it uses
// nothing that is not there.
func earlier(t *testing.T, commit string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(cache, "refit", "crash", commit)
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if out, err := exec.Command("git", "cat-file", "-e", commit+"^{commit}").CombinedOutput(); err != nil {
		needs(t, fmt.Sprintf("commit %s is not in this checkout: %s", commit, out))
	}
	tree := filepath.Join(t.TempDir(), "tree")
	command := func(dir, name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
	}
	command(".", "git", "worktree", "add", "--detach", tree, commit)
	defer command(".", "git", "worktree", "remove", "--force", tree)
	folder := filepath.Join(tree, "test", "crash", "driver")
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		if err := os.CopyFS(folder, os.DirFS("testdata/driver")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(folder, "main.go.txt"), filepath.Join(folder, "main.go")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	command(tree, "go", "build", "-buildvcs=false", "-o", program+".new", "./test/crash/driver")
	if err := os.Rename(program+".new", program); err != nil {
		t.Fatal(err)
	}
	return program
}
