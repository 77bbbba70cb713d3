package enginetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// people has the scenarios in which persons ask for something.
func people() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"Approval": approval, "WokenByRequest": woken, "PauseFromElsewhere": pauseElsewhere,
		"CancelFromElsewhere": cancelElsewhere, "Settle": settle, "Refused": refusal,
		"Selection": selection,
	}
}

// within is how soon what people ask for takes effect.
const within = time.Second

// asks requests something that is possible.
func (b *bench) asks(id string, body run.Body) {
	b.t.Helper()
	if err := b.Request(b.t.Context(), id, body); err != nil {
		b.t.Fatalf("ask for %T: %v\n%s", body, err, b.story(id))
	}
}

// refuses asks for something that is not possible, which leaves no event.
func (b *bench) refuses(id string, body run.Body) {
	b.t.Helper()
	before := b.load(id).Info
	if err := b.Request(b.t.Context(), id, body); !errors.Is(err, run.ErrRefused) {
		b.t.Fatalf("ask for %T: %v, want it to be refused", body, err)
	}
	if after := b.load(id).Info; after.Seq != before.Seq || after.Head != before.Head {
		b.t.Fatalf("what was refused has changed the run from %+v to %+v", before, after)
	}
}

const gated = `  - id: only
    approval: {reason: "Is it time?"}
    steps:
      a: {phase: upgrade, action: test.do}
`

// approve returns the approval of the first gate that is open.
func (b *bench) approve(id string) *run.Approved {
	b.t.Helper()
	state := b.load(id).State
	gates := state.Gates()
	if len(gates) == 0 {
		b.t.Fatalf("no gate is open\n%s", b.story(id))
	}
	g := gates[0]
	return &run.Approved{Who: run.Who{By: "bob"}, Gate: g.Gate, Digest: g.Digest, Facts: g.Facts}
}

// approval refuses an approval of another digest, or of other facts.
func approval(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Plan(t, gated), 1)
	if out := b.drive(id); out.Err != nil || out.Status != run.Waiting {
		t.Fatalf("got %+v", out)
	}
	for _, wrong := range []func(*run.Approved){
		func(a *run.Approved) { a.Digest = "sha256:other" },
		func(a *run.Approved) { a.Facts = "others" },
		func(a *run.Approved) { a.Gate.Name = "another" },
	} {
		body := b.approve(id)
		wrong(body)
		b.refuses(id, body)
	}
	b.asks(id, b.approve(id))
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a")
}

// selection approves what an action picks, which is all that it may act on. A look
// after a lost result is about the same list.
func selection(t *testing.T, h *host) {
	b := h.bench(t)
	var mu sync.Mutex
	picked := []run.Selected{{Key: "x", Note: "3 GiB"}}
	var told, looked [][]run.Selected
	lost := false
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		mu.Lock()
		defer mu.Unlock()
		//nolint:gochecksumtype // The others are not about this.
		switch c := a.Command.(type) {
		case run.ObserveOperation:
			if c.Attempted {
				looked = append(looked, c.Selection)
				return nil, nil
			}
			return &run.Observed{Op: c.Op, Turn: c.Turn, Status: "notStarted", Selection: picked}, nil
		case run.PerformOperation:
			told = append(told, c.Selection)
		}
		return nil, nil
	}
	b.world.Lose = func(context.Context, engine.Assignment) error {
		mu.Lock()
		defer mu.Unlock()
		if lost {
			return nil
		}
		lost = true
		return errors.New("the result was lost")
	}
	id := b.create(Plan(t, `  - id: only
    steps:
      a: {phase: upgrade, action: test.pick, select: {max: 2, empty: refuse, approve: always}, reversible: "no: gone"}
`), 1)
	asked := func() *run.Approved {
		if out := b.drive(id); out.Err != nil || out.Status != run.Waiting {
			t.Fatalf("got %+v", out)
		}
		state := b.load(id).State
		a := b.approve(id)
		a.Selection = state.Gates()[0].Terms.Selection
		return a
	}
	old := asked()
	mu.Lock()
	picked = []run.Selected{{Key: "x", Note: "3 GiB"}, {Key: "y"}}
	mu.Unlock()
	b.asks(id, old)
	b.asks(id, asked()) // The list has grown since: it is another question.
	for range 3 {
		if out := b.drive(id); out.Status == run.Succeeded {
			break
		}
	}
	b.finish(id, run.Succeeded)
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 1 || !slices.Equal(told[0], picked) {
		t.Fatalf("it was told to act on %v\n%s", told, b.story(id))
	}
	if len(looked) == 0 || !slices.Equal(looked[0], picked) {
		t.Fatalf("it was asked about %v\n%s", looked, b.story(id))
	}
}

