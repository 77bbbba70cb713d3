package enginetest

import (
	"errors"
	"testing"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// owners has the scenarios about who drives a run.
func owners() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"TwoOwners": twoOwners, "StaleOwner": staleOwner, "Names": names, "EpochsGrow": epochs,
	}
}

// twoOwners refuses to drive what another drives, and names who it is.
func twoOwners(t *testing.T, h *host) {
	b := h.bench(t)
	held := b.hold("s0", false)
	id := b.create(Chain(t, 2), 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	receive(t, "the step", held.begun)
	other := b.another()
	out := driveWith(t.Context(), t, other, engine.DriveOptions{Runs: []string{id}, By: "bob"})
	owned, ok := errors.AsType[*engine.OwnedError](out.Err)
	if !ok || owned.ID != id || owned.Owner.By != "ada" {
		t.Fatalf("got %+v", out)
	}
	if info := b.load(id).Info; info.Owner == nil || info.Owner.By != "ada" {
		t.Fatalf("the owner is %+v", info.Owner)
	}
	close(held.letGo)
	if out := receive(t, "the end of the run", done); out.Err != nil || out.Status != run.Succeeded {
		t.Fatalf("got %+v", out)
	}
	b.once(id, "do only/s0", "do only/s1")
}

// staleOwner is believed dead and goes on: nothing that it says is recorded any
// more, and what it did is observed.
func staleOwner(t *testing.T, h *host) {
	if h.usurp == nil {
		lacks(t, "the suite is not told how to become an owner beside another")
	}
	b := h.bench(t)
	held := b.hold("s0", false)
	id := b.create(Chain(t, 2), 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	receive(t, "the step", held.begun)
	before := b.load(id).Info
	h.usurp(t, b.dir, id)
	close(held.letGo)
	if out := receive(t, "the end of the stale owner", done); !errors.Is(out.Err, engine.ErrStaleOwner) {
		t.Fatalf("got %+v", out)
	}
	if after := b.load(id).Info; after.Seq != before.Seq || after.Head != before.Head {
		t.Fatalf("the stale owner has written: %+v, was %+v", after, before)
	}
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1")
	b.attempts(id, "s0", 1)
}

// names refuses ids that are taken or impossible, and runs that are not there.
func names(t *testing.T, h *host) {
	b := h.bench(t)
	p := Chain(t, 1)
	create := func(id string) error {
		_, err := b.Create(t.Context(), engine.NewRun{ID: id, Plan: p, Parallel: 1, Dir: t.TempDir(), By: "ada"})
		return err
	}
	if err := create("mine"); err != nil {
		t.Fatal(err)
	}
	if err := create("mine"); !errors.Is(err, engine.ErrExists) {
		t.Fatalf("got %v for an id that is taken", err)
	}
	for _, id := range []string{"../up", "a b", "/", "Ü", "-x"} {
		if create(id) == nil {
			t.Errorf("a run may be called %q", id)
		}
	}
	if list, err := b.List(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("got %d runs, %v", len(list), err)
	}
	if _, err := b.Load(t.Context(), "other"); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("got %v for a run that is not there", err)
	}
	out := driveWith(t.Context(), t, b.Engine, engine.DriveOptions{Runs: []string{"other"}})
	if !errors.Is(out.Err, engine.ErrNotFound) {
		t.Fatalf("got %+v for a run that is not there", out)
	}
}

// epochs looks that owners that follow one another are told apart.
func epochs(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Plan(t, gated), 1)
	for range 3 {
		if out := b.drive(id); out.Err != nil || out.Status != run.Waiting {
			t.Fatalf("got %+v", out)
		}
		b.restart()
	}
	b.asks(id, b.approve(id))
	b.finish(id, run.Succeeded)
	last := uint64(0)
	for _, r := range b.history(id) {
		if e, ok := r.Event.Body.(*run.Started); ok {
			last = e.Epoch
		}
		if e, ok := r.Event.Body.(*run.OwnerChanged); ok {
			if e.Epoch <= last {
				t.Fatalf("owner %q has epoch %d behind %d", e.Owner, e.Epoch, last)
			}
			last = e.Epoch
		}
	}
}
