package exec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
)

// children is a record of programs.
type children struct {
	mu             sync.Mutex
	started, ended []action.Child
	fail           error
}

func (c *children) Started(_ context.Context, child action.Child) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = append(c.started, child)
	return c.fail
}

func (c *children) Ended(child action.Child) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = append(c.ended, child)
}

// TestChildren lets a program print what the record must say of it.
func TestChildren(t *testing.T) {
	t.Parallel()
	record := &children{}
	env := action.Env{Dir: t.TempDir(), Key: "run-1/step-1", Children: record}
	in := with(sh(`echo "$$ $(cut -d' ' -f22 /proc/$$/stat) $REFIT_KEY"; exec 1>&- 2>&-`),
		"env", map[string]any{"REFIT_KEY": "of somebody else"})
	out, err := exec.Command(runner()).Run(t.Context(), env, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(record.started) != 1 || !slices.Equal(record.started, record.ended) {
		t.Fatalf("started %v, ended %v", record.started, record.ended)
	}
	child := record.started[0]
	want := fmt.Sprintf("%d %s %s", child.PID, child.StartTime, child.Key)
	if diff := cmp.Diff(want, out["stdout"]); diff != "" || child.StartTime == "" {
		t.Errorf("the record differs from what the program sees (-record +program):\n%s", diff)
	}
}

// TestChildrenThatCannotBeRecorded must not run on: nobody could find them.
func TestChildrenThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	record := &children{fail: errors.New("the disk is full")}
	env := action.Env{Dir: t.TempDir(), Children: record}
	_, err := exec.Command(runner()).Run(t.Context(), env, sh("sleep 60; touch late"), nil)
	expectError(t, err, "ChildNotRecorded", action.ExtentUnknown,
		`program "sh" was ended, because it could not be recorded: the disk is full: check that the state directory can be written`)
	if alive(t.Context(), record.started[0].PID) || len(record.ended) != 0 {
		t.Errorf("the program runs on, or its end was recorded: %v", record.ended)
	}
	if _, err := os.Stat(filepath.Join(env.Dir, "late")); err == nil {
		t.Error("the program did its work")
	}
}

// TestLog reads what programs print, line by line.
func TestLog(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		script string
		want   string
	}{
		"Lines":    {`echo one; echo; printf 'two\r\n'; printf three`, "one\ntwo\nthree\n"},
		"Streams":  {`printf 'out '; echo err >&2; sleep 0.2; echo put`, "err\nout put\n"},
		"Progress": {`printf '10%%\r20%%\rdone\n'`, "10%\n20%\ndone\n"},
		"Secret":   {`printf "the $T"; echo " is shown"`, "the *** is shown\n"},
		"InPieces": {`printf hunt; sleep 0.05; echo er2`, "***\n"},
		"TooLong":  {`head -c 16385 /dev/zero | tr '\0' x; echo; echo end`, "(a line of 16385 bytes is left out)\nend\n"},
		"Longest":  {`head -c 16384 /dev/zero | tr '\0' x; echo`, strings.Repeat("x", 16384) + "\n"},
		"Binary":   {`printf 'a\377b'`, "a\uFFFDb\n"},
		"Silent":   {`true`, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			env := action.Env{Dir: t.TempDir(), Secrets: secrets(), Log: &log}
			in := with(sh(tc.script), "secretEnv", map[string]any{"T": map[string]any{"env": "TOKEN"}})
			if _, err := exec.Command(runner()).Run(t.Context(), env, in, nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, log.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
