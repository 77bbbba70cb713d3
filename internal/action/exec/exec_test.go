package exec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/secret"
)

// runner starts programs with little more than a PATH.
func runner() *exec.Runner { return exec.NewRunner([]string{"PATH=" + os.Getenv("PATH")}) }

// secrets is what references of these tests find.
func secrets() action.Secrets {
	return secret.Resolver{Environ: []string{"SHORT=abc", "LONG=abcdef", "TOKEN=hunter2"}}
}

// TestCommandWithoutItsSecret must not start the program: half of its input is
// not there.
func TestCommandWithoutItsSecret(t *testing.T) {
	t.Parallel()
	in := with(sh("touch started"), "secretEnv", map[string]any{"T": map[string]any{"file": "token"}})
	in["undo"] = map[string]any{"command": shell("touch started")}
	env := action.Env{Dir: t.TempDir(), Secrets: secret.Resolver{Dir: t.TempDir()}}
	want := `secretEnv "T": secret from file "token": no such file or directory: create it or correct the path`
	a := exec.Command(runner())
	_, err := a.Run(t.Context(), env, in, nil)
	expectError(t, err, "SecretUnavailable", action.ExtentNone, want)
	expectError(t, a.Undo(t.Context(), env, in, nil), "SecretUnavailable", action.ExtentNone, want)
	if entries, _ := os.ReadDir(env.Dir); len(entries) > 0 {
		t.Error("the program was started")
	}
}

// TestTruncatedSecret cuts the output in the middle of a secret.
func TestTruncatedSecret(t *testing.T) {
	t.Parallel()
	fill := exec.DefaultStdout - len("unter2")
	in := with(sh(fmt.Sprintf(`head -c 60000 /dev/zero | tr '\0' a; printf %%s "$T"; head -c %d /dev/zero | tr '\0' b`, fill)),
		"secretEnv", map[string]any{"T": map[string]any{"env": "TOKEN"}})
	obs, err := exec.Observe(runner()).Observe(t.Context(), action.Env{Dir: t.TempDir(), Secrets: secrets()}, in)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := obs.Output["stdout"].(string)
	if !strings.HasPrefix(text, "***b") || strings.Contains(text, "unter2") {
		t.Errorf("the output begins with %q, want no rest of the secret", text[:20])
	}
}

// sh returns the input of an action that runs a script.
func sh(script string) map[string]any { return map[string]any{"command": shell(script)} }

func shell(script string) []any { return []any{"sh", "-c", script} }

func with(in map[string]any, key string, value any) map[string]any {
	in[key] = value
	return in
}

func TestObserveSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: exec.Observe(runner()), Examples: "testdata/observe/*.yaml", Slow: sh("sleep 60"),
	})
}

func TestCommandSuite(t *testing.T) {
	t.Parallel()
	a := exec.Command(runner())
	actiontest.Run(t, actiontest.Suite{
		Action: a, Examples: "testdata/command/*.yaml", Slow: sh("sleep 60"), Crash: killed(a),
	})
}

