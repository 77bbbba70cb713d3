package sim

import (
	"errors"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/run"
)

// never says of each pair whether it is said to be impossible.
type never struct {
	status [eventCount][statusCount]bool
	part   [eventCount][partCount]bool
	life   [eventCount][lifeCount]bool
}

// barred is the table of impossible.go in the form in which it is looked up.
//
//nolint:gochecknoglobals // It never changes, and a simulation is too short to make it.
var barred = sync.OnceValue(func() *never {
	n := &never{}
	for e, name := range events() {
		for i, s := range statuses() {
			n.status[e][i] = impossible(Pair{name, "run " + string(s)}) != ""
		}
		for i, p := range parts() {
			n.part[e][i] = impossible(Pair{name, "stage " + string(p)}) != ""
		}
		for i, l := range lives() {
			n.life[e][i] = impossible(Pair{name, "operation " + orAsleep(string(l))}) != ""
		}
	}
	return n
})

// impossible offers what is said to be impossible in this state, as well made as
// it can be: the numbers are those that the state has. All of it has to be
// refused, so that the state stays as it is.
func (j *judge) impossible() error {
	s, no := j.s, barred()
	for _, b := range j.bodies() {
		m := j.momentOf(b)
		if !no.status[m.event][m.status] && !no.part[m.event][m.part] && (m.life < 0 || !no.life[m.event][m.life]) {
			continue
		}
		s.stats.Judged++
		_, err := run.Advance(s.state, run.Event{Seq: uint64(len(s.history) + 1), At: s.clock(), Body: b})
		if err == nil {
			return breachf("impossible", "%T was accepted in a run that is %s, its stage %s: %+v",
				b, statuses()[m.status], parts()[m.part], b)
		}
		if !errors.Is(err, run.ErrRefused) && !errors.Is(err, run.ErrStale) &&
			!errors.Is(err, run.ErrInvalidTransition) {
			return breachf("impossible", "%T: %v", b, err)
		}
		s.seen.note(&m, err)
	}
	return nil
}

// awaits tells whether a rollback waits for a person, which is rare.
func (j *judge) awaits() bool {
	back := j.s.state.Back
	return back != nil && back.Built && back.Next < len(back.Items) && back.Items[back.Next].Life == run.Awaiting
}

// bodies are events of every type as the state would need them.
func (j *judge) bodies() []run.Body {
	s := &j.s.state
	d := &dice{state: j.s.c.Seed ^ uint64(len(j.s.history))}
	st, id := &s.Stages[s.Stage], s.StageIDs()[s.Stage]
	who := run.Who{By: "ada", From: "terminal", Reason: "a reason", Groups: []string{"ops"}}
	facts := j.s.facts()
	out := []run.Body{
		&run.Started{Digest: s.Digest, Owner: "another", Epoch: j.s.epoch, Parallel: 1},
		&run.StageChecked{Stage: id, Turn: st.Checks, Facts: facts},
		&run.StageAskFailed{Stage: id, Turn: st.Checks, Cause: run.WaitTarget},
		&run.WindowAnswered{Stage: id, Turn: st.Window.Turn, Open: true},
		&run.TimerFired{Timer: run.TimerRef{Kind: run.TimerWindow, Gate: run.GateRef{Stage: id}, Turn: st.Window.Turn}},
		&run.TimerFired{Timer: run.TimerRef{Kind: run.TimerCheck, Gate: run.GateRef{Stage: id}, Turn: st.Checks}},
		&run.PauseRequested{Who: who}, &run.ResumeRequested{Who: who}, &run.CancelRequested{Who: who},
		&run.RetryRequested{Who: who}, &run.AbortRequested{Who: who}, &run.UntilRequested{Who: who},
		&run.RollbackRequested{Who: who, Partly: true}, &run.RollbackApproved{Who: who, Digest: s.Digest},
		&run.OwnerChanged{Owner: "another", Epoch: j.s.epoch + 1},
		&run.ProbeChanged{Probe: "hub", Component: "web", Since: s.At.Add(time.Second)},
	}
	for digest := range j.s.plans {
		if digest != s.Digest {
			out = append(out, &run.Replanned{Who: who, Digest: digest})
		}
	}
	if len(out) == 16 { // There is but one plan: none is as good as an unknown one.
		out = append(out, &run.Replanned{Who: who, Digest: "sha256:other"})
	}
	if back := s.Back; back != nil && back.Built && back.Next < len(back.Items) {
		item := &back.Items[back.Next]
		out = append(out, &run.StageChecked{Stage: item.Stage, Turn: item.Turn, Back: true, Facts: facts},
			&run.StageAskFailed{Stage: item.Stage, Turn: item.Turn, Back: true, Cause: run.WaitTarget})
		if item.What != run.Check {
			out = j.aboutOperation(out, item, who)
		}
	}
	for i := range s.Findings {
		out = append(out, &run.Accepted{Who: who, Name: s.Findings[i].Name, Expires: "2999-01-01"})
	}
	out = append(out, &run.Accepted{Who: who, Name: "risk/token-loss", Expires: "2999-01-01"})
	return j.aboutSteps(j.aboutGates(out, who, id), who, d)
}

