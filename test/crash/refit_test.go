package crash

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// Exit codes of refit: see docs/reference/exit-codes.md.
const (
	exitDone       = 0
	exitWaiting    = 5
	exitRolledBack = 6
	exitInDoubt    = 8
)

// TestRefitItself kills the program that people use: refit apply, then refit drive,
// at random instants, until the run has ended.
func TestRefitItself(t *testing.T) {
	t.Parallel()
	kills := max(12, *killsFlag/10)
	for seed := *seedFlag; kills > 0; seed++ {
		s := newScene(t, seed)
		makePlan(t, seed, 12, 6, s.effect, s.dir)
		done := s.applied(min(kills, 12))
		v, err := s.judge()
		if err != nil {
			v.sayf("%v", err)
		}
		if len(v.problems) > 0 {
			t.Fatalf("seed %d: everything is kept in %s\n%s", seed, filepath.Dir(s.dir), strings.Join(v.problems, "\n"))
		}
		t.Logf("seed %d: %d kills of %d steps, %s", seed, done, v.steps, v.status)
		kills -= max(done, 1)
		s.remove()
	}
}

// refit starts the real program and kills it after some time, unless that is 0.
func (s *scene) refit(after time.Duration, args ...string) end {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), slowest)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(s.driver), "refit"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &stdout, &stderr, s.dir
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Dir(s.state))
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	if after > 0 {
		defer time.AfterFunc(after, func() { _ = cmd.Process.Kill() }).Stop()
	}
	err := cmd.Wait()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed || ctx.Err() != nil {
		s.tb.Fatalf("refit %v: %v, %v", args, err, ctx.Err())
	}
	return end{killed: !cmd.ProcessState.Exited(), code: cmd.ProcessState.ExitCode(), stderr: stderr.String()}
}

// applied carries a run out by the commands that people type, and tells how often
// it was killed.
func (s *scene) applied(kills int) int {
	s.tb.Helper()
	s.state = filepath.Join(filepath.Dir(s.dir), "refit")
	write(s.tb, filepath.Join(s.dir, "upgrade.yaml"),
		"apiVersion: refit.dev/v1alpha1\nkind: Procedure\nmetadata: {name: crash, summary: A test.}\nstages:\n"+
			read(s.tb, filepath.Join(s.dir, "procedure.yaml")))
	write(s.tb, filepath.Join(s.dir, "platform.yaml"),
		"apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: crash}\nprocedure: ./upgrade.yaml\n")
	if e := s.refit(0, "plan", "platform.yaml", "--save", "refit.json"); e.code != exitDone {
		s.tb.Fatalf("plan: %+v", e)
	}
	f, err := os.Open(filepath.Join(s.dir, "refit.json"))
	if err != nil {
		s.tb.Fatal(err)
	}
	defer f.Close()
	if s.plan, err = plan.Read(f); err != nil {
		s.tb.Fatal(err)
	}
	start := []string{"apply", "refit.json", "--digest", s.plan.Digest, "--run", s.id}
	args, done := start, 0
	for {
		after := time.Duration(0)
		if done < kills {
			after = time.Duration(30+s.r.IntN(400)) * time.Millisecond
		}
		e := s.refit(after, args...)
		if _, err := os.Stat(s.state); err == nil && s.exists() {
			args = []string{"drive", s.id}
		}
		switch {
		case e.killed:
			done++
			if s.r.IntN(3) == 0 {
				s.killPrograms()
			}
		case e.code == exitDone || e.code == exitRolledBack:
			return done
		case e.code == exitWaiting || e.code == exitInDoubt:
			did, err := s.people()
			if err != nil {
				s.tb.Fatal(err)
			}
			if !did {
				args = []string{"drive", s.id, "--wait"} // It waits for a timer.
			}
		default:
			s.tb.Fatalf("refit %v: %+v; everything is kept in %s", args, e, filepath.Dir(s.dir))
		}
	}
}

// exists tells whether the run was recorded.
func (s *scene) exists() bool {
	e, err := s.look("crash")
	if err != nil {
		s.tb.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	_, err = e.Load(context.Background(), s.id)
	return err == nil
}
