package exec_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/exec"
)

// killed breaks a program off: right after its start at point 0, and in its
// middle, as soon as it has written a file, at point 1.
func killed(a action.Action) func(*testing.T, actiontest.World, map[string]any, map[string]any, int) bool {
	return func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
		t.Helper()
		switch point {
		case 0:
			w.Env.Children = &children{fail: errors.New("the process has ended")}
		case 1:
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				waitForAny(ctx, w.Env.Dir)
				cancel()
			}()
			_, _ = a.Run(ctx, w.Env, in, before) // its result is lost
			return true
		}
		_, _ = a.Run(t.Context(), w.Env, in, before) // its result is lost
		return point < 2
	}
}

// waitForAny returns when there is a file in folder or ctx has ended.
func waitForAny(ctx context.Context, folder string) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if entries, _ := os.ReadDir(folder); len(entries) > 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func TestShellSuite(t *testing.T) {
	t.Parallel()
	a := exec.Shell(runner())
	actiontest.Run(t, actiontest.Suite{
		Action: a, Examples: "testdata/shell/*.yaml", Slow: map[string]any{"script": "sleep 60; touch late"},
		Crash: killed(a), OnlyOnce: true,
	})
}

func TestShell(t *testing.T) {
	t.Parallel()
	env := action.Env{Dir: t.TempDir(), Key: "run-1/step-1", Secrets: secrets()}
	a := exec.Shell(runner())
	in := map[string]any{
		"script":  "cat value 2>/dev/null > before || true\necho new > value; echo $REFIT_KEY | tee key",
		"observe": "cat value; grep -q new value",
		"undo":    `printf %s "$REFIT_BEFORE" > value`,
	}
	if err := os.WriteFile(filepath.Join(env.Dir, "value"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	obs, err := a.Observe(t.Context(), env, in)
	if err != nil || obs.Status != action.NotStarted || obs.Before["stdout"] != "old" {
		t.Fatalf("got %+v, %v", obs, err)
	}
	out, err := a.Run(t.Context(), env, in, obs.Before)
	if err != nil || out["stdout"] != "run-1/step-1" || out["observed"] != false {
		t.Fatalf("got %v, %v", out, err)
	}
	env.Attempted = true
	if obs, err := a.Observe(t.Context(), env, in); err != nil || obs.Status != action.Done || obs.Output["observed"] != true {
		t.Fatalf("got %+v, %v", obs, err)
	}
	if err := a.Undo(t.Context(), env, in, obs.Before); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(env.Dir, "value")); string(got) != "old" {
		t.Errorf("undo did not get what observe printed: %q", got)
	}
	preview, err := a.Preview(t.Context(), env, in)
	if want := `run the script: 'cat value 2>/dev/null > before || true' and more (lines: 2)`; err != nil || preview.Summary != want {
		t.Errorf("got %q, %v", preview.Summary, err)
	}
}

func TestShellStatuses(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]action.Status{
		"exit 0": action.Done, "exit 1": action.NotStarted, "exit 2": action.InProgress, "": action.Unknown,
	} {
		in := map[string]any{"script": "true"}
		if script != "" {
			in["observe"] = script
		}
		obs, err := exec.Shell(runner()).Observe(t.Context(), action.Env{Dir: t.TempDir(), Attempted: true}, in)
		if err != nil || obs.Status != want {
			t.Errorf("%q: got %s, %v, want %s", script, obs.Status, err, want)
		}
	}
}

func TestShellErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("# a line of a long script\n", 100)
	cases := map[string]struct {
		in     map[string]any
		reason string
		effect action.Extent
		want   string
	}{
		"Failed":    {map[string]any{"script": long + "echo boom >&2; exit 3"}, "CommandFailed", action.ExtentUnknown, "script ended with exit code 3: boom"},
		"Unchanged": {map[string]any{"script": "exit 75", "unchangedExits": []any{int64(75)}}, "CommandFailed", action.ExtentNone, "script ended with exit code 75"},
		"Blank":     {map[string]any{"script": " \n"}, "InvalidInput", action.ExtentNone, `field "script" is empty: write what is to be done`},
		"NUL":       {map[string]any{"script": "true", "undo": "a\x00"}, "InvalidInput", action.ExtentNone, `field "undo" holds a NUL character`},
		"EnvName":   {map[string]any{"script": "true", "env": map[string]any{"A=B": "x"}}, "InvalidInput", action.ExtentNone, `"A=B" cannot be the name`},
		"TwoThings": {map[string]any{"script": "true", "unchangedExits": []any{int64(0)}}, "InvalidInput", action.ExtentNone, "exit code 0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := exec.Shell(runner()).Run(t.Context(), action.Env{Dir: t.TempDir()}, tc.in, nil)
			expectError(t, err, tc.reason, tc.effect, tc.want)
		})
	}
	_, err := exec.Shell(runner()).Observe(t.Context(), action.Env{Dir: t.TempDir()}, map[string]any{"script": "true", "observe": "exit 9"})
	expectError(t, err, "ObserveUnclear", action.ExtentNone, "observe the effect: observe ended with exit code 9: let it end with 0, 1 or 2")
	err = exec.Shell(runner()).Undo(t.Context(), action.Env{Dir: t.TempDir()}, map[string]any{"script": "true", "undo": "exit 9"}, nil)
	expectError(t, err, "UndoFailed", action.ExtentUnknown, "take back the effect: undo ended with exit code 9")
}
