package local_test

import (
	"context"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

func open(tb testing.TB, dir string, w engine.Worker) *local.Engine {
	tb.Helper()
	e, err := local.Open(tb.Context(), local.Options{
		Dir: dir, Worker: w, Catalog: enginetest.Catalog(), Now: time.Now, Host: "here", Form: "test",
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func create(tb testing.TB, e *local.Engine, p *plan.Plan) string {
	tb.Helper()
	info, err := e.Create(tb.Context(), engine.NewRun{Plan: p, Parallel: 4, Dir: tb.TempDir(), By: "ada"})
	if err != nil {
		tb.Fatal(err)
	}
	return info.ID
}

func drive(tb testing.TB, e *local.Engine, ids ...string) []engine.Outcome {
	tb.Helper()
	out, err := e.Drive(tb.Context(), engine.DriveOptions{Runs: ids, By: "ada"})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestChainSucceeds(t *testing.T) {
	t.Parallel()
	w, dir := enginetest.NewWorld(), t.TempDir()+"/state"
	e := open(t, dir, w)
	id := create(t, e, enginetest.Chain(t, 300))
	out := drive(t, e, id)
	if out[0].Err != nil || out[0].Status != run.Succeeded || w.Effects() != 300 {
		t.Fatalf("got %+v with %d effects", out[0], w.Effects())
	}
	history, err := e.History(context.Background(), id, 0, 0)
	if err != nil || uint64(len(history)) != history[len(history)-1].Event.Seq {
		t.Fatalf("got %d events, %v", len(history), err)
	}
	snap, err := e.Load(t.Context(), id)
	if err != nil || snap.State.Status != run.Succeeded || snap.Info.Owner != nil {
		t.Fatalf("got %+v, %v", snap.Info, err)
	}
}
