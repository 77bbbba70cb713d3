package run

import "github.com/refitproject/refit/internal/plan"

func (s *State) onStarted(e *Started) error {
	if e.Digest != s.Digest {
		return invalid("the run starts plan %s, the state belongs to plan %s", e.Digest, s.Digest)
	}
	if e.Parallel < 1 {
		return invalid("parallel is %d, needs at least 1", e.Parallel)
	}
	if i, ok := s.ix.byID[e.Until]; e.Until != "" && (!ok || i >= len(s.ix.plan.Stages)) {
		return invalid("the run stops before stage %q, which the plan does not have", e.Until)
	}
	s.Status = Running
	s.Owner, s.Epoch, s.Parallel = e.Owner, e.Epoch, e.Parallel
	s.Until = e.Until
	for i := range s.ix.plan.Findings {
		s.Findings = append(s.Findings, ofStage(s.ix.plan.Findings[i]))
	}
	return nil
}

// ofStage returns a finding of the plan as one about its stage: one about a
// step blocks all of it, as the plan was made with it.
func ofStage(f plan.Finding) plan.Finding {
	f.Step = ""
	return f
}
