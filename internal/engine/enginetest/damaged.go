package enginetest

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/schema"
)

// damaged has the scenarios about what a history says, and whether it can be
// believed.
func damaged() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"History": history, "Fold": foldEverywhere, "DamagedHistory": damagedHistory, "UnknownAction": unknownAction,
	}
}

// history reads a history as a whole and in pieces.
func history(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Chain(t, 6), 1)
	b.finish(id, run.Succeeded)
	all := b.history(id)
	numbered(t, all)
	info := b.load(id).Info
	if last := all[len(all)-1]; info.Seq != last.Event.Seq || info.Head != last.Hash {
		t.Fatalf("the run ends at %d, %q, its history at %d, %q", info.Seq, info.Head, last.Event.Seq, last.Hash)
	}
	for after := range len(all) + 1 {
		for _, most := range []int{0, 1, 5} {
			got, err := b.History(t.Context(), id, uint64(after), most)
			if err != nil {
				t.Fatal(err)
			}
			want := all[after:]
			if most > 0 && most < len(want) {
				want = want[:most]
			}
			same := func(a, b engine.Record) bool { return a.Hash == b.Hash && a.Event.Seq == b.Event.Seq }
			if !slices.EqualFunc(got, want, same) {
				t.Fatalf("behind event %d come %d events, want %d others", after, len(got), len(want))
			}
		}
	}
	if _, err := b.History(t.Context(), "other", 0, 0); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("got %v for a run that is not there", err)
	}
}

// numbered fails unless the events are numbered without gaps and each has a hash
// of its own.
func numbered(t *testing.T, all []engine.Record) {
	t.Helper()
	hashes := map[string]bool{}
	for i, r := range all {
		if r.Event.Seq != uint64(i)+1 || r.Hash == "" || hashes[r.Hash] {
			t.Fatalf("event %d has number %d and hash %q", i+1, r.Event.Seq, r.Hash)
		}
		hashes[r.Hash] = true
	}
}

// foldEverywhere compares what a host says of a run with its history folded anew,
// after every event.
func foldEverywhere(t *testing.T, h *host) {
	b := h.bench(t)
	p := Plan(t, gated+`  - id: next
    steps:
      b: {phase: upgrade, action: test.do, lease: {until: stage}}
`)
	id := b.create(p, 2)
	compare := func() {
		t.Helper()
		state := run.New(p, id)
		for _, r := range b.history(id) {
			var err error
			if state, err = run.Advance(state, r.Event); err != nil {
				t.Fatalf("event %d: %v", r.Event.Seq, err)
			}
		}
		now := b.load(id).State
		if diff := cmp.Diff(asJSON(t, &state), asJSON(t, &now)); diff != "" {
			t.Fatalf("the history folded anew (-) is another state than the host's (+):\n%s", diff)
		}
	}
	compare()
	b.drive(id)
	compare()
	b.asks(id, b.approve(id))
	compare()
	done := make(chan struct{}, 1)
	out := driveWith(t.Context(), t, b.Engine, engine.DriveOptions{
		Runs: []string{id}, By: "ada", On: func(string, engine.Record) {
			select {
			case done <- struct{}{}:
				compare() // What it was told of is durable, and perhaps more.
				<-done
			default:
			}
		},
	})
	if out.Err != nil || out.Status != run.Succeeded {
		t.Fatalf("got %+v", out)
	}
	compare()
	b.restart()
	compare()
}

func asJSON(tb testing.TB, s *run.State) any {
	tb.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		tb.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		tb.Fatal(err)
	}
	return v
}

// damagedHistory changes one byte: the run is not driven, and the message names
// the event.
func damagedHistory(t *testing.T, h *host) {
	if h.damage == nil {
		lacks(t, "the suite is not told how to damage a history")
	}
	b := h.bench(t)
	id := b.create(Plan(t, gated), 1)
	b.drive(id)
	whole := b.create(Plan(t, gated), 1)
	const at = 2
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	h.damage(t, b.dir, id, at)
	b.Engine = b.another()
	is := func(what string, err error) {
		t.Helper()
		if damage, ok := errors.AsType[*engine.DamagedError](err); !ok || damage.Seq != at || damage.ID != id {
			t.Errorf("%s says %v, want that event %d is damaged", what, err, at)
		}
	}
	_, err := b.Load(t.Context(), id)
	is("Load", err)
	_, err = b.History(t.Context(), id, 0, 0)
	is("History", err)
	is("Drive", b.drive(id).Err)
	is("Request", b.Request(t.Context(), id, &run.PauseRequested{Who: run.Who{By: "bob", Reason: "so"}}))
	if b.world.Effects() != 0 {
		t.Error("something was done for a history that cannot be believed")
	}
	if out := b.drive(whole); out.Err != nil || out.Status != run.Waiting {
		t.Errorf("another run suffers: %+v", out)
	}
	if list, err := b.List(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("the list has %d runs, %v", len(list), err)
	}
}

// unknownAction refuses a plan that needs an action which is not there.
func unknownAction(t *testing.T, h *host) {
	b := h.bench(t)
	in := schema.FromStruct[doInput]()
	p := planWith(t, actiontest.NewCatalog(action.Spec{
		Name: "test.newer", Effect: action.Mutating, Input: in, Output: in, CanUndo: true,
	}), "  - id: only\n    steps:\n      a: {phase: upgrade, action: test.newer}\n")
	_, err := b.Create(t.Context(), engine.NewRun{Plan: p, Parallel: 1, Dir: t.TempDir(), By: "ada"})
	if _, ok := errors.AsType[*engine.UnsupportedError](err); !ok {
		t.Fatalf("got %v", err)
	}
	if list, err := b.List(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("got %d runs, %v", len(list), err)
	}
}
