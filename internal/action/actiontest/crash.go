package actiontest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/wrap"
)

// maxPoints is how many points of a crash a suite goes through at most.
const maxPoints = 200

// crashes breaks Run off at every point. After each, Observe must know what has
// happened, Run must go on to the same end, and Undo must find its way back.
func (s Suite) crashes(t *testing.T, example map[string]any) {
	t.Helper()
	spec := s.Action.Spec()
	w, in := s.start(t, example)
	before := s.begin(t, &w, in)
	if _, err := s.Action.Run(t.Context(), w.Env, in, before); err != nil {
		t.Fatalf("Run: %v", err)
	}
	whole := w.State(t)
	for point := range maxPoints {
		w, in := s.start(t, example)
		start := w.State(t)
		before, reached := s.crash(t, &w, in, point)
		if !spec.Observable(in) {
			s.expect(t, w, in, action.Unknown)
		} else {
			s.carryOn(t, w, in, before, point)
			if diff := cmp.Diff(whole, w.State(t)); diff != "" {
				t.Errorf("after a crash at point %d it ends in another world (-whole +after):\n%s", point, diff)
			}
		}
		if possible, _ := spec.Undoable(in); possible {
			s.takeBack(t, w, in, before, start, point)
			w, in := s.start(t, example) // and once more without carrying on
			before, _ := s.crash(t, &w, in, point)
			s.takeBack(t, w, in, before, start, point)
		}
		if !reached {
			return
		}
	}
	t.Errorf("Run is not at its end after %d points", maxPoints)
}

// crash breaks an attempt off and tells whether Run came to the point.
func (s Suite) crash(t *testing.T, w *World, in map[string]any, point int) (before map[string]any, reached bool) {
	t.Helper()
	before = s.begin(t, w, in)
	switch {
	case s.Crash != nil:
		reached = s.Crash(t, *w, in, before, point)
	case point == 0:
		reached = true
	default:
		// What it says is lost; the world is judged.
		_, _ = s.Action.Run(t.Context(), w.Env, in, before)
	}
	w.Env.Attempted = true
	return before, reached
}

// carryOn does what the core does after a crash.
func (s Suite) carryOn(t *testing.T, w World, in, before map[string]any, point int) {
	t.Helper()
	obs := s.settled(t, w, in)
	switch {
	case obs.Status == action.Done:
		fits(t, s.Action.Spec(), obs.Output)
		return
	case obs.Status == action.NotStarted, obs.Status == action.Partial && s.Action.Spec().Resumable:
	default:
		t.Fatalf("after a crash at point %d Observe answers %s (%s)", point, obs.Status, obs.Reason)
	}
	rest := w
	if s.Action.Spec().Selects {
		rest.Env.Members = obs.Members
	}
	if _, err := s.Action.Run(t.Context(), rest.Env, in, before); err != nil {
		t.Fatalf("Run after a crash at point %d: %v", point, err)
	}
	s.expect(t, w, in, action.Done)
}

// settled observes until nothing is under way.
func (s Suite) settled(t *testing.T, w World, in map[string]any) action.Observation {
	t.Helper()
	patience, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		obs, err := s.Action.Observe(t.Context(), w.Env, in)
		if err != nil {
			t.Fatalf("Observe: %v", err)
		}
		if obs.Status != action.InProgress {
			return obs
		}
		select {
		case <-patience.Done():
			t.Fatalf("the effect is under way for %s", deadline)
		case <-tick.C:
		}
	}
}

func (s Suite) takeBack(t *testing.T, w World, in, before map[string]any, start string, point int) {
	t.Helper()
	if err := s.Action.Undo(t.Context(), w.Env, in, before); err != nil {
		t.Fatalf("Undo after a crash at point %d: %v", point, err)
	}
	if diff := cmp.Diff(start, w.State(t)); diff != "" {
		t.Errorf("Undo after a crash at point %d left a trace (-before +after):\n%s", point, diff)
	}
}

// again tests that Run with the same key does not change the world twice.
// Whether it succeeds is its own business.
func (s Suite) again(t *testing.T, w World, in, before map[string]any) {
	t.Helper()
	if s.OnlyOnce {
		return
	}
	once := w.State(t)
	_, _ = s.Action.Run(t.Context(), w.Env, in, before)
	if diff := cmp.Diff(once, w.State(t)); diff != "" {
		t.Errorf("Run with the same key changed the world twice (-once +twice):\n%s", diff)
	}
}

// dryRun tests that nothing is changed in a dry run.
func (s Suite) dryRun(t *testing.T, example map[string]any) {
	t.Helper()
	w, in := s.start(t, example)
	start, dry := w.State(t), wrap.DryRun(s.Action)
	_, err := dry.Run(t.Context(), w.Env, in, nil)
	refusal(t, "Run", err)
	if possible, _ := s.Action.Spec().Undoable(in); possible {
		refusal(t, "Undo", dry.Undo(t.Context(), w.Env, in, nil))
	}
	if diff := cmp.Diff(start, w.State(t)); diff != "" {
		t.Errorf("a dry run changed the world (-before +after):\n%s", diff)
	}
}

func refusal(t *testing.T, function string, err error) {
	t.Helper()
	failure, ok := errors.AsType[*action.Error](err)
	if !ok || failure.Reason != wrap.ReasonDryRun || failure.Effect != action.ExtentNone {
		t.Errorf("%s in a dry run: got %v", function, err)
		return
	}
	oneLine(t, err)
}

// lease tests that what somebody else has set can be told from what the step
// has set, and from what was there before.
func (s Suite) lease(t *testing.T, example map[string]any) {
	t.Helper()
	if !s.Action.Spec().CanLease {
		return
	}
	if s.Foreign == nil {
		t.Fatal("an action that can be a lease needs Foreign in its suite")
	}
	w, in := s.start(t, example)
	before := s.begin(t, &w, in)
	if _, err := s.Action.Run(t.Context(), w.Env, in, before); err != nil {
		t.Fatalf("Run: %v", err)
	}
	w.Env.Attempted = true
	s.Foreign(t, w, in)
	if obs := s.expect(t, w, in, action.NotStarted); cmp.Equal(before, obs.Before) {
		t.Errorf("before is that of the step, although somebody else has changed it: %v", obs.Before)
	}
}
