package run

func (s *State) onPauseRequested(e *PauseRequested) error {
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case s.Paused:
		return refused("the run is paused already")
	case s.Back != nil || s.Cancelling || s.Aborting:
		return refused("the way back is not paused")
	}
	s.Paused, s.Reason = true, orElse(e.Reason, "Requested")
	return nil
}