// woken approves from another process what a driver waits for.
func woken(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Plan(t, gated), 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada", Linger: -1})
	eventually(t, "the gate", func() bool {
		state := b.load(id).State
		return state.Status == run.Waiting && len(state.Gates()) > 0
	})
	other := b.another()
	wrong := b.approve(id)
	wrong.Digest = "sha256:other"
	if err := other.Request(t.Context(), id, wrong); !errors.Is(err, run.ErrRefused) {
		t.Fatalf("got %v for the wrong digest", err)
	}
	if err := other.Request(t.Context(), id, b.approve(id)); err != nil {
		t.Fatal(err)
	}
	if out := receive(t, "the end of the run", done); out.Err != nil || out.Status != run.Succeeded {
		t.Fatalf("got %+v", out)
	}
	b.once(id, "do only/a")
}

// holding lets the effects of a step wait until they are let go.
type holding struct {
	mu      sync.Mutex
	begun   chan string
	letGo   chan struct{}
	only    string
	respect bool
}

// hold makes the effects of a step, or with "" of all, wait. With respect the end
// of the context ends them too.
func (b *bench) hold(step string, respect bool) *holding {
	const room = 64
	l := &holding{begun: make(chan string, room), letGo: make(chan struct{}), only: step, respect: respect}
	b.world.Meet = l.meet
	return l
}

func (l *holding) meet(ctx context.Context, a engine.Assignment) error {
	c, ok := a.Command.(run.PerformOperation)
	if !ok || l.only != "" && c.Op.Step != l.only {
		return nil
	}
	l.mu.Lock()
	letGo := l.letGo
	l.mu.Unlock()
	l.begun <- c.ID()
	var ended <-chan struct{}
	if l.respect {
		ended = ctx.Done()
	}
	select {
	case <-letGo:
		return nil
	case <-ended:
		return ctx.Err()
	}
}

// promptly asks from another engine and looks that it takes effect in time.
func (b *bench) promptly(other engine.Engine, id string, body run.Body, holds func(*run.State) bool) {
	b.t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	if err := other.Request(ctx, id, body); err != nil {
		b.t.Fatal(err)
	}
	if took := time.Since(began); took > within {
		b.t.Errorf("%T took effect after %s, want within %s", body, took, within)
	}
	if state := b.load(id).State; !holds(&state) {
		b.t.Fatalf("%T has no effect\n%s", body, b.story(id))
	}
}

