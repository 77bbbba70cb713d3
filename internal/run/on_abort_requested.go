package run

// onAbortRequested takes the author's way back to service, also when a rollback
// has stopped.
func (s *State) onAbortRequested(e *AbortRequested) error {
	if err := s.mayAbort(); err != nil {
		return err
	}
	if s.Back != nil {
		s.giveUpBack()
	}
	s.Back = nil
	s.Reason = orElse(e.Reason, "Requested")
	s.abort()
	return nil
}

// mayAbort says why the author's way back cannot be taken now, or nil.
func (s *State) mayAbort() error {
	v := &s.ix.stages[s.Stage]
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case v.abort || s.Aborting:
		return refused("the way back was taken already")
	case s.Cancelling:
		return refused("the run is being cancelled")
	case v.plan.Abort == nil:
		return refused("stage %q has no way back of its author", v.id)
	case s.Back != nil && !s.Back.Stopped:
		return refused("the run is being rolled back")
	case !s.begun(s.Stage):
		return refused("nothing of stage %q was started: cancel the run", v.id)
	}
	return nil
}

// abort lets what is under way end; the author's way back follows.
func (s *State) abort() {
	s.Aborting, s.Paused = true, false
	s.settleDown()
}

// begun tells whether a step of the stage was started.
func (s *State) begun(stage int) bool {
	for _, at := range s.Order {
		if at.Stage == stage {
			return true
		}
	}
	return false
}