func TestObserve(t *testing.T) {
	t.Parallel()
	long := "i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done; echo end"
	cases := map[string]struct {
		in   map[string]any
		want map[string]any // fields of the output that are compared
	}{
		"Trimmed":     {sh("echo; echo '  a b  '"), map[string]any{"stdout": "a b", "truncated": false, "exitCode": int64(0)}},
		"OkExits":     {with(sh("exit 7"), "okExits", []any{int64(7)}), map[string]any{"exitCode": int64(7)}},
		"Signal":      {with(sh("kill -9 $$"), "okExits", []any{int64(137)}), map[string]any{"exitCode": int64(137)}},
		"Stderr":      {sh("echo warning >&2"), map[string]any{"stdout": "", "stderr": "warning"}},
		"Lines":       {with(sh(`printf 'a\r\n\nb'`), "format", "lines"), map[string]any{"value": []any{"a", "", "b"}, "stdout": ""}},
		"NoLines":     {with(sh("true"), "format", "lines"), map[string]any{"value": []any{}}},
		"JSON":        {with(sh(`echo '{"n": 3}'`), "format", "json"), map[string]any{"value": map[string]any{"n": int64(3)}}},
		"LongLines":   {with(with(sh(long), "format", "lines"), "okExits", []any{int64(0)}), map[string]any{"truncated": false}},
		"NotUTF8":     {sh(`printf 'a\377b'`), map[string]any{"stdout": "a\uFFFDb"}},
		"NoInherited": {sh(`echo "$HOME"`), map[string]any{"stdout": ""}},
		"Env":         {with(sh(`echo "$A$REFIT_KEY"`), "env", map[string]any{"A": "x"}), map[string]any{"stdout": "xkey-1"}},
		"EmptyStdin":  {sh("cat; echo end"), map[string]any{"stdout": "end"}},
		"Dir":         {with(sh("pwd"), "dir", "/"), map[string]any{"stdout": "/"}},
		"SecretJSON":  {with(with(sh(`echo '["\u0068unter2", "hunter2 "]'`), "secretEnv", map[string]any{"T": map[string]any{"env": "TOKEN", "prefix": "x-"}}), "format", "json"), map[string]any{"value": []any{"***", "*** "}}},
		"Secrets":     {with(sh(`echo "$A $B" >&2`), "secretEnv", map[string]any{"A": map[string]any{"env": "SHORT"}, "B": map[string]any{"env": "LONG"}}), map[string]any{"stderr": "*** ***"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := action.Env{Dir: t.TempDir(), Key: "key-1", Secrets: secrets()}
			obs, err := exec.Observe(runner()).Observe(t.Context(), env, tc.in)
			if err != nil {
				t.Fatal(err)
			}
			for key, want := range tc.want {
				if diff := cmp.Diff(want, obs.Output[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
		})
	}
	t.Run("Tail", func(t *testing.T) {
		t.Parallel()
		obs, err := exec.Observe(runner()).Observe(t.Context(), action.Env{Dir: t.TempDir()}, sh(long))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := obs.Output["stdout"].(string)
		if obs.Output["truncated"] != true || !strings.HasSuffix(text, "\nend") || len(text) > exec.DefaultStdout {
			t.Errorf("truncated %v, %d bytes, ends with %q", obs.Output["truncated"], len(text), text[len(text)-9:])
		}
	})
}

func TestObserveErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		in     map[string]any
		reason string
		want   string
	}{
		"NoProgram":  {map[string]any{"command": []any{"no-such-program"}}, "ProgramNotFound", `program "no-such-program" not found: install it or give its path`},
		"NoPath":     {map[string]any{"command": []any{"./no-such-program"}}, "ProgramNotFound", `program "./no-such-program" not found: check the path`},
		"Folder":     {map[string]any{"command": []any{"/"}}, "ProgramNotFound", `program "/" not found`},
		"NoDir":      {with(sh("true"), "dir", "nowhere"), "FolderNotFound", "nowhere\" is not there: create it or correct dir"},
		"BadProgram": {map[string]any{"command": []any{"./data"}}, "ProgramNotStarted", `start program "./data"`},
		"NoSecret":   {with(sh("true"), "secretEnv", map[string]any{"T": map[string]any{"env": "NONE"}}), "SecretUnavailable", `secretEnv "T": secret from environment variable "NONE": it is not set: set it where Refit is started`},
		"NotJSON":    {with(sh("echo nope"), "format", "json"), "OutputNotJSON", "as JSON: invalid character"},
		"NoJSON":     {with(sh("true"), "format", "json"), "OutputNotJSON", "the document is empty"},
		"TooLarge":   {with(sh("head -c 3000000 /dev/zero"), "format", "json"), "OutputTooLarge", "printed more than 1048576 bytes"},
		"Empty":      {map[string]any{"command": []any{}}, "InvalidInput", `field "command" is empty`},
		"NUL":        {map[string]any{"command": []any{"a\x00"}}, "InvalidInput", "NUL"},
		"EnvName":    {with(sh("true"), "env", map[string]any{"A=B": "x"}), "InvalidInput", `"A=B" cannot be the name`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "data"), []byte("\x7fnot a program"), 0o700); err != nil {
				t.Fatal(err)
			}
			_, err := exec.Observe(runner()).Observe(t.Context(), action.Env{Dir: dir, Secrets: secrets()}, tc.in)
			expectError(t, err, tc.reason, action.ExtentNone, tc.want)
		})
	}
}

