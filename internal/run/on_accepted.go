package run

import (
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// onAccepted lets a finding pass. Where nothing goes on any more it would say
// yes to nothing.
func (s *State) onAccepted(e *Accepted) error {
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case s.ending():
		return refused("the run is ending")
	}
	if e.By == "" || e.Reason == "" {
		return refused("accepting %q needs a person and a reason", e.Name)
	}
	if _, err := time.Parse(time.DateOnly, e.Expires); err != nil {
		return refused("accepting %q needs the last day on which it counts, such as 2026-12-31", e.Name)
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		if f.Name != e.Name || !s.acceptable(f) {
			continue
		}
		got := plan.Accept{Name: e.Name, Reason: e.Reason, By: e.By, Expires: e.Expires}.LetPass(*f, s.At)
		if got.Accepted == nil {
			return refused("the acceptance of %q expired on %s", e.Name, e.Expires)
		}
		if s.resumes(f) {
			if err := s.mayGoOn(); err != nil {
				return err
			}
			s.takeAgain()
		}
		*f = got
		return nil
	}
	return refused("nothing that blocks is called %q", e.Name)
}

// resumes tells whether accepting a finding lets a stage go on that a failure
// has brought to a halt.
func (s *State) resumes(f *plan.Finding) bool {
	return f.Step != "" && s.Stages[s.Stage].Part == PartWorking && s.stuck()
}

// acceptable tells whether a finding blocks the current stage and can be
// accepted. A lease that could not be released has to be.
func (s *State) acceptable(f *plan.Finding) bool {
	return f.Blocks() && (f.Stage == "" || f.Stage == s.ix.stages[s.Stage].id) && f.Reason != "LeaseNotReleased"
}
