package local

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/run"
)

// began returns an engine with a run that nobody drives.
func began(t *testing.T) (*Engine, string) {
	t.Helper()
	e, err := Open(t.Context(), Options{
		Dir: t.TempDir() + "/state", Worker: enginetest.NewWorld(), Catalog: enginetest.Catalog(), Now: time.Now,
		Host: "here", Form: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // Closing never fails.
	info, err := e.Create(t.Context(), engine.NewRun{Plan: enginetest.Chain(t, 3), Parallel: 1, By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	return e, info.ID
}

// TestRequestIsTakenOnce looks at the inbox again before the answer is durable,
// as happens when the disk takes longer than the time between two looks.
func TestRequestIsTakenOnce(t *testing.T) {
	t.Parallel()
	e, id := began(t)
	h, err := e.acquire(t.Context(), id, "ada", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer h.giveBack()
	body := &run.PauseRequested{Who: run.Who{By: "ada"}}
	asked := make(chan error, 1)
	go func() { asked <- e.ask(t.Context(), id, body) }()
	d := &driver{e: e, hold: h, o: &engine.DriveOptions{By: "ada"}}
	if err := d.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for len(d.answers) == 0 {
		d.asked = true
		if err := d.requests(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	seq := d.state.Seq
	d.asked = true
	if err := d.requests(t.Context()); err != nil || len(d.answers) != 1 || d.state.Seq != seq {
		t.Fatalf("got %d answers and event %d behind %d, %v", len(d.answers), d.state.Seq, seq, err)
	}
	d.flush(true)
	if err := d.sent.wait(); err != nil {
		t.Fatal(err)
	}
	if err := <-asked; err != nil {
		t.Fatalf("the request was taken and is answered with: %v", err)
	}
}

// TestManyLoadAtOnce reads more runs at once than the database has connections.
func TestManyLoadAtOnce(t *testing.T) {
	t.Parallel()
	e, id := began(t)
	const many = 64
	errs := make(chan error, many)
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			_, err := e.Load(context.Background(), id)
			errs <- err
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingIsWrittenAfterClose(t *testing.T) {
	t.Parallel()
	e, _ := began(t)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	const often = 20 // The queue still has room, and would take it.
	for range often {
		if err := e.inTransaction(func(context.Context, querier) error { return nil }); !errors.Is(err, errClosed) {
			t.Fatalf("got %v", err)
		}
	}
}

// TestRequestKeepsWhenTheRunGoesOn pauses and resumes a run that nobody drives:
// people are told when it goes on all the same.
func TestRequestKeepsWhenTheRunGoesOn(t *testing.T) {
	t.Parallel()
	e, id := began(t)
	who := run.Who{By: "ada"}
	for _, body := range []run.Body{&run.PauseRequested{Who: who}, &run.ResumeRequested{Who: who}} {
		if err := e.Request(t.Context(), id, body); err != nil {
			t.Fatal(err)
		}
	}
	snap, err := e.Load(t.Context(), id)
	if err != nil || snap.Info.Next.IsZero() {
		t.Fatalf("got %+v, %v", snap.Info, err)
	}
}
