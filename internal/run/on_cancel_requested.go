package run

// onCancelRequested ends the run before its next step. A rollback that has
// stopped is given up, with what remains written down.
func (s *State) onCancelRequested(e *CancelRequested) error {
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case s.Cancelling:
		return refused("the run is being cancelled already")
	case s.Back != nil && s.Back.Stopped:
		s.giveUpBack()
		s.end(PartlyRolledBack, orElse(e.Reason, "GivenUp"))
		return nil
	case s.Back != nil && s.Back.Built && s.Back.Next == 0 && s.Back.waiting():
		s.Back = nil
	case s.Back != nil:
		return refused("the run is being rolled back")
	}
	s.Cancelling, s.Aborting, s.Paused = true, false, false
	s.Reason = orElse(e.Reason, "Requested")
	s.settleDown()
	return nil
}
