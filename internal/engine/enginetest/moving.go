package enginetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// moving has the scenarios about runs that go to another machine, or on with
// another plan.
func moving() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"ExportImport": exportImport, "ExportCopy": exportCopy, "DamagedExport": damagedExport, "Replan": replan,
		"ReplanKept": replanKept,
	}
}

func (b *bench) mover() engine.Mover {
	b.t.Helper()
	m, ok := b.Engine.(engine.Mover)
	if !ok {
		b.lacks("it does not move runs")
	}
	return m
}

func (b *bench) replanner() engine.Replanner {
	b.t.Helper()
	r, ok := b.Engine.(engine.Replanner)
	if !ok {
		b.lacks("it does not go on with another plan")
	}
	return r
}

// export returns an exported run.
func (b *bench) export(id string, keep bool) []byte {
	b.t.Helper()
	var file bytes.Buffer
	if err := b.mover().Export(b.t.Context(), id, &file, keep); err != nil {
		b.t.Fatal(err)
	}
	return file.Bytes()
}

// exportImport takes a run to another machine and back.
func exportImport(t *testing.T, h *host) {
	here, there := h.bench(t), h.bench(t)
	there.world = here.world // One world, two machines.
	there.restart()
	id := here.create(Plan(t, gated+"  - id: next\n    steps:\n      b: {phase: upgrade, action: test.do}\n"), 1)
	here.drive(id)
	before := here.load(id)
	file := here.export(id, false)
	if out := here.drive(id); !errors.Is(out.Err, engine.ErrMoved) {
		t.Fatalf("a run that was moved away: %+v", out)
	}
	if err := here.Request(t.Context(), id, here.approve(id)); !errors.Is(err, engine.ErrMoved) {
		t.Fatalf("got %v for a request to a run that was moved away", err)
	}
	info, err := there.mover().Import(t.Context(), bytes.NewReader(file))
	if err != nil || info.ID != id || info.Head != before.Info.Head || info.Seq != before.Info.Seq || info.Moved {
		t.Fatalf("got %+v, %v", info, err)
	}
	if _, err := there.mover().Import(t.Context(), bytes.NewReader(file)); !errors.Is(err, engine.ErrExists) {
		t.Fatalf("got %v for a run that is there already", err)
	}
	there.asks(id, there.approve(id))
	file = there.export(id, false)
	other := h.bench(t)
	twin := other.create(Plan(t, gated), 1) // Another run, which happens to have this name.
	other.drive(twin)
	_, err = here.mover().Import(t.Context(), bytes.NewReader(other.export(twin, false)))
	if twin != id || !errors.Is(err, engine.ErrExists) {
		t.Fatalf("got %v for another run %q in the place of one that was moved away", err, twin)
	}
	if _, err := here.mover().Import(t.Context(), bytes.NewReader(file)); err != nil {
		t.Fatalf("bring it back: %v", err)
	}
	here.finish(id, run.Succeeded)
	here.once(id, "do only/a", "do next/b")
}

// exportCopy takes a copy that can only be looked at.
func exportCopy(t *testing.T, h *host) {
	here, there := h.bench(t), h.bench(t)
	id := here.create(Plan(t, gated), 1)
	here.drive(id)
	info, err := there.mover().Import(t.Context(), bytes.NewReader(here.export(id, true)))
	if err != nil || !info.Moved {
		t.Fatalf("got %+v, %v", info, err)
	}
	if out := there.drive(id); !errors.Is(out.Err, engine.ErrMoved) {
		t.Fatalf("a copy is driven: %+v", out)
	}
	if len(there.history(id)) != len(here.history(id)) {
		t.Fatal("the copy has another history")
	}
	here.asks(id, here.approve(id))
	here.finish(id, run.Succeeded)
}

