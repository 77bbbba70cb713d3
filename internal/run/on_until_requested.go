package run

// onUntilRequested moves the stage before which the run stops.
func (s *State) onUntilRequested(e *UntilRequested) error {
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case s.Back != nil || s.Cancelling || s.Aborting || s.ix.stages[s.Stage].abort:
		return refused("the run is ending")
	case e.By == "":
		return refused("nobody is named")
	}
	if e.Stage != "" {
		i, ok := s.ix.byID[e.Stage]
		if !ok || i >= len(s.ix.plan.Stages) {
			return refused("the plan has no stage %q", e.Stage)
		}
		if i < s.Stage || s.Stages[i].Part != PartAhead {
			return refused("stage %q has begun already", e.Stage)
		}
	}
	s.goOn()
	s.Until = e.Stage
	return nil
}

// stopped tells whether the run stands before the stage until which it was to
// go.
func (s *State) stopped() bool {
	return s.Until != "" && s.Until == s.ix.stages[s.Stage].id && s.Stages[s.Stage].Part == PartAhead
}

// goOn ends a stop.
func (s *State) goOn() {
	if s.stopped() {
		s.Until, s.Reason = "", ""
	}
}
