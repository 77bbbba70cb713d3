package sim

import (
	"encoding/json"

	"github.com/refitproject/refit/internal/run"
)

// untimely lets a person ask for what the state would allow and nobody names: at
// a gate of a run that is paused, of an operation that cannot be asked about, while
// the run stands before a stage. It may be refused.
func (s *sim) untimely() error {
	if list := s.passes(); s.state.Paused && len(list) > 0 && s.d.oneIn(2) {
		return s.ask(list[s.d.below(len(list))])
	}
	switch s.d.below(8) {
	case 0, 1:
		return s.replan()
	case 2:
		return s.until()
	case 3:
		return s.ask(&run.ProbeChanged{
			Probe: "hub", Component: "web", Up: s.d.oneIn(2), Since: s.clock(), Unmeasured: s.d.oneIn(4),
		})
	}
	list := s.asks()
	if len(list) == 0 {
		return s.replan()
	}
	b := list[s.d.below(len(list))]
	if settled, ok := b.(*run.Settled); ok {
		s.look(settled)
	}
	return s.ask(b)
}

// until moves the stage before which the run stops: mostly to the next one.
func (s *sim) until() error {
	stages := s.c.Plan.Stages
	e := &run.UntilRequested{Who: s.who()}
	if next := s.state.Stage + 1; next < len(stages) && !s.d.oneIn(4) {
		e.Stage = stages[next+s.d.below(len(stages)-next)].ID
	}
	return s.ask(e)
}

// asks are what a person can ask for now.
func (s *sim) asks() []run.Body {
	list := append(s.passes(), s.mends()...)
	list = append(list, &run.ResumeRequested{Who: s.who()}, &run.RetryRequested{Who: s.who()})
	if s.d.oneIn(3) {
		list = append(list, &run.PauseRequested{Who: s.who()})
	}
	// These end the run, sooner or later: rarely, but often enough between stages,
	// in a pause and while a rollback waits for its approval.
	st := &s.state
	if st.Back != nil || st.Paused || st.Stages[st.Stage].Part == run.PartAhead || s.d.oneIn(16) {
		to := s.c.Plan.Stages[s.d.below(len(s.c.Plan.Stages))].ID
		list = append(list, pick[run.Body](s.d,
			&run.RollbackRequested{Who: s.who(), Stage: to, Partly: s.d.oneIn(2)},
			&run.CancelRequested{Who: s.who()}, &run.AbortRequested{Who: s.who()}))
	}
	return list
}

// passes let pass what waits at gates, and what blocks.
func (s *sim) passes() []run.Body {
	var list []run.Body
	for _, g := range s.state.Gates() {
		list = append(list,
			&run.Approved{Who: s.who(), Gate: g.Gate, Digest: g.Digest, Facts: g.Facts, Selection: g.Terms.Selection},
			&run.PersonDone{Who: s.who(), Gate: g.Gate, Evidence: json.RawMessage(`"seen"`)})
		if s.d.oneIn(3) {
			list = append(list, &run.Rejected{Who: s.who(), Gate: g.Gate})
		}
	}
	for i := range s.state.Findings {
		if f := &s.state.Findings[i]; f.Blocks() {
			list = append(list, &run.Accepted{Who: s.who(), Name: f.Name, Expires: "2999-01-01"})
		}
	}
	return list
}

// mends are about operations in doubt, leases that are held and steps that have
// failed.
func (s *sim) mends() []run.Body {
	st := &s.state
	ids := st.StageIDs()
	var list []run.Body
	for op := range st.Operations() {
		if op.Life == run.InDoubt || op.Life == run.Asking && op.Attempted {
			list = append(list, &run.Settled{Who: s.who(), Op: op.Ref, Verdict: run.VerdictNotDone})
		}
	}
	for _, at := range st.Order {
		if step, p := st.StepAt(at); step.Lease != nil && step.Lease.Held {
			list = append(list, &run.ReleaseRequested{Who: s.who(), Stage: ids[at.Stage], Step: p.ID})
		}
	}
	for k := range st.Stages[st.Stage].Steps {
		if step, p := st.StepAt(run.Place{Stage: st.Stage, Step: k}); step.Status == run.StepFailed {
			list = append(list, &run.RetryRequested{Who: s.who(), Stage: ids[st.Stage], Step: p.ID})
		}
	}
	return list
}