// TestObserveSaysNo makes sure that a program that ends badly is an answer, not
// trouble with asking: a check that fails must not be waited for.
func TestObserveSaysNo(t *testing.T) {
	t.Parallel()
	secretEnv := map[string]any{"T": map[string]any{"env": "TOKEN"}}
	for name, tc := range map[string]struct {
		in   map[string]any
		want string
	}{
		"Stderr": {sh("echo first; echo boom >&2; exit 4"), "ended with exit code 4: boom"},
		"Stdout": {sh("echo only stdout; exit 4"), "exit code 4: only stdout"},
		"Secret": {with(sh(`echo "bad $T" >&2; exit 1`), "secretEnv", secretEnv), "exit code 1: bad ***"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, err := exec.Observe(runner()).Observe(t.Context(), action.Env{Dir: t.TempDir(), Secrets: secrets()}, tc.in)
			if err != nil || seen.Status != action.Failed || !strings.Contains(seen.Reason, tc.want) {
				t.Errorf("got %s: %s, %v, want failed: %s", seen.Status, seen.Reason, err, tc.want)
			}
		})
	}
}

func expectError(t *testing.T, err error, reason string, effect action.Extent, text string) {
	t.Helper()
	failure, ok := errors.AsType[*action.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *action.Error", err)
	}
	if failure.Reason != reason || failure.Effect != effect || !strings.Contains(err.Error(), text) {
		t.Errorf("got %s, effect %s: %s\nwant %s, effect %s: %s", failure.Reason, failure.Effect, err, reason, effect, text)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("not one line: %q", err)
	}
}

func TestCommandRunEffects(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		in        map[string]any
		reason    string
		effect    action.Extent
		retryable bool
	}{
		"Unknown":    {sh("touch half; exit 1"), "CommandFailed", action.ExtentUnknown, false},
		"Unchanged":  {with(sh("exit 75"), "unchangedExits", []any{int64(75)}), "CommandFailed", action.ExtentNone, true},
		"NotStarted": {map[string]any{"command": []any{"no-such-program"}}, "ProgramNotFound", action.ExtentNone, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := exec.Command(runner()).Run(t.Context(), action.Env{Dir: t.TempDir()}, tc.in, nil)
			expectError(t, err, tc.reason, tc.effect, "")
			if failure, _ := errors.AsType[*action.Error](err); failure.Retryable != tc.retryable {
				t.Errorf("retryable is %v, want %v", failure.Retryable, tc.retryable)
			}
		})
	}
}

func TestCommandInterruptedIsUnknown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := exec.Command(runner()).Run(ctx, action.Env{Dir: t.TempDir()}, sh("sleep 60"), nil)
	expectError(t, err, "Interrupted", action.ExtentUnknown, "was ended: context deadline exceeded")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("the cause must be found by errors.Is")
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	_, err = exec.Command(runner()).Run(gone, action.Env{Dir: t.TempDir()}, sh("true"), nil)
	expectError(t, err, "Interrupted", action.ExtentNone, "was not started")
}

func TestCommandObserve(t *testing.T) {
	t.Parallel()
	asks := func(script string) map[string]any {
		return with(sh("true"), "observe", map[string]any{
			"command": shell(script), "doneExits": []any{int64(0), int64(10)}, "notStartedExits": []any{int64(1)},
			"inProgressExits": []any{int64(2)}, "partialExits": []any{int64(4)},
		})
	}
	cases := map[string]struct {
		reason    string
		in        map[string]any
		attempted bool
		want      action.Status
	}{
		"BlindFirst": {"nothing was ever started", sh("true"), false, action.NotStarted},
		"BlindLost":  {"nobody can know", sh("true"), true, action.Unknown},
		"Done":       {"the author's exit code", asks("exit 10"), true, action.Done},
		"NotStarted": {"seen, although attempted", asks("exit 1"), true, action.NotStarted},
		"InProgress": {"polled, not run again", asks("exit 2"), true, action.InProgress},
		"Partial":    {"half of it is there to be taken back", asks("exit 4"), true, action.Partial},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := action.Env{Dir: t.TempDir(), Attempted: tc.attempted}
			obs, err := exec.Command(runner()).Observe(t.Context(), env, tc.in)
			if err != nil || obs.Status != tc.want || obs.Reason == "" {
				t.Errorf("%s: got %+v, %v, want %s", tc.reason, obs, err, tc.want)
			}
			if tc.want == action.Done && obs.Output["observed"] != true {
				t.Errorf("an effect that was seen must say so: %v", obs.Output)
			}
		})
	}
	_, err := exec.Command(runner()).Observe(t.Context(), action.Env{Dir: t.TempDir()}, asks("echo cannot connect >&2; exit 3"))
	expectError(t, err, "ObserveUnclear", action.ExtentNone, "exit code 3: cannot connect")
	if failure, _ := errors.AsType[*action.Error](err); !failure.Retryable {
		t.Error("could not ask must be retryable")
	}
}

