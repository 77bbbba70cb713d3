package run

import (
	"time"

	"github.com/refitproject/refit/internal/plan"
)

func (s *State) onStageChecked(e *StageChecked) error {
	if e.Back {
		return s.backChecked(e)
	}
	i, ok := s.ix.byID[e.Stage]
	if !ok {
		return s.unknown("the plan has no stage %q", e.Stage)
	}
	st := &s.Stages[i]
	if i != s.Stage || s.ending() || !st.checking() || e.Turn != st.Checks {
		return ErrStale
	}
	s.expireAccepted(e.Stage)
	for _, f := range e.Findings {
		f.Stage, f.Step = e.Stage, ""
		s.find(f)
	}
	if e.Facts != st.Facts {
		for g := range st.Gates {
			if st.Gates[g].Kind == WaitApproval {
				st.Gates[g].By, st.Gates[g].Passed = nil, false
			}
		}
	}
	st.Facts, st.Changed, st.Asking = e.Facts, e.Changed, nil
	st.Part = PartGated
	return nil
}

// expireAccepted lets the findings of a stage block again whose acceptance has
// expired.
func (s *State) expireAccepted(stage string) {
	for i := range s.Findings {
		f := &s.Findings[i]
		a := f.Accepted
		if a == nil || f.Stage != stage && f.Stage != "" || a.Expires >= s.At.Format(time.DateOnly) {
			continue
		}
		f.Accepted = nil
		*f = plan.Accept{Name: f.Name, Reason: a.Reason, By: a.By, Expires: a.Expires}.LetPass(*f, s.At)
	}
}
