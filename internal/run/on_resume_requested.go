package run

func (s *State) onResumeRequested(*ResumeRequested) error {
	if !s.Paused {
		return refused("the run is not paused")
	}
	s.Paused, s.Reason = false, ""
	s.lookAgain()
	return nil
}
