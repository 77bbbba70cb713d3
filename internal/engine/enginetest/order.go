package enginetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// order has the scenarios in which nothing goes wrong.
func order() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){
		"Chain": chain, "Needs": needs, "Parallel": parallel, "Leases": leases, "Checks": checks,
		"ManyRuns": manyRuns, "Members": members,
	}
}

// chain drives a chain: every effect once, in order, and nobody owns the run
// afterwards.
func chain(t *testing.T, h *host) {
	b := h.bench(t)
	const steps = 20
	id := b.create(Chain(t, steps), 4)
	if st := b.load(id).Info.Status; st.Final() {
		t.Fatalf("a new run is %s", st)
	}
	b.finish(id, run.Succeeded)
	var want []string
	for i := range steps {
		want = append(want, fmt.Sprintf("do only/s%d", i))
	}
	b.once(id, want...)
	b.inOrder(id, want...)
	if info := b.load(id).Info; info.Owner != nil || !info.Next.IsZero() || info.Status != run.Succeeded {
		t.Fatalf("the run that has ended is %+v", info)
	}
	b.finish(id, run.Succeeded) // Driving it again does nothing.
	b.once(id, want...)
}

// needs drives a diamond and a phase behind it.
func needs(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Plan(t, `  - id: only
    steps:
      a: {phase: upgrade, action: test.do}
      b: {phase: upgrade, action: test.do, needs: [a]}
      c: {phase: upgrade, action: test.do, needs: [a]}
      d: {phase: upgrade, action: test.do, needs: [b, c]}
      e: {phase: resume, action: test.do}
      f: {phase: quiesce, action: test.do}
  - id: next
    steps:
      g: {phase: upgrade, action: test.do}
`), 8)
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a", "do only/b", "do only/c", "do only/d", "do only/e", "do only/f", "do next/g")
	b.inOrder(id, "do only/f", "do only/a", "do only/b", "do only/d", "do only/e", "do next/g")
	b.inOrder(id, "do only/a", "do only/c", "do only/d")
}

// parallel holds steps until as many are under way as the run may have, and then
// looks that it were never more.
func parallel(t *testing.T, h *host) {
	b := h.bench(t)
	const atOnce, steps = 3, 9
	var met sync.WaitGroup
	met.Add(atOnce)
	var mu sync.Mutex
	arrived := 0
	b.world.Meet = func(_ context.Context, a engine.Assignment) error {
		if _, ok := a.Command.(run.PerformOperation); !ok {
			return nil
		}
		mu.Lock()
		arrived++
		early := arrived <= atOnce
		mu.Unlock()
		if early {
			met.Done()
			met.Wait()
		}
		return nil
	}
	var text strings.Builder
	text.WriteString("  - id: only\n    steps:\n")
	for i := range steps {
		fmt.Fprintf(&text, "      s%d: {phase: upgrade, action: test.do}\n", i)
	}
	id := b.create(Plan(t, text.String()), atOnce)
	done := b.behind(t.Context(), b.Engine, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	if out := receive(t, "the end of the run", done); out.Err != nil || out.Status != run.Succeeded {
		t.Fatalf("got %+v", out)
	}
	if most, overlaps := b.world.AtOnce(); most != atOnce || overlaps != 0 || b.world.Effects() != steps {
		t.Fatalf("%d steps at once, want %d; %d overlaps; %d effects", most, atOnce, overlaps, b.world.Effects())
	}
}

// leases looks that what was taken is given back at its time, the youngest first.
func leases(t *testing.T, h *host) {
	b := h.bench(t)
	id := b.create(Plan(t, `  - id: only
    steps:
      a: {phase: quiesce, action: test.do, lease: {until: stage}}
      b: {phase: quiesce, action: test.do, needs: [a], lease: {until: run}}
      c: {phase: upgrade, action: test.do, lease: {until: "step:d"}}
      d: {phase: upgrade, action: test.do, needs: [c]}
  - id: next
    steps:
      e: {phase: upgrade, action: test.do}
`), 4)
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a", "do only/b", "do only/c", "do only/d", "do next/e",
		"release only/a", "release only/b", "release only/c")
	b.inOrder(id, "do only/a", "do only/b", "do only/c", "do only/d", "release only/c", "release only/a",
		"do next/e", "release only/b")
	if held := run.Summarize(b.load(id).State).Leases; len(held) != 0 {
		t.Fatalf("leases are held still: %+v", held)
	}
}