// aboutGates adds what a gate may be told.
func (j *judge) aboutGates(out []run.Body, who run.Who, id string) []run.Body {
	s := &j.s.state
	st, v := &s.Stages[s.Stage], &j.s.c.Plan.Stages[s.Stage%len(j.s.c.Plan.Stages)]
	add := func(ref run.GateRef, g *run.GateState) {
		out = append(out,
			&run.Approved{Who: who, Gate: ref, Digest: v.Digest, Facts: st.Facts, Selection: g.Selection},
			&run.Rejected{Who: who, Gate: ref}, &run.PersonDone{Who: who, Gate: ref},
			&run.ConditionAnswered{Gate: ref, Turn: g.Turn, Holds: true},
			&run.SoakObserved{Gate: ref, Turn: g.Turn, Healthy: true},
			&run.TimerFired{Timer: run.TimerRef{Kind: run.TimerGate, Gate: ref, Turn: g.Turn}})
	}
	for i := range st.Gates {
		add(run.GateRef{Stage: id, Name: st.Gates[i].Name}, &st.Gates[i])
	}
	soak := &run.GateState{}
	if st.Soak != nil {
		soak = st.Soak
	}
	add(run.GateRef{Stage: id, Name: "soak"}, soak)
	for k := range st.Steps {
		if g := st.Steps[k].Gate; g != nil {
			_, step := s.StepAt(run.Place{Stage: s.Stage, Step: k})
			add(run.GateRef{Stage: id, Step: step.ID}, g)
		}
	}
	return out
}

// aboutSteps adds what is told of steps: of those with an operation that goes
// on, of one taken by chance, and of those with a lease.
func (j *judge) aboutSteps(out []run.Body, who run.Who, d *dice) []run.Body {
	s := &j.s.state
	ids := s.StageIDs()
	chosen := -1
	if n := len(s.Stages[s.Stage].Steps); n > 0 {
		chosen = d.below(n)
	}
	for k := range s.Stages[s.Stage].Steps {
		st, step := s.StepAt(run.Place{Stage: s.Stage, Step: k})
		lively := st.Status != run.StepPending && st.Status != run.StepSucceeded && st.Status != run.StepSkipped
		if k != chosen && !lively {
			continue
		}
		ref := run.Ref{What: run.Do, Stage: ids[s.Stage], Step: step.ID}
		terms := &run.Terms{Kind: run.WaitPerson}
		out = append(out,
			&run.StepResolved{Stage: ref.Stage, Step: ref.Step, Turn: st.Resolved, Terms: terms},
			&run.RetryRequested{Who: who, Stage: ref.Stage, Step: ref.Step})
		for i := range st.Ops {
			out = j.aboutOperation(out, &st.Ops[i], who)
		}
		if len(st.Ops) == 0 {
			out = j.aboutOperation(out, &run.Operation{Ref: ref}, who)
		}
	}
	release := false
	for _, at := range s.Order {
		if st, step := s.StepAt(at); st.Lease != nil {
			release = true
			out = append(out, &run.ReleaseRequested{Who: who, Stage: ids[at.Stage], Step: step.ID})
			if op := &st.Lease.Op; op.What != "" {
				out = j.aboutOperation(out, op, who)
			}
		}
	}
	if !release && chosen >= 0 {
		_, step := s.StepAt(run.Place{Stage: s.Stage, Step: chosen})
		out = append(out, &run.ReleaseRequested{Who: who, Stage: ids[s.Stage], Step: step.ID})
	}
	return out
}

// aboutOperation adds what is told of an operation.
func (j *judge) aboutOperation(out []run.Body, op *run.Operation, who run.Who) []run.Body {
	timer := run.TimerRef{Kind: run.TimerOperation, Op: op.Ref, Turn: op.Turn}
	timeout := timer
	timeout.Kind = run.TimerTimeout
	return append(out,
		&run.Observed{Op: op.Ref, Turn: op.Turn, Status: "done"},
		&run.AskFailed{Op: op.Ref, Turn: op.Turn, Cause: run.WaitTarget},
		&run.OperationStarted{Op: op.Ref, Attempt: op.Attempt + 1, Key: op.Key},
		&run.OperationEnded{Op: op.Ref, Attempt: op.Attempt, OK: true},
		&run.IssuesMatched{Op: op.Ref, Turn: op.Turn},
		&run.TimerFired{Timer: timer}, &run.TimerFired{Timer: timeout},
		&run.Settled{Who: who, Op: op.Ref, Verdict: run.VerdictDone},
	)
}
