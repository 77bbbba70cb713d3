package worker_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/engine/worker"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// lockable is a kind of target that knows a lock, kept in memory.
type lockable struct {
	mu     sync.Mutex
	holder action.Holder
	err    error
	calls  []string
}

func (l *lockable) Kind() string { return "lockable" }

func (l *lockable) Identify(context.Context, action.Env) (string, error) { return "here", nil }

func (l *lockable) call(name string, do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, name)
	if l.err != nil {
		return l.err
	}
	return do()
}

func (l *lockable) taken(h action.Holder) error {
	if l.holder.Run == "" || l.holder.Same(h) {
		return nil
	}
	return &action.Error{
		Reason: action.ReasonTargetLocked, Effect: action.ExtentNone, Err: errors.New("run " + l.holder.Run + " holds it"),
	}
}

func (l *lockable) Lock(_ context.Context, _ action.Env, h action.Holder) error {
	return l.call("lock", func() error {
		err := l.taken(h)
		if err == nil {
			l.holder = h
		}
		return err
	})
}

func (l *lockable) Renew(_ context.Context, _ action.Env, h action.Holder) error {
	return l.call("renew", func() error { return l.taken(h) })
}

func (l *lockable) Unlock(_ context.Context, _ action.Env, h action.Holder) error {
	return l.call("unlock", func() error {
		if l.holder.Same(h) {
			l.holder = action.Holder{}
		}
		return nil
	})
}

func (l *lockable) set(holder action.Holder, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holder, l.err = holder, err
}

func (l *lockable) did() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := strings.Join(l.calls, " ")
	l.calls = nil
	return calls
}

// guarded is a worker over one lamp on a target that can be locked.
type guarded struct {
	*worker.Worker
	place *lockable
	plan  *plan.Plan
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	l := &lamp{answer: action.Observed[lampOutput]{Status: action.NotStarted}}
	change := l.definition("test.change", action.Mutating)
	change.CanLease, change.Resumable = true, true
	place := &lockable{}
	registry, err := action.NewRegistry(
		[]action.Action{action.Define(change), action.Define(l.definition("test.look", action.ReadOnly))},
		[]action.TargetKind{place})
	if err != nil {
		t.Fatal(err)
	}
	w, err := worker.New(worker.Options{
		Registry: registry, Secrets: func(string) action.Secrets { return nil }, Now: time.Now,
		Keyed: func(text string) (string, error) { return observe.NewHasher([]byte("key")).Keyed(text), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	target := func(name string) plan.Target { return plan.Target{Name: name, Kind: "lockable", Identity: "here"} }
	return &guarded{Worker: w, place: place, plan: &plan.Plan{
		// Two names of one place.
		Targets: []plan.Target{target("cluster"), target("again")},
		Stages: []plan.Stage{{ID: "s1", Steps: []plan.Step{
			{ID: "change", Action: "test.change", Target: "again"}, {ID: "look", Action: "test.look", Target: "again"},
		}}},
	}}
}

func (g *guarded) guard(ctx context.Context, lost func(error)) (func(), error) {
	return g.Guard(ctx, engine.Watch{
		Run: "hub-1", Origin: "one", Plan: g.plan, By: "ada@laptop", Host: "laptop", Lost: lost,
	})
}

// observe says what comes of observing a step.
func (g *guarded) observe(t *testing.T, step string) string {
	t.Helper()
	body, err := g.Carry(t.Context(), engine.Assignment{
		Run: "hub-1", Origin: "one", Plan: g.plan,
		Command: run.ObserveOperation{Op: run.Ref{What: run.Do, Stage: "s1", Step: step}, Key: "key"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := body.(*run.AskFailed); ok {
		return observedText(body) + ": " + e.Message
	}
	return observedText(body)
}

func TestGuardHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t)
		release, err := g.guard(t.Context(), func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		if h := (action.Holder{Run: "hub-1", Origin: "one", By: "ada@laptop", Host: "laptop"}); g.place.holder != h {
			t.Errorf("it is held by %+v", g.place.holder)
		}
		time.Sleep(2*action.LockEvery + time.Second)
		if did := strings.Fields(g.place.did()); !slices.Equal(did, []string{"lock", "renew", "renew"}) {
			t.Errorf("one place is asked: %s", did)
		}
		if got := g.observe(t, "change"); got != "notStarted" {
			t.Errorf("got %s", got)
		}
		release()
		release()
		if did := g.place.did(); did != "unlock" || g.place.holder.Run != "" {
			t.Errorf("it is given back once: %s", did)
		}
		if got := g.observe(t, "change"); got != "notStarted" {
			t.Errorf("nobody guards the run: got %s", got)
		}
	})
}

func TestGuardRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t)
		g.place.set(action.Holder{Run: "hub-1", Origin: "two"}, nil)
		if _, err := g.guard(t.Context(), nil); action.ReasonOf(err) != action.ReasonTargetLocked {
			t.Errorf("got %v", err)
		}
		if did := g.place.did(); did != "lock" {
			t.Errorf("what is another's is left alone: %s", did)
		}
	})
}

func TestGuardLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t)
		var lost error
		release, err := g.guard(t.Context(), func(err error) { lost = err })
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		g.place.set(action.Holder{Run: "hub-2"}, nil)
		time.Sleep(action.LockEvery + time.Second)
		if action.ReasonOf(lost) != action.ReasonTargetLocked {
			t.Errorf("nobody is told: %v", lost)
		}
	})
}

// TestGuardAway has a target that cannot be asked: effects wait, what only reads does
// not, and all goes on when it is back.
func TestGuardAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t)
		away := &action.Error{Reason: "Unreachable", Retryable: true, Effect: action.ExtentNone, Err: errors.New("no route")}
		g.place.set(action.Holder{}, away)
		release, err := g.guard(t.Context(), func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		const waits = `ask again: target: hold target "again": no route`
		if got := g.observe(t, "change"); got != waits {
			t.Errorf("got %s", got)
		}
		if got := g.observe(t, "look"); got != "notStarted" {
			t.Errorf("got %s", got)
		}
		g.place.set(action.Holder{}, nil)
		time.Sleep(action.LockEvery + time.Second)
		if got := g.observe(t, "change"); got != "notStarted" {
			t.Errorf("it is back: got %s", got)
		}
		g.place.set(g.place.holder, away)
		time.Sleep(action.LockEvery + time.Second)
		if got := g.observe(t, "change"); got != "notStarted" {
			t.Errorf("the lock counts still: got %s", got)
		}
		time.Sleep(action.LockTime)
		if got := g.observe(t, "change"); got != waits {
			t.Errorf("it has run out: got %s", got)
		}
		g.place.set(g.place.holder, nil)
		time.Sleep(action.LockEvery + time.Second)
		if got := g.observe(t, "change"); got != "notStarted" {
			t.Errorf("it is back again: got %s", got)
		}
	})
}
