package enginetest

import (
	"context"
	"testing"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// back has the scenarios that end otherwise than well.
func back() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"RollbackByItself": rollbackByItself, "RollbackOnRequest": rollbackOnRequest,
		"PointOfNoReturn": pointOfNoReturn, "GoesOnAfterFailure": goesOn, "RetryOnRequest": retryOnRequest,
	}
}

// fails lets the attempts of a step fail with nothing done, while it returns true.
func (b *bench) fails(step string, still func() bool) {
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		c, ok := a.Command.(run.PerformOperation)
		if !ok || c.Op.Step != step || c.Op.What != run.Do || !still() {
			return nil, nil
		}
		return &run.OperationEnded{
			Op: c.Op, Attempt: c.Attempt, Extent: "none", Reason: "NoRoom", Message: "there is no room",
		}, nil
	}
}

func always() bool { return true }

// rollbackByItself undoes in the opposite order what has happened, and only that.
func rollbackByItself(t *testing.T, h *host) {
	b := h.bench(t)
	b.fails("d", always)
	id := b.create(Plan(t, `  - id: only
    onFailure: rollback
    steps:
      l: {phase: quiesce, action: test.do, lease: {until: stage}}
      a: {phase: upgrade, action: test.do}
      b: {phase: upgrade, action: test.do, needs: [a]}
      d: {phase: upgrade, action: test.do, needs: [b]}
      e: {phase: upgrade, action: test.do, needs: [d]}
`), 4)
	b.finish(id, run.RolledBack)
	b.inOrder(id, "do only/l", "do only/a", "do only/b", "undo only/b", "undo only/a")
	for _, step := range []string{"l", "a", "b", "d", "e"} {
		if b.world.Applied(id + "/only/" + step) {
			t.Errorf("the effect of step %s is there still\n%s", step, b.story(id))
		}
	}
	if sum := run.Summarize(b.load(id).State); len(sum.Leases) != 0 || len(sum.Remains) != 0 {
		t.Fatalf("got %+v", sum)
	}
}

// rollbackOnRequest takes two stages back.
func rollbackOnRequest(t *testing.T, h *host) {
	b := h.bench(t)
	b.fails("c", always)
	id := b.create(Plan(t, `  - id: one
    steps:
      a: {phase: upgrade, action: test.do}
  - id: two
    steps:
      b: {phase: upgrade, action: test.do}
      c: {phase: upgrade, action: test.do, needs: [b]}
`), 4)
	if out := b.drive(id); out.Err != nil || out.Status != run.Halted {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	who := run.Who{By: "bob", Reason: "not tonight"}
	b.refuses(id, &run.RollbackRequested{Who: who, Stage: "three"})
	b.asks(id, &run.RollbackRequested{Who: who, Stage: "one"})
	b.finish(id, run.RolledBack)
	b.once(id, "do one/a", "do two/b", "undo two/b", "undo one/a")
	b.inOrder(id, "do one/a", "do two/b", "undo two/b", "undo one/a")
}

// pointOfNoReturn is not crossed, unless a person takes what remains.
func pointOfNoReturn(t *testing.T, h *host) {
	b := h.bench(t)
	b.fails("c", always)
	id := b.create(Plan(t, `  - id: only
    steps:
      a: {phase: upgrade, action: test.do}
      n: {phase: upgrade, action: test.never, needs: [a], reversible: "no: nobody can"}
      b: {phase: upgrade, action: test.do, needs: [n]}
      c: {phase: upgrade, action: test.do, needs: [b]}
`), 1)
	if out := b.drive(id); out.Err != nil || out.Status != run.Waiting {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	b.asks(id, b.approve(id)) // The plan asks for it by itself.
	if out := b.drive(id); out.Err != nil || out.Status != run.Halted {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	who := run.Who{By: "bob", Reason: "not tonight"}
	b.refuses(id, &run.RollbackRequested{Who: who})
	b.asks(id, &run.RollbackRequested{Who: who, Partly: true})
	b.finish(id, run.PartlyRolledBack)
	b.once(id, "do only/a", "do only/n", "do only/b", "undo only/b")
	if sum := run.Summarize(b.load(id).State); len(sum.Remains) != 2 {
		t.Fatalf("what remains is %q", sum.Remains)
	}
}

// goesOn carries out the steps that do not need the one that failed.
func goesOn(t *testing.T, h *host) {
	b := h.bench(t)
	b.fails("a", always)
	id := b.create(Plan(t, `  - id: only
    onFailure: continue
    steps:
      a: {phase: upgrade, action: test.do}
      b: {phase: upgrade, action: test.do, needs: [a]}
      c: {phase: upgrade, action: test.do}
      d: {phase: resume, action: test.do}
`), 4)
	b.finish(id, run.Failed)
	b.once(id, "do only/c", "do only/d")
}

// retryOnRequest tries a failed step again once its cause was mended.
func retryOnRequest(t *testing.T, h *host) {
	b := h.bench(t)
	mended := false
	b.fails("s1", func() bool { return !mended })
	id := b.create(Chain(t, 3), 1)
	if out := b.drive(id); out.Err != nil || out.Status != run.Halted {
		t.Fatalf("got %+v", out)
	}
	mended = true
	b.asks(id, &run.RetryRequested{Who: run.Who{By: "bob", Reason: "made room"}, Stage: "only", Step: "s1"})
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1", "do only/s2")
}
