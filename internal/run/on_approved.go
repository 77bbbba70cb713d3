package run

import "errors"

// onApproved counts an approval for the digest of the stage and for the facts
// that it starts from; another digest is refused (I7).
func (s *State) onApproved(e *Approved) error {
	g, at, err := s.gate(e.Gate)
	if err != nil {
		return gone(err)
	}
	if err := g.admits(e.Who, WaitApproval); err != nil {
		return err
	}
	v, st := &s.ix.stages[s.Stage], &s.Stages[s.Stage]
	if err := s.mayPass(e.Gate); err != nil {
		return err
	}
	if e.Digest != v.plan.Digest || e.Facts != st.Facts {
		return refused("the approval is for stage digest %s with facts %s, now it is %s with facts %s",
			e.Digest, e.Facts, v.plan.Digest, st.Facts)
	}
	if e.Selection != g.Selection {
		return refused("the approval is for the list of members %q, now it is %q: look at it again",
			e.Selection, g.Selection)
	}
	if g.vote(e.By) {
		s.passed(at, e.Gate)
	}
	return nil
}

// mayPass refuses what a person says at a gate of a stage whose facts are not
// known yet, or are being checked.
func (s *State) mayPass(ref GateRef) error {
	switch st := &s.Stages[s.Stage]; {
	case ref.Step != "" || st.Part == PartGated:
		return nil
	case st.Part == PartAhead:
		return refused("stage %q was not begun: its gates do not wait yet", ref.Stage)
	case st.Part == PartChecking:
		return refused("the facts of stage %q are being checked: try again", ref.Stage)
	}
	return refused("the gate does not wait now")
}

// gone tells a person that the gate does not wait, or that there is none.
func gone(err error) error {
	switch {
	case errors.Is(err, ErrStale):
		return refused("the gate does not wait now")
	case errors.Is(err, ErrInvalidTransition):
		return refused("the plan has no such gate")
	}
	return err
}
