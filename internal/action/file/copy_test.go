package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/file"
)

// filesWorld has a few files to copy and to edit.
func filesWorld(t *testing.T) actiontest.World {
	t.Helper()
	w := actiontest.FolderWorld(t)
	write(t, w.Env.Dir, "notes.txt", "one\ntwo\n", 0o640)
	write(t, w.Env.Dir, "sub/values.yaml", "# Values of the hub.\nhub:\n  image:\n    tag: 4.1.0 # pinned\n", 0o600)
	write(t, w.Env.Dir, "sub/same.yaml", "# Values of the hub.\nhub:\n  image:\n    tag: 4.1.0 # pinned\n", 0o600)
	return w
}

var errCrash = errors.New("the process has ended")

// dying is a file system on which nothing can be changed any more after a
// number of operations, as if the process had ended. reached tells whether it
// came to that.
func dying(after int) (s file.System, reached *bool) {
	reached = new(bool)
	return file.System{Before: func(string, string) error {
		if after--; after < 0 {
			*reached = true
			return errCrash
		}
		return nil
	}}, reached
}

// crashOf makes the Crash of a suite for an action on a file system.
func crashOf(newAction func(file.System) action.Action) func(*testing.T, actiontest.World, map[string]any, map[string]any, int) bool {
	return func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
		t.Helper()
		system, reached := dying(point)
		if _, err := newAction(system).Run(t.Context(), w.Env, in, before); (err != nil) != *reached {
			t.Errorf("Run at point %d: %v", point, err)
		}
		return *reached
	}
}

// foreign writes the file that a step has written.
func foreign(t *testing.T, w actiontest.World, in map[string]any) {
	t.Helper()
	write(t, w.Env.Dir, in["to"].(string), "of somebody else", 0o600)
}

func TestCopySuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: file.Copy(file.System{}), Examples: "testdata/copy/*.yaml", World: filesWorld,
		Crash: crashOf(file.Copy), Foreign: foreign,
	})
}

// TestCopyKeepsWhatWasThere looks at the files and at the output.
func TestCopyKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	w := filesWorld(t)
	in := map[string]any{"from": "notes.txt", "to": "sub/values.yaml"}
	a := file.Copy(file.System{})
	obs, err := a.Observe(t.Context(), w.Env, in)
	if err != nil {
		t.Fatal(err)
	}
	var progress []action.Progress
	w.Env.Progress = func(p action.Progress) { progress = append(progress, p) }
	out, err := a.Run(t.Context(), w.Env, in, obs.Before)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.Env.Dir, "sub/values.yaml")
	kept, _ := out["kept"].(string)
	want := map[string]any{
		"path": path, "size": int64(8), "mode": "0640", "kept": kept,
		"sha256": "c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8",
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got, _ := os.ReadFile(path); string(got) != "one\ntwo\n" {
		t.Errorf("the copy holds %q", got)
	}
	if got, _ := os.ReadFile(kept); !strings.Contains(string(got), "tag: 4.1.0") || filepath.Dir(kept) != filepath.Dir(path) {
		t.Errorf("the file that was there is kept at %q and holds %q", kept, got)
	}
	if len(progress) == 0 || progress[len(progress)-1] != (action.Progress{Done: 8, Total: 8, Unit: "bytes"}) {
		t.Errorf("progress: %v", progress)
	}
	seen, err := a.Observe(t.Context(), w.Env, in)
	if diff := cmp.Diff(out, seen.Output); diff != "" || err != nil {
		t.Errorf("Observe gives another output (-run +observe): %v\n%s", err, diff)
	}
	w.Env.Key = "another run" // knows nothing of what the first one kept
	if err := a.Undo(t.Context(), w.Env, in, obs.Before); reasonOf(err) != "BeforeLost" {
		t.Errorf("got %v", err)
	}
}

func reasonOf(err error) string {
	if failure, ok := errors.AsType[*action.Error](err); ok {
		return failure.Reason
	}
	return ""
}

func TestCopyErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		in     map[string]any
		before map[string]any
		system file.System
		reason string
		want   string
	}{
		"Source":   {map[string]any{"from": "gone", "to": "x"}, nil, file.System{}, "FileNotFound", `read file "gone": no such file or directory`},
		"Folder":   {map[string]any{"from": "sub", "to": "x"}, nil, file.System{}, "NotAFile", `read file "sub": is not a regular file`},
		"ToFolder": {map[string]any{"from": "notes.txt", "to": "sub"}, nil, file.System{}, "NotAFile", `file "sub"`},
		"NoFolder": {map[string]any{"from": "notes.txt", "to": "none/x"}, nil, file.System{}, "NotWritten", `write file "none/x": no such file or directory: create its folder`},
		"Digest":   {map[string]any{"from": "notes.txt", "to": "x", "sha256": strings.Repeat("0", 64)}, nil, file.System{}, "DigestDiffers", "differs from the digest that was given: correct sha256"},
		"Changed":  {map[string]any{"from": "notes.txt", "to": "sub/values.yaml"}, map[string]any{"exists": false}, file.System{}, "FileChanged", "which differs from what was observed: find out who writes it"},
		"Full":     {map[string]any{"from": "notes.txt", "to": "x"}, nil, file.System{Before: func(op, _ string) error { return map[string]error{"write": syscall.ENOSPC}[op] }}, "DiskFull", "no space left on device: make room on the disk"},
		"Same":     {map[string]any{"from": "notes.txt", "to": "notes.txt"}, nil, file.System{}, "InvalidInput", "the same file"},
		"Mode":     {map[string]any{"from": "a", "to": "b", "mode": "rwx"}, nil, file.System{}, "InvalidInput", `field "mode" is "rwx", needs octal digits`},
		"SHA256":   {map[string]any{"from": "a", "to": "b", "sha256": "abc"}, nil, file.System{}, "InvalidInput", `field "sha256"`},
		"Slash":    {map[string]any{"from": "a", "to": "b/"}, nil, file.System{}, "InvalidInput", `field "to" must be the path of a file`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := filesWorld(t)
			start := actiontest.FolderState(t, w.Env.Dir)
			_, err := file.Copy(tc.system).Run(t.Context(), w.Env, tc.in, tc.before)
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != tc.reason || failure.Effect != action.ExtentNone || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %#v: %v, want %s: %s", failure, err, tc.reason, tc.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("not one line: %q", err)
			}
			if diff := cmp.Diff(start, actiontest.FolderState(t, w.Env.Dir)); diff != "" {
				t.Errorf("something was left (-before +after):\n%s", diff)
			}
		})
	}
}

// TestCopyWithoutItsSource observes an effect whose source is gone: digest and
// permissions say all there is to know.
func TestCopyWithoutItsSource(t *testing.T) {
	t.Parallel()
	w := filesWorld(t)
	in := map[string]any{"from": "notes.txt", "to": "x", "mode": "0600", "sha256": digest(t, w, "notes.txt")}
	a := file.Copy(file.System{})
	if _, err := a.Run(t.Context(), w.Env, in, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(w.Env.Dir, "notes.txt")); err != nil {
		t.Fatal(err)
	}
	if obs, err := a.Observe(t.Context(), w.Env, in); err != nil || obs.Status != action.Done {
		t.Errorf("got %+v, %v", obs, err)
	}
}

// digest reads a digest with file.read.
func digest(t *testing.T, w actiontest.World, path string) string {
	t.Helper()
	obs, err := file.Read().Observe(t.Context(), w.Env, map[string]any{"path": path})
	if err != nil {
		t.Fatal(err)
	}
	return obs.Output["sha256"].(string)
}

// TestCopyIsInterrupted cancels in the middle of a file.
func TestCopyIsInterrupted(t *testing.T) {
	t.Parallel()
	w := filesWorld(t)
	write(t, w.Env.Dir, "large", strings.Repeat("x", 1<<20), 0o600)
	start := actiontest.FolderState(t, w.Env.Dir)
	ctx, cancel := context.WithCancel(t.Context())
	w.Env.Progress = func(action.Progress) { cancel() }
	_, err := file.Copy(file.System{}).Run(ctx, w.Env, map[string]any{"from": "large", "to": "x"}, nil)
	if want := `write file "x": context canceled`; reasonOf(err) != "Interrupted" || err.Error() != want || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %s", err, want)
	}
	if diff := cmp.Diff(start, actiontest.FolderState(t, w.Env.Dir)); diff != "" {
		t.Errorf("something was left (-before +after):\n%s", diff)
	}
}