// pauseElsewhere pauses and resumes a run from another process while a step is
// under way.
func pauseElsewhere(t *testing.T, h *host) {
	b := h.bench(t)
	held := b.hold("s1", false)
	id := b.create(Chain(t, 4), 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada", Linger: -1})
	receive(t, "the step", held.begun)
	other := b.another()
	who := run.Who{By: "bob", Reason: "wait"}
	b.promptly(other, id, &run.PauseRequested{Who: who}, func(s *run.State) bool { return s.Paused })
	close(held.letGo)
	eventually(t, "the end of the step", func() bool { return b.step(id, "s1").Status == run.StepSucceeded })
	b.once(id, "do only/s0", "do only/s1")
	b.promptly(other, id, &run.ResumeRequested{Who: who}, func(s *run.State) bool { return !s.Paused })
	if out := receive(t, "the end of the run", done); out.Err != nil || out.Status != run.Succeeded {
		t.Fatalf("got %+v", out)
	}
	b.once(id, "do only/s0", "do only/s1", "do only/s2", "do only/s3")
}

// cancelElsewhere cancels a run from another process: the step under way goes to
// its end, its lease is given back, nothing else begins.
func cancelElsewhere(t *testing.T, h *host) {
	b := h.bench(t)
	held := b.hold("b", false)
	id := b.create(Plan(t, `  - id: only
    steps:
      a: {phase: quiesce, action: test.do, lease: {until: stage, onFailure: release}}
      b: {phase: upgrade, action: test.do}
      c: {phase: upgrade, action: test.do, needs: [b]}
`), 1)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	receive(t, "the step", held.begun)
	b.promptly(b.another(), id, &run.CancelRequested{Who: run.Who{By: "bob", Reason: "no"}},
		func(s *run.State) bool { return s.Cancelling })
	close(held.letGo)
	if out := receive(t, "the end of the run", done); out.Err != nil || out.Status != run.Cancelled {
		t.Fatalf("got %+v", out)
	}
	b.once(id, "do only/a", "do only/b", "release only/a")
}

// settle leaves to a person what nobody can see.
func settle(t *testing.T, h *host) {
	b := h.bench(t)
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		if c, ok := a.Command.(run.ObserveOperation); ok && c.Attempted {
			return &run.Observed{Op: c.Op, Turn: c.Turn, Status: "unknown", Message: "nobody can see it"}, nil
		}
		if c, ok := a.Command.(run.PerformOperation); ok && c.Attempt == 1 {
			return &run.OperationEnded{
				Op: c.Op, Attempt: 1, Extent: "unknown", Retryable: true, Message: "the line broke",
			}, nil
		}
		return nil, nil
	}
	id := b.create(Chain(t, 3), 1)
	op := func(step string) run.Ref { return run.Ref{What: run.Do, Stage: "only", Step: step} }
	for _, turn := range []struct {
		step    string
		verdict run.Verdict
	}{{"s0", run.VerdictDone}, {"s1", run.VerdictRedo}} {
		step, verdict := turn.step, turn.verdict
		if out := b.drive(id); out.Err != nil || out.Status.Final() {
			t.Fatalf("got %+v", out)
		}
		if st := b.step(id, step); st.Status != run.StepInDoubt {
			t.Fatalf("step %s is %s\n%s", step, st.Status, b.story(id))
		}
		who := run.Who{By: "bob", Reason: "looked at it"}
		b.refuses(id, &run.Settled{Who: run.Who{By: "bob"}, Op: op(step), Verdict: verdict})
		b.refuses(id, &run.Settled{Who: who, Op: op("s2"), Verdict: verdict})
		b.asks(id, &run.Settled{Who: who, Op: op(step), Verdict: verdict})
	}
	if out := b.drive(id); out.Err != nil || b.step(id, "s2").Status != run.StepInDoubt {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
	b.once(id, "do only/s1")
	who := run.Who{By: "bob", Reason: "looked at it"}
	b.asks(id, &run.Settled{Who: who, Op: op("s2"), Verdict: run.VerdictNotDone})
	if out := b.drive(id); out.Err != nil || out.Status != run.Halted {
		t.Fatalf("got %+v\n%s", out, b.story(id))
	}
}

// refusal asks for what is not possible: it is told, and leaves no event.
func refusal(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Chain(t, 1), 1)
	who := run.Who{By: "bob", Reason: "so"}
	b.refuses(id, &run.ResumeRequested{Who: who})
	b.refuses(id, &run.Started{})
	if err := b.Request(t.Context(), "nothing", &run.PauseRequested{Who: who}); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("got %v for a run that is not there", err)
	}
	b.finish(id, run.Succeeded)
	b.refuses(id, &run.CancelRequested{Who: who})
	b.refuses(id, &run.PauseRequested{Who: who})
}