// checks looks that nothing is changed before the checks of preflight have ended.
func checks(t *testing.T, h *host) {
	b := h.bench(t)
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		if c, ok := a.Command.(run.ObserveOperation); ok && c.Op.Step == "bad" {
			return &run.Observed{Op: c.Op, Turn: c.Turn, Status: "failed", Message: "too small"}, nil
		}
		return nil, nil
	}
	id := b.create(Plan(t, `  - id: only
    steps:
      good: {phase: preflight, action: test.read}
      bad: {phase: preflight, action: test.read}
      a: {phase: upgrade, action: test.do}
`), 4)
	out := b.drive(id)
	if out.Err != nil || out.Status.Final() || b.world.Effects() != 0 {
		t.Fatalf("got %+v with %d effects", out, b.world.Effects())
	}
	who := run.Who{By: "ada", Reason: "it is large enough"}
	b.refuses(id, &run.Accepted{Who: who, Name: "preflight/good", Expires: "2999-01-01"})
	b.asks(id, &run.Accepted{Who: who, Name: "preflight/bad", Expires: "2999-01-01"})
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a")
}

// manyRuns drives runs side by side; each has its own history.
func manyRuns(t *testing.T, h *host) {
	b := h.bench(t)
	const runs, steps = 40, 5
	p := Chain(t, steps)
	ids := make([]string, runs)
	for i := range ids {
		ids[i] = b.create(p, 1)
	}
	out, err := b.Drive(t.Context(), engine.DriveOptions{By: "ada"})
	if err != nil || len(out) != runs {
		t.Fatalf("got %d outcomes, %v", len(out), err)
	}
	for _, o := range out {
		if o.Err != nil || o.Status != run.Succeeded {
			t.Fatalf("got %+v", o)
		}
	}
	for _, id := range ids {
		if history := b.history(id); history[len(history)-1].Event.Seq != uint64(len(history)) {
			t.Fatalf("the history of run %q has gaps", id)
		}
	}
	if b.world.Effects() != runs*steps {
		t.Fatalf("%d effects, want %d", b.world.Effects(), runs*steps)
	}
	list, err := b.List(t.Context())
	if err != nil || len(list) != runs || list[0].ID != ids[runs-1] {
		t.Fatalf("the list has %d runs and begins with %q, %v", len(list), list[0].ID, err)
	}
}

// members drives a step whose members are known only when it starts.
func members(t *testing.T, h *host) {
	b := h.bench(t)
	b.world.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) {
		c, ok := a.Command.(run.Resolve)
		if !ok || c.Step != "b" {
			return nil, nil
		}
		if string(c.Outputs["a"]) != `{"value":"set"}` {
			t.Errorf("the outputs are %s", c.Outputs["a"])
		}
		return &run.StepResolved{
			Stage: c.Stage, Step: c.Step, Turn: c.Turn, Members: []run.Member{{Key: "x"}, {Key: "y"}},
		}, nil
	}
	id := b.create(Plan(t, `  - id: only
    steps:
      a: {phase: upgrade, action: test.do}
      b:
        phase: upgrade
        needs: [a]
        forEach: ${[steps.a.output.value]}
        max: 2
        action: test.do
        with: {value: "${item}"}
`), 4)
	b.finish(id, run.Succeeded)
	b.once(id, "do only/a", "do only/b[x]", "do only/b[y]")
}
