package local_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/run"
)

// watchman is a worker that guards runs.
type watchman struct {
	*enginetest.World
	refuses error
	// lost is what another run takes, once the run is under way.
	lost           error
	guards, leaves atomic.Int32
	seen           engine.Watch
}

func (w *watchman) Guard(_ context.Context, watch engine.Watch) (func(), error) {
	w.guards.Add(1)
	w.seen = watch
	if w.refuses != nil {
		return nil, w.refuses
	}
	if w.lost != nil {
		watch.Lost(w.lost)
	}
	return func() { w.leaves.Add(1) }, nil
}

func TestDriveGuards(t *testing.T) {
	t.Parallel()
	w := &watchman{World: enginetest.NewWorld()}
	e := open(t, t.TempDir()+"/state", w)
	id := create(t, e, enginetest.Chain(t, 3))
	out := drive(t, e, id)
	if out[0].Err != nil || out[0].Status != run.Succeeded || w.guards.Load() != 1 || w.leaves.Load() != 1 {
		t.Errorf("got %+v, guarded %d times, left %d times", out[0], w.guards.Load(), w.leaves.Load())
	}
	if w.seen.Run != id || w.seen.By != "ada" || w.seen.Host != "here" || w.seen.Origin == "" {
		t.Errorf("got %+v", w.seen)
	}
	// A run that has ended holds nothing.
	if drive(t, e, id); w.guards.Load() != 1 {
		t.Error("a run that has ended is guarded")
	}
}

func TestDriveRefusedByGuard(t *testing.T) {
	t.Parallel()
	taken := &action.Error{Reason: action.ReasonTargetLocked, Err: errors.New("run hub-2 holds it")}
	w := &watchman{World: enginetest.NewWorld(), refuses: taken}
	e := open(t, t.TempDir()+"/state", w)
	id := create(t, e, enginetest.Chain(t, 3))
	if out := drive(t, e, id); !errors.Is(out[0].Err, taken) || w.Effects() != 0 || w.leaves.Load() != 0 {
		t.Errorf("got %+v with %d effects", out[0], w.Effects())
	}
	w.refuses = nil
	if out := drive(t, e, id); out[0].Err != nil || w.Effects() != 3 {
		t.Errorf("when it is free: got %+v with %d effects", out[0], w.Effects())
	}
}

func TestDriveLosesTarget(t *testing.T) {
	t.Parallel()
	taken := &action.Error{Reason: action.ReasonTargetLocked, Err: errors.New("run hub-2 holds it")}
	w := &watchman{World: enginetest.NewWorld(), lost: taken}
	e := open(t, t.TempDir()+"/state", w)
	id := create(t, e, enginetest.Chain(t, 300))
	if out := drive(t, e, id); !errors.Is(out[0].Err, taken) || w.Effects() == 300 || w.leaves.Load() != 1 {
		t.Errorf("got %+v with %d effects", out[0], w.Effects())
	}
	w.lost = nil
	if out := drive(t, e, id); out[0].Err != nil || out[0].Status != run.Succeeded || w.Effects() != 300 {
		t.Errorf("later: got %+v with %d effects", out[0], w.Effects())
	}
}
