package run

func (s *State) onRollbackRequested(e *RollbackRequested) error {
	to := s.Stage % len(s.ix.plan.Stages)
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case s.Back != nil:
		return refused("the run is being rolled back already")
	case s.Cancelling:
		return refused("the run is being cancelled")
	case s.ix.stages[s.Stage].abort || s.Aborting:
		return refused("the author's way back was taken")
	}
	if e.Stage != "" {
		i, ok := s.ix.byID[e.Stage]
		if !ok || i > s.Stage {
			return refused("stage %q was not begun", e.Stage)
		}
		to = i
	}
	if at, crossed := s.pointOfNoReturn(to); crossed && !e.Partly {
		return refused("step %q of stage %q cannot be taken back: ask for a partial rollback, or abort",
			s.ix.stages[at.Stage].steps[at.Step].ID, s.ix.stages[at.Stage].id)
	}
	s.Reason = orElse(e.Reason, "Requested")
	s.goBack(to, e.Partly)
	return nil
}
