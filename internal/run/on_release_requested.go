package run

func (s *State) onReleaseRequested(e *ReleaseRequested) error {
	at, err := s.place(e.Stage, e.Step)
	if err != nil {
		return refused("stage %q has no step %q", e.Stage, e.Step)
	}
	st, _ := s.stepAt(at)
	switch {
	case st.Lease == nil || !st.Lease.Held:
		return refused("step %q of stage %q holds no lease", e.Step, e.Stage)
	case s.Back != nil && !s.Status.Final():
		return refused("the run is being rolled back, which releases the leases too")
	case st.Status == StepRunning || st.Status == StepInDoubt || st.Status == StepWaiting:
		return refused("step %q of stage %q is %s: let it end first", e.Step, e.Stage, st.Status)
	case st.Lease.Op.flying() || st.Lease.Op.Life == InDoubt:
		return refused("the lease of step %q is being released already", e.Step)
	case s.Paused:
		return refused("the run is paused: resume it first")
	case s.releasing():
		return refused("another lease is being released: try again when it has ended")
	}
	st.Lease.Wanted = true
	s.beginRelease(at) // A person may release out of turn.
	return nil
}
