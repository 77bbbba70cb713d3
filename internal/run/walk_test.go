package run_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

const (
	seeds = 2000
	wild  = 120 // Events with faults and people who change their minds.
	most  = 4000
)

// TestWalk drives random plans through a world full of faults and checks the
// invariants after every event.
func TestWalk(t *testing.T) {
	t.Parallel()
	ends := map[run.Status]int{}
	events := 0
	for seed := range uint64(seeds) {
		w := newWalk(t, seed+1)
		if err := w.walk(); err != nil {
			t.Fatalf("seed %d: %v\nplan:\n%s\nhistory:\n%s", seed+1, err, w.text, shrink(w.world.plan, w.history, err))
		}
		ends[w.state.Status]++
		events += len(w.history)
	}
	t.Logf("%d events, ends: %v", events, ends)
	for _, want := range []run.Status{run.Succeeded, run.RolledBack, run.PartlyRolledBack, run.Cancelled, run.Failed} {
		if ends[want] == 0 {
			t.Errorf("no walk ended %s: the faults have lost their teeth", want)
		}
	}
}

type walk struct {
	world   *world
	rng     *rand.Rand
	text    string
	state   run.State
	now     time.Time
	history []run.Event
	epoch   uint64
	trip    bool
}

func newWalk(t *testing.T, seed uint64) *walk {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	text := randomPlan(rng)
	p, err := parsePlan(text)
	if err != nil {
		t.Fatal(err)
	}
	return &walk{
		world: newWorld(p, seed), rng: rng, text: text, state: run.WithPlans(run.New(p, "r"), again(p)), epoch: 1, trip: seed%4 == 0,
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// randomPlan writes a plan with a bit of everything.
func randomPlan(rng *rand.Rand) string {
	pick := func(options ...string) string { return options[rng.IntN(len(options))] }
	var b strings.Builder
	for i := range 1 + rng.IntN(2) {
		fmt.Fprintf(&b, "stage s%d%s%s%s\n", i, pick("", " window=pause", " window=finish", " window=abort"),
			pick("", "", " approval=1"), pick("", "", " soak=3m"))
		fail := pick("", "", " fail=rollback", " fail=continue")
		try := pick("", " retry=3")
		line := func(id, rest string) { fmt.Fprintf(&b, "  step %s timeout=1m%s %s\n", id, try, rest) }
		if rng.IntN(2) == 0 {
			line("config", "phase=prepare"+pick("", " reads"))
		}
		line("check1", "phase=preflight reads")
		line("check2", "phase=preflight reads"+pick("", " when=maybe"))
		if rng.IntN(2) == 0 {
			line("quiet", "phase=quiesce lease="+pick("stage", "run", "step:verify")+"/"+pick("hold", "release")+pick("", " quiesces=db"))
		}
		line("save", "phase=backup covers=db scratch")
		line("a", "worst=5m changes=db"+pick(" reversible=restore", "", " reversible=no")+fail)
		line("b", pick("", "needs=a")+pick("", " resource=r")+fail)
		line("c", pick("", "free needs=b")+pick("", " resource=r", " each=3", " each=3 approve", " selects=2", " selects=2 approve", " each=3 selects=2 approve")+fail)
		if rng.IntN(2) == 0 {
			line("calm", "remedy=busy:3"+pick("", " reversible=no"))
		}
		line("verify", "phase=verify reads")
		if rng.IntN(3) == 0 {
			line("ask", "phase=verify gate="+pick("approval", "person", "person mutates", "condition", "soak"))
		}
		if rng.IntN(2) == 0 {
			b.WriteString("abort\n")
			line("home", "")
		}
	}
	return b.String()
}

func (w *walk) walk() error {
	if err := w.record(&run.Started{Digest: w.state.Digest, Owner: "o", Epoch: 1, Parallel: 1 + w.rng.IntN(3)}); err != nil {
		return err
	}
	for !w.state.Status.Final() {
		if len(w.history) > most {
			return errors.New("I8: the run does not end")
		}
		if len(w.history) > wild {
			w.world.calm = true
		}
		if err := w.turn(); err != nil {
			return err
		}
	}
	for range 50 { // What is released after the end.
		if commands := run.Pending(w.state); len(commands) == 0 {
			break
		} else if err := w.do(commands[0]); err != nil {
			return err
		}
	}
	return w.last()
}

// turn does one thing: a command, a fault, or what a person wants.
func (w *walk) turn() error {
	commands := run.Pending(w.state)
	switch {
	case !w.world.calm && w.rng.IntN(25) == 0:
		return w.crash()
	case !w.world.calm && w.rng.IntN(30) == 0:
		return w.whim()
	case len(commands) == 0 || w.rng.IntN(10) == 0:
		next := run.Summarize(w.state).Next
		if len(next) > 0 {
			return w.person(next[w.rng.IntN(len(next))])
		}
		if len(commands) == 0 {
			return fmt.Errorf("I8: the run is %s, and there is nothing to do and nobody to ask", w.state.Status)
		}
	}
	// Timers fire only when nothing else is left, or now and then too early for nothing.
	var work []run.Command
	for _, c := range commands {
		if _, timer := c.(run.Timer); !timer {
			work = append(work, c)
		}
	}
	if len(work) == 0 || w.rng.IntN(15) == 0 {
		return w.do(commands[w.rng.IntN(len(commands))])
	}
	return w.do(work[w.rng.IntN(len(work))])
}

func (w *walk) do(c run.Command) error {
	if timer, ok := c.(run.Timer); ok && timer.At.After(w.now) {
		w.now = timer.At
	}
	body, ok := w.world.answer(c, w.now)
	if !ok {
		return w.crash() // Its result is lost with its host.
	}
	if err := w.guard(body); err != nil {
		return err
	}
	if err := w.record(body); err != nil {
		return fmt.Errorf("%s was pending, its answer: %w", c.ID(), err)
	}
	if w.rng.IntN(20) == 0 {
		if err := w.record(body); err == nil || !errors.Is(err, run.ErrStale) && !errors.Is(err, run.ErrInvalidTransition) {
			return fmt.Errorf("the answer to %s counted twice: %w", c.ID(), err)
		}
	}
	return nil
}

func (w *walk) crash() error {
	w.epoch++
	return w.record(&run.OwnerChanged{Owner: "o", Epoch: w.epoch})
}

// whim is what a person may ask for at a bad moment; it may be refused.
func (w *walk) whim() error {
	who := run.Who{By: "ada", Reason: "whim"}
	bodies := []run.Body{
		&run.PauseRequested{Who: who}, &run.PauseRequested{Who: who}, &run.CancelRequested{Who: who},
		&run.RollbackRequested{Who: who, Partly: true}, &run.AbortRequested{Who: who}, w.replan(who), w.replan(who),
		&run.UntilRequested{Who: who, Stage: []string{"", "s0", "s1"}[w.rng.IntN(3)]},
		&run.ProbeChanged{Probe: "hub", Component: "hub", Since: time.Unix(1, 0)},
	}
	return w.asked(bodies[w.rng.IntN(len(bodies))])
}

// replan asks for other stages from some stage on.
func (w *walk) replan(who run.Who) run.Body {
	k := w.rng.IntN(len(w.world.plan.Stages))
	return &run.Replanned{
		Who: who, From: w.world.plan.Stages[k].ID, Digest: fmt.Sprintf("sha256:again-%d-%d", k, w.rng.IntN(1000)),
	}
}

// again finds the plans of replans: the stages of p from some stage on, every
// second time with other digests.
func again(p *plan.Plan) run.PlanSource {
	return func(digest string) (*plan.Plan, error) {
		if digest == p.Digest {
			return p, nil
		}
		var from, n int
		if _, err := fmt.Sscanf(digest, "sha256:again-%d-%d", &from, &n); err != nil {
			return nil, err
		}
		q := *p
		q.Digest, q.Stages = digest, slices.Clone(p.Stages[from:])
		for i := range q.Stages {
			if n%2 == 0 {
				q.Stages[i].Digest += digest
			}
		}
		return &q, nil
	}
}

func (w *walk) asked(b run.Body) error {
	if err := w.record(b); err != nil && !errors.Is(err, run.ErrRefused) {
		return err
	}
	return nil
}

// person does what the summary says that a person can do.
func (w *walk) person(n run.Next) error {
	body := personBody(w.state, n)
	if body == nil {
		return fmt.Errorf("nobody knows how to %s %v", n.Verb, n.Args)
	}
	if s, ok := body.(*run.Settled); ok { // The person looks, and knows.
		s.Verdict = run.VerdictNotDone
		forward := s.Op.What == run.Do || s.Op.What == run.Retake
		if w.world.applied[where(s.Op)] == forward && !w.world.half[where(s.Op)] {
			s.Verdict = run.VerdictDone
		}
		w.world.half[where(s.Op)] = false
		w.world.busy[where(s.Op)] = 0
		w.world.applied[where(s.Op)] = forward == (s.Verdict == run.VerdictDone)
	}
	if err := w.record(body); err != nil {
		return fmt.Errorf("the summary offers %s %v: %w", n.Verb, n.Args, err)
	}
	return nil
}

func personBody(s run.State, n run.Next) run.Body {
	who := run.Who{By: "ada", Reason: "reason"}
	gate := func() run.GateRef {
		ref := run.GateRef{Stage: n.Args[0], Name: n.Args[1]}
		for i := range s.Plan().Stages {
			for j := range s.Plan().Stages[i].Steps {
				if st := &s.Plan().Stages[i]; st.ID == n.Args[0] && st.Steps[j].ID == n.Args[1] {
					return run.GateRef{Stage: n.Args[0], Step: n.Args[1]}
				}
			}
		}
		return ref
	}
	switch n.Verb {
	case "approve":
		if n.Args[0] == "rollback" {
			return &run.RollbackApproved{Who: who, Digest: n.Args[1]}
		}
		a := &run.Approved{Who: who, Gate: gate(), Digest: n.Args[2], Facts: s.Stages[s.Stage].Facts}
		if len(n.Args) > 3 {
			a.Selection = n.Args[3]
		}
		return a
	case "done":
		return &run.PersonDone{Who: who, Gate: gate()}
	case "accept":
		return &run.Accepted{Who: who, Name: n.Args[0], Expires: "2999-01-01"}
	case "settle":
		return &run.Settled{Who: who, Op: doubtful(s, n)}
	case "retry":
		r := &run.RetryRequested{Who: who}
		if len(n.Args) == 2 {
			r.Stage, r.Step = n.Args[0], n.Args[1]
		}
		return r
	case "release":
		return &run.ReleaseRequested{Who: who, Stage: n.Args[0], Step: n.Args[1]}
	case "rollback":
		return &run.RollbackRequested{Who: who, Stage: n.Args[0]}
	case "resume":
		return &run.ResumeRequested{Who: who}
	case "abort":
		return &run.AbortRequested{Who: who}
	case "cancel":
		return &run.CancelRequested{Who: who}
	}
	return nil
}

// doubtful finds the operation in doubt that the summary speaks of.
func doubtful(s run.State, n run.Next) run.Ref {
	ref := run.Ref{Stage: n.Args[0], Step: n.Args[1], What: run.What(n.Args[2])}
	if ref.What != run.Do && ref.What != run.Release || s.Back != nil && s.Back.Built {
		return s.Back.Items[s.Back.Next].Ref
	}
	for i := range s.Stages {
		for _, st := range s.Stages[i].Steps {
			for _, op := range st.Ops {
				if op.Stage == ref.Stage && op.Step == ref.Step && op.What == ref.What && op.Life == run.InDoubt {
					return op.Ref
				}
			}
		}
	}
	return ref
}

// record appends an event and advances the state.
func (w *walk) record(b run.Body) error {
	w.now = w.now.Add(time.Duration(w.rng.IntN(2000)) * time.Millisecond)
	e := run.Event{Seq: uint64(len(w.history) + 1), At: w.now, Body: b}
	next, err := run.Advance(w.state, e)
	if err != nil {
		return err
	}
	w.state = next
	w.history = append(w.history, e)
	if w.trip {
		if w.state, err = roundTrip(w.state, again(w.world.plan)); err != nil {
			return err
		}
	}
	if len(w.world.wrong) > 0 {
		return errors.New(w.world.wrong[0])
	}
	if why := run.LiveWrong(w.state); why != "" {
		return fmt.Errorf("what is derived from the state is wrong: %s", why)
	}
	if n := len(run.Pending(w.state)); n > 2*w.state.Parallel+12 {
		return fmt.Errorf("%d commands are pending", n)
	}
	return nil
}

func roundTrip(s run.State, source run.PlanSource) (run.State, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	var back run.State
	if err := json.Unmarshal(data, &back); err != nil {
		return s, err
	}
	return run.ResumeFrom(source, back)
}

// guard checks I1, I2 and I10 when an effect is about to be started.
func (w *walk) guard(b run.Body) error {
	started, ok := b.(*run.OperationStarted)
	if !ok || started.Op.What != run.Do || strings.HasSuffix(started.Op.Stage, "/abort") {
		return nil
	}
	if w.state.Paused || w.state.Cancelling || w.state.Back != nil {
		return fmt.Errorf("I10: %s was started in spite of a pause or the end", where(started.Op))
	}
	st := &w.state.Stages[w.state.Stage]
	steps := w.state.Plan().Stages[w.state.Stage].Steps
	status := func(id string) run.StepStatus {
		for i := range steps {
			if steps[i].ID == id {
				return st.Steps[i].Status
			}
		}
		return ""
	}
	me := w.world.step(started.Op)
	for _, need := range me.Needs {
		if s := status(need); s != run.StepSucceeded && s != run.StepSkipped {
			return fmt.Errorf("I1: %s was started, and %s is %s", where(started.Op), need, s)
		}
	}
	for i := range steps {
		if me.Effect != "mutating" || steps[i].Phase != plan.Preflight {
			continue
		}
		if s := st.Steps[i].Status; s != run.StepSucceeded && s != run.StepSkipped && !acceptedByName(w.state, steps[i].ID) {
			return fmt.Errorf("I2: %s was started, and check %s is %s", where(started.Op), steps[i].ID, s)
		}
	}
	return nil
}

func acceptedByName(s run.State, step string) bool {
	for _, f := range s.Findings {
		if f.Name == "preflight/"+step && f.Accepted != nil {
			return true
		}
	}
	return false
}

// last checks the end: leases, the way back, and I5.
func (w *walk) last() error {
	sum := run.Summarize(w.state)
	if w.state.Status == run.Succeeded && len(sum.Leases) > 0 {
		return fmt.Errorf("the run succeeded and holds %v", sum.Leases)
	}
	held := map[string]bool{}
	for _, l := range sum.Leases {
		held[l.Stage+"/"+l.Step] = true
	}
	for _, at := range w.world.left() {
		name, _, _ := strings.Cut(at, "[")
		stage, step, _ := strings.Cut(name, "/")
		s := w.world.step(run.Ref{Stage: stage, Step: step})
		switch {
		case s == nil || s.Effect != "mutating":
		case s.Lease != nil && !held[name]:
			return fmt.Errorf("lease %s is in the world, and nobody knows", name)
		case w.state.Status == run.RolledBack && (w.state.Back.To == 0 || stage == "s1"):
			return fmt.Errorf("I6: the run was rolled back, and %s is still in the world", at)
		}
	}
	folded, err := fold(w.world.plan, w.history)
	if err != nil {
		return fmt.Errorf("I5: %w", err)
	}
	live, err := json.Marshal(w.state)
	if err != nil {
		return err
	}
	again, err := json.Marshal(folded)
	if err != nil || !bytes.Equal(live, again) {
		return fmt.Errorf("I5: the fold differs from the live state:\n%s\n%s", live, again)
	}
	return nil
}

// fold reads a history as a host does after a restart.
func fold(p *plan.Plan, history []run.Event) (run.State, error) {
	s := run.WithPlans(run.New(p, "r"), again(p))
	for _, e := range history {
		data, err := run.EncodeEvent(e)
		if err != nil {
			return s, err
		}
		if e, err = run.DecodeEvent(data); err != nil {
			return s, err
		}
		if s, err = run.Advance(s, e); err != nil {
			return s, err
		}
	}
	return s, nil
}

// shrink deletes what the last event does not depend on and returns the rest as
// text: for a violation in the state, whatever can go while the history folds.
func shrink(p *plan.Plan, history []run.Event, _ error) string {
	want, err := fold(p, history)
	if err != nil {
		return err.Error()
	}
	for i := len(history) - 1; i > 0 && len(history) < 2*wild; i-- {
		shorter := append(append([]run.Event{}, history[:i]...), history[i+1:]...)
		for j := i; j < len(shorter); j++ {
			shorter[j].Seq = uint64(j + 1)
		}
		if s, err := fold(p, shorter); err == nil && s.Status == want.Status && len(run.Pending(s)) == len(run.Pending(want)) {
			history = shorter
		}
	}
	var b strings.Builder
	for _, e := range history {
		data, _ := run.EncodeEvent(e)
		b.Write(append(data, '\n'))
	}
	return b.String()
}
