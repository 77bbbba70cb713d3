package run

// onResumeRequested ends a pause, or a stop before a stage.
func (s *State) onResumeRequested(*ResumeRequested) error {
	if !s.Paused && s.stopped() && !s.ending() {
		s.goOn()
		return nil
	}
	if !s.Paused {
		return refused("the run is not paused")
	}
	s.Paused, s.Reason = false, ""
	s.lookAgain()
	return nil
}
