package enginetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// broken has the scenarios in which attempts fail, hang or are lost.
func broken() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"Retries": retries, "FailsAfterEffect": failsAfterEffect, "Timeout": timeout, "LateEffect": lateEffect,
		"LostResult": lostResult, "LostAttempt": lostAttempt, "LostUndo": lostUndo, "CouldNotAsk": couldNotAsk,
	}
}

const patient = `  - id: only
    steps:
      a:
        phase: upgrade
        action: test.do
        timeout: 400ms
        duration: {typical: 10ms}
        retry: {attempts: 3, backoff: 10ms}
      b: {phase: upgrade, action: test.do, needs: [a]}
`

// retries tries a step again that failed twice with nothing done.
func retries(t *testing.T, h *host) {
	b := h.bench(t)
	left := 2
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		c, ok := a.Command.(run.PerformOperation)
		if !ok || c.Op.Step != "a" || left == 0 {
			return nil, nil
		}
		left--
		return &run.OperationEnded{
			Op: c.Op, Attempt: c.Attempt, Extent: "none", Retryable: true, Reason: "Busy", Message: "it is busy",
		}, nil
	}
	id := b.create(Plan(t, patient), 1)
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a", "do only/b")
	b.attempts(id, "a", 3)
}

// attempts fails unless the step was started so often, and observed in between
// unless an attempt is known to have done nothing.
func (b *bench) attempts(id, step string, want int) {
	b.t.Helper()
	var started int
	safe := true
	for _, r := range b.history(id) {
		of := func(op run.Ref) bool { return op.Step == step && op.What == run.Do }
		if e, ok := r.Event.Body.(*run.Observed); ok && of(e.Op) {
			safe = e.Status == "notStarted"
		}
		if e, ok := r.Event.Body.(*run.OperationEnded); ok && of(e.Op) {
			safe = !e.OK && e.Extent == "none"
		}
		if e, ok := r.Event.Body.(*run.OperationStarted); ok && of(e.Op) {
			if !safe {
				b.t.Fatalf("attempt %d of %s began without a look at the world\n%s", e.Attempt, step, b.story(id))
			}
			started, safe = started+1, false
		}
	}
	if started != want {
		b.t.Fatalf("step %s was started %d times, want %d\n%s", step, started, want, b.story(id))
	}
}

// failsAfterEffect reports a failure of an effect that is there: it is observed,
// and not repeated.
func failsAfterEffect(t *testing.T, h *host) {
	b := h.bench(t)
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		c, ok := a.Command.(run.PerformOperation)
		if !ok || c.Op.Step != "a" {
			return nil, nil
		}
		b.world.perform(c)
		return &run.OperationEnded{
			Op: c.Op, Attempt: c.Attempt, Extent: "unknown", Retryable: true, Message: "the line broke",
		}, nil
	}
	id := b.create(Plan(t, patient), 1)
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a", "do only/b")
	b.attempts(id, "a", 1)
}

// timeout ends an attempt that hangs, looks at the world, and tries again.
func timeout(t *testing.T, h *host) {
	b := h.bench(t)
	b.world.Meet = func(ctx context.Context, a engine.Assignment) error {
		if c, ok := a.Command.(run.PerformOperation); ok && c.Op.Step == "a" && c.Attempt == 1 {
			<-ctx.Done() // It hangs until it is ended.
			return ctx.Err()
		}
		return nil
	}
	id := b.create(Plan(t, patient), 1)
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a", "do only/b")
	b.attempts(id, "a", 2)
}

// lateEffect is an attempt that does not listen and comes to its end long after
// its time: nothing else is done for the step meanwhile.
func lateEffect(t *testing.T, h *host) {
	b := h.bench(t)
	const late = time.Second
	b.world.Meet = func(_ context.Context, a engine.Assignment) error {
		if c, ok := a.Command.(run.PerformOperation); ok && c.Op.Step == "a" && c.Attempt == 1 {
			<-time.After(late)
		}
		return nil
	}
	id := b.create(Plan(t, patient), 1)
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a", "do only/b")
	b.attempts(id, "a", 1)
}

