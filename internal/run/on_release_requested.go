package run

func (s *State) onReleaseRequested(e *ReleaseRequested) error {
	at, err := s.place(e.Stage, e.Step)
	if err != nil {
		return refused("stage %q has no step %q", e.Stage, e.Step)
	}
	if err := s.mayRelease(at); err != nil {
		return err
	}
	st, _ := s.stepAt(at)
	st.Lease.Wanted = true
	s.beginRelease(at) // A person may release out of turn.
	return nil
}

// mayRelease says why a lease cannot be given back on request now, or nil.
func (s *State) mayRelease(at Place) error {
	st, step := s.stepAt(at)
	id := s.ix.stages[at.Stage].id
	switch {
	case st.Lease == nil || !st.Lease.Held:
		return refused("step %q of stage %q holds no lease", step.ID, id)
	case s.Back != nil && !s.Status.Final():
		return refused("the run is being rolled back, which releases the leases too")
	case st.Status == StepRunning || st.Status == StepInDoubt || st.Status == StepWaiting:
		return refused("step %q of stage %q is %s: let it end first", step.ID, id, st.Status)
	case st.givingBack():
		return refused("the lease of step %q is being released already", step.ID)
	case s.Paused:
		return refused("the run is paused: resume it first")
	case s.releasing():
		return refused("another lease is being released: try again when it has ended")
	case len(step.Quiesces) > 0 && !s.Status.Final() && !s.stranded() && !s.due(at):
		return refused("the stage goes on behind the quiesce %q: cancel the run or roll it back", step.ID)
	case s.resourceTaken(at):
		return refused("another step uses resource %q: try again when it has ended", step.Resource)
	}
	return nil
}