// damagedExport refuses a file that was cut or changed, at every place.
func damagedExport(t *testing.T, h *host) {
	here, there := h.bench(t), h.bench(t)
	id := here.create(Chain(t, 3), 1)
	here.finish(id, run.Succeeded)
	file := here.export(id, true)
	refused := func(what string, at int, data []byte) {
		t.Helper()
		if info, err := there.mover().Import(t.Context(), bytes.NewReader(data)); err == nil {
			t.Fatalf("a file that was %s at byte %d of %d is imported as %+v", what, at, len(file), info)
		}
	}
	const parts = 50
	end := len(bytes.TrimRight(file, "\n"))
	for i := range parts {
		at := i * end / parts
		refused("cut", at, file[:at])
	}
	refused("cut", end-1, file[:end-1])
	for i := bytes.IndexByte(file, '\n') + 1; i < end; i += max(1, (end-i)/parts) {
		changed := bytes.Clone(file)
		if changed[i] ^= 1; isSpace(changed[i]) || isSpace(file[i]) {
			continue
		}
		refused("changed", i, changed)
	}
	if list, err := there.List(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("got %d runs, %v", len(list), err)
	}
	if _, err := there.mover().Import(t.Context(), bytes.NewReader(file)); err != nil {
		t.Fatalf("the whole file is refused: %v", err)
	}
}

func isSpace(c byte) bool { return c == '\n' || c == ' ' || c == '\r' || c == '\t' }

// replan goes on with another plan where nothing was started.
func replan(t *testing.T, h *host) {
	b := h.bench(t)
	r := b.replanner()
	const first = "  - id: one\n    steps:\n      a: {phase: upgrade, action: test.do}\n"
	id := b.create(Plan(t, first+`  - id: two
    approval: {reason: "Go on?"}
    steps:
      b: {phase: upgrade, action: test.do}
`), 1)
	if out := b.drive(id); out.Err != nil || out.Status != run.Waiting {
		t.Fatalf("got %+v", out)
	}
	b.once(id, "do one/a")
	p := Plan(t, "  - id: two\n    steps:\n      c: {phase: upgrade, action: test.do}\n")
	who := run.Who{By: "bob", Reason: "a better way"}
	b.refuses(id, &run.Replanned{Who: who, Digest: p.Digest})
	for range 2 { // The second time changes nothing.
		if err := r.AddPlan(t.Context(), id, p); err != nil {
			t.Fatal(err)
		}
	}
	b.asks(id, &run.Replanned{Who: who, Digest: p.Digest})
	b.restart()
	b.finish(id, run.Succeeded)
	b.once(id, "do one/a", "do two/c")
	if _, moves := b.Engine.(engine.Mover); !moves {
		return
	}
	there := h.bench(t)
	if _, err := there.mover().Import(t.Context(), bytes.NewReader(b.export(id, true))); err != nil {
		t.Fatalf("a run with two plans cannot be moved: %v", err)
	}
	if got := there.load(id).State.Status; got != run.Succeeded {
		t.Fatalf("the run that was moved is %s", got)
	}
}

// replanKept goes back over a stage that was kept when others were planned anew:
// each stage is looked at and taken back with the plan that it was made under.
func replanKept(t *testing.T, h *host) {
	b := h.bench(t)
	r := b.replanner()
	const second = "  - id: two\n    approval: {reason: \"Go on?\"}\n" +
		"    steps:\n      b: {phase: upgrade, action: test.do}\n"
	old := Plan(t, "  - id: one\n    steps:\n      a: {phase: upgrade, action: test.do}\n"+second)
	id := b.create(old, 1)
	if out := b.drive(id); out.Err != nil || out.Status != run.Waiting {
		t.Fatalf("got %+v", out)
	}
	p := Plan(t, strings.Replace(second, "b:", "c:", 1))
	if err := r.AddPlan(t.Context(), id, p); err != nil {
		t.Fatal(err)
	}
	who := run.Who{By: "bob", Reason: "a better way"}
	b.asks(id, &run.Replanned{Who: who, Digest: p.Digest})
	b.restart()
	var mu sync.Mutex
	seen := map[string]string{}
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		mu.Lock()
		defer mu.Unlock()
		seen[a.Command.ID()] = a.Plan.Digest
		return nil, nil
	}
	if out := b.drive(id); out.Err != nil || out.Status != run.Waiting {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	b.asks(id, &run.RollbackRequested{Who: who, Stage: "one"})
	b.finish(id, run.RolledBack)
	b.once(id, "do one/a", "undo one/a")
	kept, replaced := 0, 0
	for command, digest := range seen {
		want := p.Digest
		if strings.Contains(command, "one") {
			want = old.Digest
			kept++
		} else {
			replaced++
		}
		if digest != want {
			t.Errorf("%s is carried out with plan %s, want %s", command, digest, want)
		}
	}
	if kept < 3 || replaced < 1 {
		t.Errorf("got %v, want a look, an undo and a check of stage one, and a check of stage two", seen)
	}
}