// lose lets the results of a step's effects be lost, once; what tells that the
// effect is there.
func (b *bench) lose(step string, what run.What) <-chan struct{} {
	there := make(chan struct{})
	lost := false
	b.world.Lose = func(ctx context.Context, a engine.Assignment) error {
		c, ok := a.Command.(run.PerformOperation)
		if !ok || c.Op.Step != step || c.Op.What != what || lost {
			return nil
		}
		lost = true
		close(there)
		<-ctx.Done()
		return ctx.Err()
	}
	return there
}

// lostResult closes the engine between an effect and its record: whoever goes on
// observes it, and does not repeat it.
func lostResult(t *testing.T, h *host) {
	b := h.bench(t)
	there := b.lose("s1", run.Do)
	id := b.create(Chain(t, 4), 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	receive(t, "the effect", there)
	b.restart()
	if out := receive(t, "the end of the driver", done); out.Status.Final() {
		t.Fatalf("got %+v", out)
	}
	if st := b.step(id, "s1"); st.Status != run.StepRunning {
		t.Fatalf("the step is %s", st.Status)
	}
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1", "do only/s2", "do only/s3")
	b.attempts(id, "s1", 1)
}

// lostAttempt closes the engine before the effect: it is observed, then tried
// again.
func lostAttempt(t *testing.T, h *host) {
	b := h.bench(t)
	begun, lost := make(chan struct{}), false
	b.world.Answer = func(ctx context.Context, a engine.Assignment) (run.Body, error) {
		c, ok := a.Command.(run.PerformOperation)
		if !ok || c.Op.Step != "s1" || lost {
			return nil, nil
		}
		lost = true
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	id := b.create(Chain(t, 3), 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	receive(t, "the attempt", begun)
	b.restart()
	receive(t, "the end of the driver", done)
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1", "do only/s2")
	b.attempts(id, "s1", 2)
}

// lostUndo closes the engine between an undo and its record.
func lostUndo(t *testing.T, h *host) {
	b := h.bench(t)
	b.fails("s3", always)
	there := b.lose("s1", run.Undo)
	id := b.create(Chain(t, 4), 1)
	if out := b.drive(id); out.Err != nil || out.Status != run.Halted {
		t.Fatalf("got %+v", out)
	}
	b.asks(id, &run.RollbackRequested{Who: run.Who{By: "bob", Reason: "back"}})
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	receive(t, "the undo", there)
	b.restart()
	receive(t, "the end of the driver", done)
	b.finish(id, run.RolledBack)
	b.once(id, "do only/s0", "do only/s1", "do only/s2", "undo only/s2", "undo only/s1", "undo only/s0")
}

// couldNotAsk waits for a target that does not answer; the step never fails.
func couldNotAsk(t *testing.T, h *host) {
	b := h.bench(t)
	asked := 0
	b.world.Meet = func(_ context.Context, a engine.Assignment) error {
		if c, ok := a.Command.(run.ObserveOperation); ok && c.Op.Step == "s1" {
			if asked++; asked == 1 {
				return errors.New("there is no route to it")
			}
		}
		return nil
	}
	id := b.create(Chain(t, 3), 1)
	if out := b.drive(id); out.Err != nil || out.Status != run.Waiting {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	if st := b.step(id, "s1"); st.Status != run.StepWaiting || st.Wait != run.WaitTarget {
		t.Fatalf("the step is %s(%s)", st.Status, st.Wait)
	}
	if b.load(id).Info.Next.IsZero() {
		t.Fatal("nobody knows when it goes on")
	}
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada", Linger: patience})
	if out := receive(t, "the end of the run", done); out.Err != nil || out.Status != run.Succeeded {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	b.once(id, "do only/s0", "do only/s1", "do only/s2")
}
