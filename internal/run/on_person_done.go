package run

// onPersonDone records that the work was done, with its evidence. Where the
// plan names what must be true then, the facts are checked again. In a rollback it
// tells that the work was taken back.
func (s *State) onPersonDone(e *PersonDone) error {
	if op := s.awaited(e.Gate); op != nil {
		return s.undoneByHand(op, e.Who, false)
	}
	g, at, err := s.gate(e.Gate)
	if err != nil {
		return gone(err)
	}
	if err := g.admits(e.Who, WaitPerson); err != nil {
		return err
	}
	if err := s.mayPass(e.Gate); err != nil {
		return err
	}
	st := &s.Stages[s.Stage]
	g.Evidence = e.Evidence
	if !g.vote(e.By) {
		return nil
	}
	s.passed(at, e.Gate)
	if g.Recheck && e.Gate.Step == "" {
		st.Part = PartChecking
		st.Checks++
	}
	return nil
}
