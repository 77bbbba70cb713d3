package run

import "time"

func (s *State) onRetryRequested(e *RetryRequested) error {
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case s.Back != nil && s.Back.Stopped:
		s.Back.Stopped = false
		s.Back.Items[s.Back.Next].Failures = 0
		s.Back.Items[s.Back.Next].observe()
		return nil
	case s.Back != nil || s.Cancelling || s.Aborting:
		return refused("the run is ending")
	case e.Step == "":
		return s.retryStage()
	}
	at, err := s.place(e.Stage, e.Step)
	if err != nil {
		return refused("stage %q has no step %q", e.Stage, e.Step)
	}
	st, _ := s.stepAt(at)
	if at.Stage != s.Stage || s.Stages[s.Stage].Part != PartWorking || st.Status != StepFailed {
		return refused("step %q of stage %q is %s", e.Step, e.Stage, st.Status)
	}
	if id := s.lostQuiesce(); id != "" {
		return refused("lease %q was given back after the failure, and the backups of the stage are older than that: "+
			"roll back, or start a new run", id)
	}
	s.takeAgain()
	s.retryStep(at)
	return nil
}

func (s *State) retryStage() error {
	st := &s.Stages[s.Stage]
	if a := st.Asking; a != nil && !st.checking() && st.Part == PartChecking {
		a.Next = time.Time{}
		return nil
	}
	if st.Part != PartGated {
		return refused("stage %q does not wait for its check: name a step", s.ix.stages[s.Stage].id)
	}
	for i := range st.Gates {
		st.Gates[i].Rejected = ""
	}
	st.Part = PartChecking
	st.Checks++
	return nil
}

// retryStep lets a failed step go on where it stands, and those that were
// skipped because of it.
func (s *State) retryStep(at Place) {
	stage := &s.Stages[at.Stage]
	for j := range stage.Steps {
		if stage.Steps[j].Status == StepSkipped && stage.Steps[j].Reason == "NeedFailed" {
			stage.Steps[j] = stage.Steps[j].fresh()
		}
	}
	st := &stage.Steps[at.Step]
	if st.Op >= len(st.Ops) || st.Ops[st.Op].Life == Asleep {
		*st = st.fresh()
		return
	}
	op := &st.Ops[st.Op]
	op.Failures, op.Unclear = 0, false
	st.Gate = nil
	st.Status, st.Reason, st.Message = StepRunning, "", ""
	op.observe()
}

// takeAgain lets leases that were given back because of the failure be taken
// again.
func (s *State) takeAgain() {
	stage := &s.Stages[s.Stage]
	for j := range stage.Steps {
		if s.givenUp(Place{s.Stage, j}) {
			old := stage.Steps[j].Lease.Op
			stage.Steps[j] = stage.Steps[j].fresh()
			stage.Steps[j].Lease = &LeaseState{Op: Operation{Turn: old.Turn, Attempt: old.Attempt}}
		}
	}
}

// lostQuiesce names a quiesce that was given back because of the failure. It
// is not taken again: what was written since is in no backup.
func (s *State) lostQuiesce() string {
	v := &s.ix.stages[s.Stage]
	for j := range v.steps {
		if s.givenUp(Place{s.Stage, j}) && len(v.steps[j].Quiesces) > 0 {
			return v.steps[j].ID
		}
	}
	return ""
}

// givenUp tells whether a lease of a step was released before its time.
func (s *State) givenUp(at Place) bool {
	st, step := s.stepAt(at)
	l := st.Lease
	if l == nil || l.Held || l.Taken || st.Status != StepSucceeded || l.Op.Life != Done {
		return false
	}
	return step.Lease.Until != "steps" || !s.served(at)
}
