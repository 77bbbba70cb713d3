package enginetest

import (
	"context"
	"errors"
	"path"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// Open opens the host that is tested, with its state in dir, which may not be
// there yet. It closes the engine when the test ends; the suite may have closed it
// before. Plans use the actions of Catalog.
type Open func(tb testing.TB, dir string, w engine.Worker) engine.Engine

// Feature says something of a host that the suite cannot find out itself.
type Feature func(*host)

// Lacks declares that a host does not have what a scenario needs: it is reported
// as skipped, with the reason.
func Lacks(scenario, why string) Feature {
	return func(h *host) { h.lacks[scenario] = why }
}

// CanDamage gives the suite a function that changes one byte of an event where
// the host keeps it, while no engine is open.
func CanDamage(damage func(tb testing.TB, dir, id string, seq uint64)) Feature {
	return func(h *host) { h.damage = damage }
}

// CanUsurp gives the suite a function that makes another owner of a run while it
// is driven, as if the one who drives it were believed dead.
func CanUsurp(usurp func(tb testing.TB, dir, id string)) Feature {
	return func(h *host) { h.usurp = usurp }
}

// host is the host that is tested.
type host struct {
	open   Open
	lacks  map[string]string
	damage func(tb testing.TB, dir, id string, seq uint64)
	usurp  func(tb testing.TB, dir, id string)
}

// Run holds a host to the contract of package engine. Each scenario compares the
// state at the end, the effects, and the order of them that the plan demands.
func Run(t *testing.T, open Open, features ...Feature) {
	t.Helper()
	h := &host{open: open, lacks: map[string]string{}}
	for _, f := range features {
		f(h)
	}
	known := map[string]bool{}
	for _, part := range []map[string]func(*testing.T, *host){
		order(), back(), people(), broken(), owners(), leaving(), damaged(), moving(), evidence(), tooks(),
	} {
		for name, scenario := range part {
			known[name] = true
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if why := h.lacks[name]; why != "" {
					t.Skip("the host does not have it: " + why)
				}
				scenario(t, h)
			})
		}
	}
	for name := range h.lacks {
		if !known[name] {
			t.Errorf("the suite has no scenario %q that a host could lack", name)
		}
	}
}

// lacks fails a scenario that the host has no means for, and that nobody has said
// it lacks: a host that loses something would pass otherwise.
func lacks(t testing.TB, why string) {
	t.Helper()
	t.Fatalf("%s: mend the host, or declare it with enginetest.Lacks(%q, …)", why, path.Base(t.Name()))
}

func (b *bench) lacks(why string) {
	b.t.Helper()
	lacks(b.t, why)
}

// bench is one state folder with a world and an open engine.
type bench struct {
	engine.Engine
	t     *testing.T
	h     *host
	dir   string
	world *World
}

// bench opens an engine in a new folder.
func (h *host) bench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, h: h, dir: t.TempDir() + "/state", world: NewWorld()}
	b.Engine = h.open(t, b.dir, b.world)
	return b
}

// another opens a second engine in the same folder, as another process does. Its
// world is the same.
func (b *bench) another() engine.Engine {
	b.t.Helper()
	return b.h.open(b.t, b.dir, b.world)
}

// restart closes the engine and opens it again.
func (b *bench) restart() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.Engine = b.another()
}

// create records a run of which at most parallel steps are under way at once.
func (b *bench) create(p *plan.Plan, parallel int) string {
	b.t.Helper()
	info, err := b.Create(b.t.Context(), engine.NewRun{Plan: p, Parallel: parallel, Dir: b.t.TempDir(), By: "ada"})
	if err != nil {
		b.t.Fatal(err)
	}
	return info.ID
}

// drive drives a run until it ends or waits, if only for a moment.
func (b *bench) drive(id string) engine.Outcome {
	b.t.Helper()
	return driveWith(b.t.Context(), b.t, b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
}

// finish drives a run to its end, over every timer on its way, and fails when it is another one.
func (b *bench) finish(id string, want run.Status) {
	b.t.Helper()
	o := engine.DriveOptions{Runs: []string{id}, By: "ada", Linger: time.Minute}
	out := driveWith(b.t.Context(), b.t, b.Engine, o)
	if out.Err != nil || out.Status != want {
		b.t.Fatalf("the run has ended as %+v, want %s\n%s", out, want, b.story(id))
	}
}

func driveWith(ctx context.Context, tb testing.TB, e engine.Engine, o engine.DriveOptions) engine.Outcome {
	tb.Helper()
	out, err := e.Drive(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	if len(out) != 1 {
		tb.Fatalf("got %d outcomes of one run", len(out))
	}
	return out[0]
}

// behind drives a run in the background until it ends, also while it waits for a
// person. The outcome comes through the channel.
func (b *bench) behind(ctx context.Context, e engine.Engine, o engine.DriveOptions) <-chan engine.Outcome {
	b.t.Helper()
	done := make(chan engine.Outcome, 1)
	go func() {
		out, err := e.Drive(ctx, o)
		if err != nil || len(out) != 1 {
			done <- engine.Outcome{Err: errors.Join(err, errors.New("driving failed"))}
			return
		}
		done <- out[0]
	}()
	return done
}

// patience is how long the suite waits for what has to come.
const patience = 30 * time.Second

// receive waits for a value.
func receive[T any](tb testing.TB, what string, from <-chan T) T {
	tb.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case v := <-from:
		return v
	case <-late.C:
		tb.Fatalf("%s did not come within %s", what, patience)
		panic("unreachable")
	}
}

// eventually waits until a condition holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	const pause = 10 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for range patience / pause {
		if holds() {
			return
		}
		<-tick.C
	}
	tb.Fatalf("%s did not happen within %s", what, patience)
}

// load returns where a run stands.
func (b *bench) load(id string) engine.Snapshot {
	b.t.Helper()
	snap, err := b.Load(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return snap
}

// step returns how far a step of the stage "only" has come.
func (b *bench) step(id, step string) *run.StepState {
	b.t.Helper()
	state := b.load(id).State
	at, ok := state.Find("only", step)
	if !ok {
		b.t.Fatalf("run %q has no step %s", id, step)
	}
	st, _ := state.StepAt(at)
	return st
}

// history returns all events of a run.
func (b *bench) history(id string) []engine.Record {
	b.t.Helper()
	list, err := b.History(b.t.Context(), id, 0, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}