func TestCommandUndoGetsBefore(t *testing.T) {
	t.Parallel()
	in := map[string]any{
		"command": shell("echo new > version"),
		"observe": map[string]any{"command": shell("cat version; grep -q new version")},
		"undo":    map[string]any{"command": shell(`echo "$REFIT_BEFORE" > version`)},
	}
	env := action.Env{Dir: t.TempDir()}
	file := filepath.Join(env.Dir, "version")
	if err := os.WriteFile(file, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := exec.Command(runner())
	obs, err := a.Observe(t.Context(), env, in)
	if err != nil || obs.Status != action.NotStarted {
		t.Fatalf("got %+v, %v", obs, err)
	}
	if _, err := a.Run(t.Context(), env, in, obs.Before); err != nil {
		t.Fatal(err)
	}
	if err := a.Undo(t.Context(), env, in, obs.Before); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "old\n" {
		t.Errorf("version is %q after the undo, want what it was before", got)
	}
	in["undo"] = map[string]any{"command": shell("exit 2")}
	expectError(t, a.Undo(t.Context(), env, in, obs.Before), "UndoFailed", action.ExtentUnknown, "exit code 2")
}

func TestCommandInputs(t *testing.T) {
	t.Parallel()
	codes := func(n ...int64) []any {
		out := make([]any, len(n))
		for i := range n {
			out[i] = n[i]
		}
		return out
	}
	cases := map[string]struct {
		in   map[string]any
		want string
	}{
		"OkTwice":      {with(sh("true"), "unchangedExits", codes(0)), "exit code 0 of command means two things"},
		"PartialTwice": {with(sh("true"), "observe", map[string]any{"command": shell("true"), "partialExits": codes(0)}), "exit code 0 of observe means two things"},
		"ObserveTwice": {with(sh("true"), "observe", map[string]any{"command": shell("true"), "inProgressExits": codes(1)}), "exit code 1 of observe means two things"},
		"ObserveEmpty": {with(sh("true"), "observe", map[string]any{"command": []any{""}}), `field "observe.command" is empty`},
		"UndoEmpty":    {with(sh("true"), "undo", map[string]any{"command": []any{}}), `field "undo.command" is empty`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := exec.Command(runner()).Preview(t.Context(), action.Env{}, tc.in)
			expectError(t, err, "InvalidInput", action.ExtentNone, tc.want)
		})
	}
}

// TestWithhold keeps a secret of the environment from programs that are not given
// it; the program of a reference to a secret may need it to get at one.
func TestWithhold(t *testing.T) {
	t.Parallel()
	r := exec.NewRunner([]string{"PATH=" + os.Getenv("PATH"), "TOKEN=hunter2", "OTHER=x"})
	secrets := secret.Resolver{Environ: []string{"TOKEN=hunter2"}, Programs: r, Dir: t.TempDir()}
	program := exec.Program{Args: []string{"sh", "-c", `echo "$TOKEN,$OTHER"`}, Dir: t.TempDir()}
	expect := func(want string) {
		t.Helper()
		if res, err := r.Run(t.Context(), program); err != nil || strings.TrimSpace(res.Stdout) != want {
			t.Errorf("got %q, %v, want %q", res.Stdout, err, want)
		}
	}
	expect("hunter2,x")
	if _, err := secrets.Resolve(t.Context(), map[string]any{"env": "TOKEN"}); err != nil {
		t.Fatal(err)
	}
	expect(",x")
	program.Env = map[string]string{"TOKEN": "given"}
	expect("given,x")
	value, err := secrets.Resolve(t.Context(), map[string]any{"command": []any{"sh", "-c", `echo "$TOKEN"`}})
	if out, err := r.Output(t.Context(), t.TempDir(), []string{"sh", "-c", `echo "$TOKEN,"`}, 100); err != nil || strings.TrimSpace(out) != "," {
		t.Errorf("the program of a probe: got %q, %v", out, err)
	}
	if err != nil || value != "hunter2" {
		t.Errorf("the program of a reference: got %q, %v", value, err)
	}
}
