package run

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
	if e.Digest != v.plan.Digest || e.Facts != st.Facts || st.Part == PartChecking {
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

// gone tells a person that the gate does not wait.
func gone(err error) error {
	if err == ErrStale { //nolint:errorlint // The lookup returns the value itself.
		return refused("the gate does not wait now")
	}
	return err
}
