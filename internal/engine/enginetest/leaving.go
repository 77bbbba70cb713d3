package enginetest

import (
	"context"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// leaving has the scenarios in which driving ends before the run does.
func leaving() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"Stop": stop, "ContextEnds": contextEnds, "Linger": linger, "CloseWhileWaiting": closeWaiting,
		"WorkerTrouble": workerTrouble, "StopBefore": stopBefore,
		"StopTimesOut": stopTimesOut, "StopHears": stopHears,
	}
}

// stop lets what is under way go to its end and starts nothing else.
func stop(t *testing.T, h *host) {
	b := h.bench(t)
	held := b.hold("s1", false)
	id := b.create(Chain(t, 4), 1)
	quit := make(chan struct{})
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada", Stop: quit})
	receive(t, "the step", held.begun)
	close(quit)
	select {
	case out := <-done:
		t.Fatalf("driving has ended before the effect: %+v", out)
	case <-time.After(100 * time.Millisecond): //nolint:mnd // Long enough for a mistake to show.
	}
	close(held.letGo)
	if out := receive(t, "the end of driving", done); out.Err != nil || out.Status.Final() {
		t.Fatalf("got %+v", out)
	}
	if st := b.step(id, "s1"); st.Status != run.StepSucceeded {
		t.Fatalf("the step is %s: its end was not recorded\n%s", st.Status, b.story(id))
	}
	b.once(id, "do only/s0", "do only/s1")
	if owner := b.load(id).Info.Owner; owner != nil {
		t.Fatalf("%+v still owns the run", owner)
	}
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1", "do only/s2", "do only/s3")
	b.attempts(id, "s1", 1)
}

// stopTimesOut asks to end while an effect hangs: its time runs out all the same,
// and the next owner looks at the world before anything is done again.
func stopTimesOut(t *testing.T, h *host) {
	b := h.bench(t)
	held := b.hold("a", true)
	id := b.create(Plan(t, `  - id: only
    steps:
      a: {phase: upgrade, action: test.do, timeout: 1s, retry: {attempts: 2, backoff: 10ms}}
      b: {phase: upgrade, action: test.do, needs: [a]}
`), 1)
	quit := make(chan struct{})
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada", Stop: quit})
	receive(t, "the step", held.begun)
	close(quit)
	if out := receive(t, "the end of driving", done); out.Err != nil || out.Status.Final() {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	if op := b.step(id, "a").Ops[0]; op.Life != run.Observing || op.Reason != "Timeout" || op.Attempt != 1 {
		t.Fatalf("the attempt did not time out: %+v\n%s", op, b.story(id))
	}
	b.world.Meet = nil
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a", "do only/b")
	b.attempts(id, "a", 2)
}

// stopHears asks to end while an effect is under way, and then asks for something:
// it is recorded at once, and nothing is begun because of it.
func stopHears(t *testing.T, h *host) {
	b := h.bench(t)
	held := b.hold("s1", false)
	id := b.create(Chain(t, 4), 1)
	quit := make(chan struct{})
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada", Stop: quit})
	receive(t, "the step", held.begun)
	close(quit)
	other, who := b.another(), run.Who{By: "bob", Reason: "wait"}
	b.promptly(other, id, &run.PauseRequested{Who: who}, func(s *run.State) bool { return s.Paused })
	b.promptly(other, id, &run.ResumeRequested{Who: who}, func(s *run.State) bool { return !s.Paused })
	b.promptly(other, id, &run.CancelRequested{Who: who}, func(s *run.State) bool { return s.Cancelling })
	if owner := b.load(id).Info.Owner; owner == nil {
		t.Fatal("the run was left while an effect was under way")
	}
	close(held.letGo)
	if out := receive(t, "the end of driving", done); out.Err != nil {
		t.Fatalf("got %+v", out)
	}
	b.once(id, "do only/s0", "do only/s1")
	if st := b.step(id, "s1"); st.Status != run.StepSucceeded {
		t.Fatalf("the step is %s: its end was not recorded\n%s", st.Status, b.story(id))
	}
	b.finish(id, run.Cancelled)
	b.once(id, "do only/s0", "do only/s1")
}

// stopBefore begins nothing when it was asked to stop before.
func stopBefore(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Chain(t, 5), 1)
	quit := make(chan struct{})
	close(quit)
	out := driveWith(t.Context(), t, b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada", Stop: quit})
	if out.Err != nil || out.Status.Final() || b.world.Effects() != 0 {
		t.Fatalf("got %+v with %d effects", out, b.world.Effects())
	}
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1", "do only/s2", "do only/s3", "do only/s4")
}

// contextEnds asks what is under way to end, and goes on later with a look at the
// world. That the owner ended an attempt says nothing against the step: it counts
// as little as one that was lost in a crash, and onFailure is none of it.
func contextEnds(t *testing.T, h *host) {
	b := h.bench(t)
	held := b.hold("s1", true)
	id := b.create(Chain(t, 3), 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := b.behind(ctx, b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	receive(t, "the step", held.begun)
	cancel()
	if out := receive(t, "the end of driving", done); out.Err != nil || out.Status.Final() {
		t.Fatalf("got %+v", out)
	}
	b.once(id, "do only/s0")
	b.world.Meet = nil
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1", "do only/s2")
	b.attempts(id, "s1", 2)
}

const soaked = `  - id: only
    soak: {for: 1200ms, every: 300ms, maxGap: 1m, checks: [v]}
    steps:
      a: {phase: upgrade, action: test.do}
      v: {phase: verify, action: test.read}
`

// linger leaves a run that waits for longer than the caller wants to, and says
// when it goes on.
func linger(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Plan(t, soaked), 1)
	out := b.drive(id)
	if out.Err != nil || out.Status != run.Waiting {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	if next := b.load(id).Info.Next; next.IsZero() || time.Until(next) > time.Second {
		t.Fatalf("it goes on at %s", next)
	}
	seen := len(b.history(id))
	told := 0
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{
		Runs: []string{id}, By: "ada", Linger: time.Minute, On: func(string, engine.Record) { told++ },
	})
	if out := receive(t, "the end of the run", done); out.Err != nil || out.Status != run.Succeeded {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	if all := len(b.history(id)); all-seen != told {
		t.Fatalf("%d events came, %d were told of", all-seen, told)
	}
}

// closeWaiting closes the engine while a run waits for a person.
func closeWaiting(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Plan(t, gated), 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada", Linger: -1})
	eventually(t, "the gate", func() bool { return b.load(id).State.Status == run.Waiting })
	b.restart()
	if out := receive(t, "the end of driving", done); out.Status.Final() {
		t.Fatalf("got %+v", out)
	}
	b.asks(id, b.approve(id))
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a")
}

// workerTrouble is trouble of Refit's own: driving stops, and the run can be
// driven on.
func workerTrouble(t *testing.T, h *host) {
	b := h.bench(t)
	trouble := true
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		if c, ok := a.Command.(run.ObserveOperation); ok && c.Op.Step == "s1" && trouble {
			return nil, context.DeadlineExceeded
		}
		return nil, nil
	}
	id := b.create(Chain(t, 3), 1)
	if out := b.drive(id); out.Err == nil || out.Status.Final() {
		t.Fatalf("got %+v", out)
	}
	trouble = false
	b.finish(id, run.Succeeded)
	b.once(id, "do only/s0", "do only/s1", "do only/s2")
}
