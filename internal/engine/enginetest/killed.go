package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// childVariable tells a test binary that it is a child of RunKilled, and what to do.
const childVariable = "REFIT_ENGINETEST_CHILD"

// childTask is what a child has to do.
type childTask struct {
	// Dir is the state folder, World and Plan are files.
	Dir   string `json:"dir"`
	World string `json:"world"`
	Plan  string `json:"plan"`
	// Moment and Number say when the child kills itself; Number 0 for never.
	Moment string `json:"moment"`
	Number int64  `json:"number"`
}

// killedRun is the id of the runs that are killed.
const killedRun = "killed"

// IsChild tells whether this process is a child of RunKilled; then its TestMain
// calls Child and ends with what that returns.
func IsChild() bool { return os.Getenv(childVariable) != "" }

// Child drives a run as RunKilled asks, and perhaps does not live to return. open
// opens the host; it calls reached at the moments that the host has.
func Child(open func(dir string, w engine.Worker, reached func(moment string)) (engine.Engine, error)) int {
	if err := child(context.Background(), open); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func child(
	ctx context.Context, open func(string, engine.Worker, func(string)) (engine.Engine, error),
) error {
	var task childTask
	if err := json.Unmarshal([]byte(os.Getenv(childVariable)), &task); err != nil {
		return err
	}
	w, err := KeptWorld(task.World)
	if err != nil {
		return err
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	var reached atomic.Int64
	e, err := open(task.Dir, w, func(moment string) {
		if moment == task.Moment && reached.Add(1) == task.Number {
			_ = self.Kill()
			select {} // Nothing more is done until the signal comes.
		}
	})
	if err != nil {
		return err
	}
	if _, err := e.Load(ctx, killedRun); errors.Is(err, engine.ErrNotFound) {
		if err := createKilled(ctx, e, task.Plan); err != nil {
			return err
		}
	}
	out, err := e.Drive(ctx, engine.DriveOptions{Runs: []string{killedRun}, Linger: time.Minute, By: "child"})
	if err == nil {
		err = out[0].Err
	}
	return errors.Join(err, e.Close(), w.Close())
}

func createKilled(ctx context.Context, e engine.Engine, file string) error {
	f, err := os.Open(filepath.Clean(file))
	if err != nil {
		return err
	}
	p, err := plan.Read(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = e.Create(ctx, engine.NewRun{ID: killedRun, Plan: p, Parallel: 4, Dir: filepath.Dir(file), By: "child"})
	return err
}

// killedPlans are the runs that are killed, with the effects that are there once
// in the end, and some in the order that the plan demands.
func killedPlans() map[string]struct {
	stages  string
	effects []string
	order   []string
} {
	const chain = "  - id: only\n    steps:\n      a: {phase: upgrade, action: test.do}\n" +
		"      b: {phase: upgrade, action: test.do, needs: [a]}\n" +
		"      c: {phase: upgrade, action: test.do, needs: [b]}\n"
	return map[string]struct {
		stages  string
		effects []string
		order   []string
	}{
		"Chain": {
			stages: chain, effects: []string{"do only/a", "do only/b", "do only/c"},
			order: []string{"do only/a", "do only/b", "do only/c"},
		},
		"Leases": {
			stages: "  - id: only\n    steps:\n      l: {phase: quiesce, action: test.do, lease: {until: stage}}\n" +
				"      m: {phase: quiesce, action: test.do, needs: [l], lease: {until: run}}\n" +
				"      a: {phase: upgrade, action: test.do}\n      b: {phase: upgrade, action: test.do}\n" +
				"      v: {phase: verify, action: test.read}\n" +
				"  - id: next\n    steps:\n      c: {phase: upgrade, action: test.do}\n",
			effects: []string{
				"do only/l", "do only/m", "do only/a", "do only/b", "do next/c", "release only/l", "release only/m",
			},
			order: []string{"do only/l", "do only/m", "do only/a", "release only/l", "do next/c", "release only/m"},
		},
	}
}

// RunKilled holds a host to the contract while its process is killed: command
// starts the test binary again, which calls Child. It is killed at every stride-th
// coming of each moment, and another process goes on.
func RunKilled(t *testing.T, open Open, command func(ctx context.Context) *exec.Cmd, stride int, moments ...string) {
	t.Helper()
	for name, k := range killedPlans() {
		for _, moment := range moments {
			t.Run(name+"/"+moment, func(t *testing.T) {
				t.Parallel()
				p := Plan(t, k.stages)
				for n := 1; ; n += stride {
					b := &bench{t: t, h: &host{open: open}, dir: t.TempDir() + "/state"}
					task := childTask{
						Dir: b.dir, World: b.dir + ".world", Plan: b.dir + ".plan", Moment: moment, Number: int64(n),
					}
					writePlan(t, task.Plan, p)
					killed := runChild(t, command, task)
					task.Number = 0
					if killed && runChild(t, command, task) {
						t.Fatal("a child was killed by somebody else")
					}
					b.judge(task.World, k.effects, k.order)
					if !killed {
						t.Logf("killed %d times", (n-1)/stride)
						return
					}
				}
			})
		}
	}
}

// judge looks at a run that has ended and at its world.
func (b *bench) judge(world string, effects, order []string) {
	b.t.Helper()
	var err error
	if b.world, err = KeptWorld(world); err != nil {
		b.t.Fatal(err)
	}
	b.Engine = b.another()
	if got := b.load(killedRun).State.Status; got != run.Succeeded {
		b.t.Fatalf("the run is %s\n%s", got, b.story(killedRun))
	}
	numbered(b.t, b.history(killedRun))
	b.once(killedRun, effects...)
	b.inOrder(killedRun, order...)
	if err := errors.Join(b.Close(), b.world.Close()); err != nil {
		b.t.Fatal(err)
	}
}

func writePlan(tb testing.TB, file string, p *plan.Plan) {
	tb.Helper()
	f, err := os.Create(filepath.Clean(file))
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(plan.Write(f, p), f.Close()); err != nil {
		tb.Fatal(err)
	}
}

// runChild starts a child and tells whether it was killed.
func runChild(t *testing.T, command func(ctx context.Context) *exec.Cmd, task childTask) bool {
	t.Helper()
	data, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t.Context())
	cmd.Env = append(os.Environ(), childVariable+"="+string(data))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Exited() {
		t.Fatalf("a child has ended with %v: %s", err, out)
	}
	return true
}
