package run

import (
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// giveBack releases the leases that are due, the youngest first, one at a time.
// It tells whether a release is under way.
func (s *State) giveBack() bool {
	if s.releasing() {
		return true
	}
	if s.Held == 0 || s.Paused && s.Back == nil {
		return false
	}
	for _, at := range slices.Backward(s.current().leases) {
		st, _ := s.stepAt(at)
		l := st.Lease
		if l == nil || !l.Held || !s.due(at) {
			continue
		}
		if l.Op.Life != Asleep || s.resourceTaken(at) {
			return false // It failed or has to wait, and nothing is released out of turn.
		}
		s.beginRelease(at)
		return true
	}
	return false
}

func (s *State) beginRelease(at Place) {
	st, _ := s.stepAt(at)
	op := s.newOperation(at, Release, "", "")
	op.inherit(st)
	st.Lease.Op = op
	st.Lease.Op.wake(s.At)
}

// inherit takes over what the taking back of a step has to know of it. A
// restore is told what the backup handed back.
func (o *Operation) inherit(st *StepState) {
	if o.What == Release {
		o.Turn, o.Attempt = st.Lease.Op.Turn, st.Lease.Op.Attempt
	}
	for i := range st.Ops {
		switch {
		case st.Ops[i].Member != o.Member:
		case o.What == Restore:
			o.With, o.WithArtefact = st.Ops[i].Output, st.Ops[i].OutputArtefact
		default:
			o.With, o.Before, o.Acted = st.Ops[i].With, st.Ops[i].Before, st.Ops[i].Acted
		}
	}
}

// releasing tells whether a release is under way or in doubt.
func (s *State) releasing() bool {
	if s.Held == 0 {
		return false
	}
	for _, at := range s.current().leases {
		st, _ := s.stepAt(at)
		if st.givingBack() {
			return true
		}
	}
	return false
}

// givingBack tells whether the lease of a step is being released, or nobody knows
// whether it was.
func (st *StepState) givingBack() bool {
	return st.Lease != nil && (st.Lease.Op.flying() || st.Lease.Op.Life == InDoubt)
}

// stuckLease tells whether a lease that is due could not be released.
func (s *State) stuckLease() bool {
	for _, at := range s.current().leases {
		st, _ := s.stepAt(at)
		if l := st.Lease; l != nil && l.Held && l.Op.Life == Broken && s.due(at) {
			return true
		}
	}
	return false
}

// due tells whether the time of a lease has come. A step that is under way or
// in doubt keeps its own.
func (s *State) due(at Place) bool {
	st, step := s.stepAt(at)
	switch st.Status {
	case StepRunning, StepInDoubt, StepWaiting, StepUndoing:
		return false
	case StepPending, StepReady, StepSucceeded, StepFailed, StepSkipped, StepCancelled, StepUndone:
	}
	if st.Lease.Wanted && (len(step.Quiesces) == 0 || s.Status.Final() || s.stranded()) {
		return true // But not a quiesce whose release failed, behind which the stage goes on.
	}
	if step.Lease.OnFailure == "release" && (s.Cancelling || s.Back == nil && s.stranded()) {
		return true
	}
	part := s.Stages[s.Stage].Part
	switch step.Lease.Until {
	case "steps":
		return s.served(at) || part == PartReleasing
	case "stage":
		return part == PartReleasing
	default:
		return part == PartReleasing && (s.Stage == len(s.ix.plan.Stages)-1 || s.ix.stages[s.Stage].abort)
	}
}

// served tells whether all steps for which a lease was taken are over.
func (s *State) served(at Place) bool {
	_, step := s.stepAt(at)
	for _, id := range step.Lease.Steps {
		if j, ok := s.ix.stages[at.Stage].byID[id]; ok && !s.over(Place{at.Stage, j}) {
			return false
		}
	}
	return true
}

// afterRelease judges the end of a release.
func (s *State) afterRelease(at Place) {
	st, step := s.stepAt(at)
	op := &st.Lease.Op
	switch {
	case op.Life == Done:
	case op.Life == Broken && op.Reason == "TargetChanged", op.Life == Matching && op.Reason == "TargetChanged":
		s.taken(at, step, op)
	case op.Life == Broken:
		s.find(plan.Finding{
			Name: "lease/" + step.ID, Stage: op.Stage, Step: step.ID, Outcome: plan.Fail, Reason: "LeaseNotReleased",
			Message: op.Message, Remedy: "mend the cause, then release it",
		})
		return
	default:
		return
	}
	st.Lease.Held, st.Lease.Wanted = false, false
	s.Held--
}

// taken records that somebody else has changed what the lease had set: it is
// no longer ours to give back.
func (s *State) taken(at Place, step *plan.Step, op *Operation) {
	st, _ := s.stepAt(at)
	st.Lease.Taken = true
	op.Life = Dropped
	s.find(plan.Finding{
		Name: "lease/" + step.ID, Stage: op.Stage, Step: step.ID, Outcome: plan.Warn, Reason: "LeaseTaken",
		Message: orElse(op.Message, "the target no longer carries the value that was set; nothing was changed"),
		Remedy:  "look who changed it, and set what you want",
	})
}
