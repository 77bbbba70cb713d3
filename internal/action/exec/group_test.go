package exec_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
)

// TestGroupEndsAsAWhole starts programs whose children ignore the polite
// signal, and looks for the children afterwards.
func TestGroupEndsAsAWhole(t *testing.T) {
	t.Parallel()
	stubborn := `sh -c 'trap "" TERM; echo $$ > pid; while :; do sleep 1; done' >/dev/null 2>&1 & `
	cases := map[string]struct {
		reason string
		script string
		cancel bool
	}{
		"Cancelled": {"a cancelled step leaves nothing running", stubborn + "while [ ! -s pid ]; do sleep 0.01; done; touch ready; wait", true},
		"LeftOver":  {"nothing outlives a program that ended", stubborn + "while [ ! -s pid ]; do sleep 0.01; done; exit 0", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := action.Env{Dir: t.TempDir()}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tc.cancel {
				go func() {
					waitFor(ctx, filepath.Join(env.Dir, "ready"))
					cancel()
				}()
			}
			_, err := exec.Command(runner()).Run(ctx, env, sh(tc.script), nil)
			if (err != nil) != tc.cancel {
				t.Fatalf("got %v", err)
			}
			text, err := os.ReadFile(filepath.Join(env.Dir, "pid"))
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if alive(t.Context(), pid) {
				t.Errorf("%s: process %d is still there", tc.reason, pid)
			}
		})
	}
}

// TestKillAll kills a program that does not end when it is asked to, and
// expects that none is started afterwards.
func TestKillAll(t *testing.T) {
	t.Parallel()
	r := runner()
	env := action.Env{Dir: t.TempDir()}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = exec.Observe(r).Observe(t.Context(), env, sh(`trap "" TERM; touch ready; while :; do sleep 1; done`))
	}()
	waitFor(t.Context(), filepath.Join(env.Dir, "ready"))
	r.KillAll()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the program is still there")
	}
	if _, err := exec.Observe(r).Observe(t.Context(), env, sh("touch late")); err == nil {
		t.Error("a program was started after the end")
	}
}

// TestOutputHeldOpen runs a program that leaves a child in a session of its
// own which holds its output: the program's end counts, not the child's.
func TestOutputHeldOpen(t *testing.T) {
	t.Parallel()
	env := action.Env{Dir: t.TempDir()}
	in := sh("setsid sleep 20 & echo started")
	began := time.Now()
	obs, err := exec.Observe(runner()).Observe(t.Context(), env, in)
	if err != nil || obs.Output["stdout"] != "started" {
		t.Errorf("got %v, %v", obs.Output, err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("waited %s for a child that is not part of the step", took)
	}
}

// waitFor returns when file exists or ctx has ended.
func waitFor(ctx context.Context, file string) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// alive tells whether a process is there and is no zombie; it gives the system
// a moment to take away one that was just killed.
func alive(ctx context.Context, pid int) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		stat, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if syscall.Kill(pid, 0) != nil || strings.Contains(string(stat), ") Z ") {
			return false
		}
		select {
		case <-ctx.Done():
			return true
		case <-tick.C:
		}
	}
}
