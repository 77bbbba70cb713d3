package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/run"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (s *sim) who() run.Who {
	return run.Who{
		By: pick(s.d, "ada", "grace", "linus"), From: "terminal", Reason: "a reason", Groups: []string{"ops"},
	}
}

// request makes of what Next names the event that a person's command becomes.
func (s *sim) request(n run.Next) run.Body {
	who := s.who()
	switch n.Verb {
	case "approve":
		if n.Args[0] == "rollback" {
			return &run.RollbackApproved{Who: who, Digest: n.Args[1]}
		}
		a := &run.Approved{Who: who, Gate: s.gate(n), Digest: n.Args[2], Facts: s.state.Stages[s.state.Stage].Facts}
		if a.Gate.Step != "" {
			in := s.world.infos[n.Args[0]+"/"+n.Args[1]]
			a.Selection = s.state.Stages[in.at.Stage].Steps[in.at.Step].Gate.Selection
		}
		return a
	case "done":
		return &run.PersonDone{Who: who, Gate: s.gate(n), Evidence: json.RawMessage(`"seen"`)}
	case "accept":
		return &run.Accepted{Who: who, Name: n.Args[0], Expires: "2999-01-01"}
	case "settle":
		return &run.Settled{Who: who, Op: s.doubtful(n), Verdict: run.VerdictNotDone}
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

// gate tells a gate that is a step from one of the stage.
func (s *sim) gate(n run.Next) run.GateRef {
	if s.world.infos[n.Args[0]+"/"+n.Args[1]] != nil {
		return run.GateRef{Stage: n.Args[0], Step: n.Args[1]}
	}
	return run.GateRef{Stage: n.Args[0], Name: n.Args[1]}
}

// doubtful finds the operation in doubt that Next speaks of.
func (s *sim) doubtful(n run.Next) run.Ref {
	ref := run.Ref{Stage: n.Args[0], Step: n.Args[1], What: run.What(n.Args[2])}
	if b := s.state.Back; b != nil && b.Built && b.Next < len(b.Items) && b.Items[b.Next].Life == run.InDoubt {
		return b.Items[b.Next].Ref
	}
	in := s.world.info(ref)
	st := &s.state.Stages[in.at.Stage].Steps[in.at.Step]
	for i := range st.Ops {
		if st.Ops[i].What == ref.What && st.Ops[i].Life == run.InDoubt {
			return st.Ops[i].Ref
		}
	}
	return ref
}

// person does one of the things that a person can do now.
func (s *sim) person(next []run.Next) error {
	n := next[s.d.below(len(next))]
	body := s.request(n)
	if body == nil {
		return breachf("I8", "nobody knows how to %s %v", n.Verb, n.Args)
	}
	s.now += s.d.span(time.Second, 5*time.Minute)
	//nolint:gochecksumtype // The others are not about this.
	switch b := body.(type) {
	case *run.Settled:
		s.look(b)
	case *run.RetryRequested:
		s.mend(b)
	case *run.Approved:
		if !s.calm && s.d.oneIn(12) {
			body = &run.Rejected{Who: b.Who, Gate: b.Gate}
		}
	case *run.PersonDone:
		if !s.calm && (s.d.oneIn(12) || s.state.Back != nil && s.d.oneIn(2)) {
			body = &run.Rejected{Who: b.Who, Gate: b.Gate}
		}
	}
	if a, ok := body.(*run.Approved); ok && !s.may(a) {
		return nil
	}
	if err := s.append(body); err != nil {
		return keep(err, &BreachError{"I8", fmt.Sprintf("%s %v is named, and then: %v", n.Verb, n.Args, err)})
	}
	return s.sync()
}

// may tells whether the person is one of those who may approve.
func (s *sim) may(a *run.Approved) bool {
	for i := range s.c.Plan.Stages {
		for _, g := range s.c.Plan.Stages[i].Gates {
			if s.c.Plan.Stages[i].ID == a.Gate.Stage && g.Name == a.Gate.Name && a.Gate.Step == "" {
				return len(g.By) == 0 || slices.Contains(g.By, a.By) || slices.Contains(g.By, "ops")
			}
		}
	}
	return true
}

// look lets a person find out what has really happened.
func (s *sim) look(b *run.Settled) {
	op := s.judge.findOperation(b.Op)
	if op == nil {
		return
	}
	if s.world.truth(b.Op, op.Before, op.Key) {
		b.Verdict = run.VerdictDone
		return
	}
	b.Verdict = pick(s.d, run.VerdictNotDone, run.VerdictRedo)
	if o, want := s.world.of(b.Op); b.Op.What != run.Do && b.Op.What != run.Restore && o.value != want {
		b.Verdict = run.VerdictNotDone // Taking it back would replace what somebody else has set.
	}
	if o, _ := s.world.of(b.Op); b.Op.What == run.Do && o.foreign && o.value != text(op.Before) {
		b.Verdict = run.VerdictNotDone // Doing it again would replace it, and what Refit knows is older.
	}
}

// mend removes by hand what stands in the way of another attempt.
func (s *sim) mend(b *run.RetryRequested) {
	if !s.calm && s.d.oneIn(2) {
		return
	}
	s.world.factsOff = false
	if back := s.state.Back; back != nil {
		if back.Built && back.Next < len(back.Items) && back.Items[back.Next].What != run.Check {
			op := &back.Items[back.Next]
			in := s.world.info(op.Ref)
			o, want := s.world.of(op.Ref)
			if in.step.Gate == "" && op.What != run.Restore && o.effect == nil && o.value != want {
				s.world.mend(o, text(op.Before), in)
			}
		}
		return
	}
	if in := s.world.infos[b.Stage+"/"+b.Step]; in != nil {
		st := &s.state.Stages[in.at.Stage].Steps[in.at.Step]
		if st.Op < len(st.Ops) {
			if o, _ := s.world.of(st.Ops[st.Op].Ref); o.half && o.effect == nil {
				s.world.tidy(o, st.Ops[st.Op].Ref)
			}
		}
	}
}

// whim is what a person may ask for at a bad moment; it may be refused.
func (s *sim) whim() error {
	who := s.who()
	stage := s.c.Plan.Stages[s.d.below(len(s.c.Plan.Stages))].ID
	step := s.anyStep()
	return s.ask(pick[run.Body](s.d,
		&run.PauseRequested{Who: who}, &run.PauseRequested{Who: who}, &run.PauseRequested{Who: who},
		&run.ResumeRequested{Who: who}, &run.CancelRequested{Who: who},
		&run.RollbackRequested{Who: who, Partly: s.d.oneIn(2)},
		&run.RollbackRequested{Who: who, Stage: stage, Partly: s.d.oneIn(2)}, &run.AbortRequested{Who: who},
		&run.UntilRequested{Who: who, Stage: stage}, &run.UntilRequested{Who: who},
		&run.RetryRequested{Who: who}, &run.RetryRequested{Who: who, Stage: step.stage, Step: step.step.ID},
		&run.ReleaseRequested{Who: who, Stage: step.stage, Step: step.step.ID},
		&run.ReleaseRequested{Who: who, Stage: step.stage, Step: "silence"},
		&run.ReleaseRequested{Who: who, Stage: step.stage, Step: "quiet-db0"},
	))
}

func (s *sim) anyStep() *info {
	st := &s.c.Plan.Stages[s.d.below(len(s.c.Plan.Stages))]
	for i := 0; len(st.Steps) == 0; i++ { // A case that is made smaller may have such a stage.
		st = &s.c.Plan.Stages[i]
	}
	return s.world.infos[st.ID+"/"+st.Steps[s.d.below(len(st.Steps))].ID]
}

// ask appends what a person asks for, if it is possible.
func (s *sim) ask(b run.Body) error {
	var before []byte
	if s.d.oneIn(8) {
		before = s.asJSON()
	}
	err := s.append(b)
	switch {
	case err == nil:
		return s.sync()
	case errors.Is(err, run.ErrRefused):
		s.stats.Refused++
	default:
		return keep(err, &BreachError{"refused", fmt.Sprintf("%T is not refused but: %v", b, err)})
	}
	if before != nil {
		if string(s.asJSON()) != string(before) {
			return breachf("refused", "%T was refused and changed the state", b)
		}
	}
	return nil
}

// nonsense must be refused, whenever it comes.
func (s *sim) nonsense() error {
	who := s.who()
	st := &s.c.Plan.Stages[s.d.below(len(s.c.Plan.Stages))]
	facts := s.state.Stages[s.state.Stage].Facts
	gate := run.GateRef{Stage: st.ID, Name: "approval"}
	if len(st.Gates) > 0 {
		gate.Name = st.Gates[s.d.below(len(st.Gates))].Name
	}
	step := s.anyStep()
	op := run.Ref{What: run.Do, Stage: step.stage, Step: step.step.ID}
	body := pick[run.Body](s.d,
		&run.Approved{Who: who, Gate: gate, Digest: "sha256:other", Facts: facts},
		&run.Approved{Who: who, Gate: gate, Digest: st.Digest, Facts: "sha256:old"},
		&run.Approved{Who: run.Who{Reason: "nobody"}, Gate: gate, Digest: st.Digest, Facts: facts},
		&run.Accepted{Who: who, Name: "risk/token-loss", Expires: "2020-01-01"},
		&run.Accepted{Who: run.Who{By: "ada"}, Name: "risk/token-loss", Expires: "2999-01-01"},
		&run.Accepted{Who: who, Name: "no/such", Expires: "2999-01-01"},
		&run.RollbackApproved{Who: who, Digest: "sha256:other"},
		&run.RollbackRequested{Who: who, Stage: "s9"},
		&run.RetryRequested{Who: who, Stage: step.stage, Step: "no-such"},
		&run.ReleaseRequested{Who: who, Stage: step.stage, Step: "no-such"},
		&run.Settled{Who: run.Who{By: "ada"}, Op: op, Verdict: "done"},
		&run.Settled{Who: who, Op: op, Verdict: "maybe"},
	)
	if err := s.append(body); err == nil {
		return breachf("refused", "%T was not refused: %+v", body, body)
	} else if v := (*BreachError)(nil); errors.As(err, &v) {
		return err
	}
	s.stats.Refused++
	return nil
}

func (s *sim) asJSON() []byte {
	data, err := json.Marshal(s.state)
	if err != nil {
		return []byte(err.Error())
	}
	return data
}
