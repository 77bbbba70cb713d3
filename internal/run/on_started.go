package run

import "github.com/refitproject/refit/internal/plan"

func (s *State) onStarted(e *Started) error {
	if e.Digest != s.Digest {
		return invalid("the run starts plan %s, the state belongs to plan %s", e.Digest, s.Digest)
	}
	if e.Parallel < 1 {
		return invalid("parallel is %d, needs at least 1", e.Parallel)
	}
	s.Status = Running
	s.Owner, s.Epoch, s.Parallel = e.Owner, e.Epoch, e.Parallel
	for _, f := range s.ix.plan.Findings {
		// A finding about a step blocks its stage, as the plan was made with it.
		s.Findings = append(s.Findings, plan.Finding{
			Name: f.Name, Stage: f.Stage, Outcome: f.Outcome, Reason: f.Reason, Message: f.Message, Remedy: f.Remedy,
			Accepted: f.Accepted,
		})
	}
	return nil
}
