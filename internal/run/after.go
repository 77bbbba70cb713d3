package run

import (
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// after brings what stands around an operation in line with it.
func (s *State) after(f spot) {
	f.op.count(s.At)
	switch {
	case f.op == s.backItem():
		s.afterBack(f)
	case f.op.What == Release:
		s.afterRelease(f.at)
	default:
		s.afterDo(f)
	}
}

func (s *State) afterDo(f spot) {
	defer s.touch(f.at)
	st, op := f.state, f.op
	s.unhold(st)
	switch op.Life {
	case Asking:
		st.Status, st.Wait, st.Message = StepWaiting, op.Cause, op.Message
	case InDoubt:
		st.Status, st.Reason, st.Message = StepInDoubt, op.Reason, op.Message
	case Broken:
		s.failStep(f.at, op.Reason, op.Message)
	case Dropped:
		s.endStep(f.at, StepCancelled, "", "")
	case Done:
		if st.Op+1 == len(st.Ops) {
			s.endStep(f.at, StepSucceeded, "", "")
			return
		}
		st.Op++
		st.Status = StepRunning
		st.Ops[st.Op].wake(s.At)
	case Asleep, Observing, Starting, Active, Polling, Resting, Matching, Mending, Awaiting:
		if g := st.Gate; g != nil && !g.Passed && op.Life == Starting {
			st.Status, st.Wait, st.Reason, st.Message = StepWaiting, g.Kind, "", ""
			return
		}
		if s.behindChecks(f.at) {
			s.putBack(f.at)
			return
		}
		st.Status, st.Wait, st.Reason, st.Message = StepRunning, "", "", ""
	}
}

// unhold lets go of a lease that turned out not to have been taken.
func (s *State) unhold(st *StepState) {
	if st.Lease == nil || !st.Lease.Held {
		return
	}
	for i := range st.Ops {
		if st.Ops[i].happened() {
			return
		}
	}
	st.Lease.Held = false
	s.Held--
}

// endStep ends a step; failures go through failStep.
func (s *State) endStep(at Place, status StepStatus, reason, message string) {
	st, step := s.stepAt(at)
	st.Status, st.Wait, st.Reason, st.Message = status, "", reason, message
	st.Ended = s.At
	s.touch(at)
	if step.Remedy != nil && s.Stages[at.Stage].Part == PartWorking {
		s.mended(at, status)
	}
	if status == StepSucceeded && step.Effect == "readOnly" && len(s.Findings) > 0 {
		name, stage := findingName(step), s.ix.stages[at.Stage].id
		s.Findings = slices.DeleteFunc(s.Findings, func(f plan.Finding) bool {
			return f.Name == name && f.Stage == stage
		})
	}
}

// failStep ends a step badly. A check makes a finding that can be accepted; a
// gate does not, as nobody can accept what somebody refused.
func (s *State) failStep(at Place, reason, message string) {
	s.endStep(at, StepFailed, reason, message)
	_, step := s.stepAt(at)
	if step.Effect != "readOnly" || step.Gate != "" {
		return
	}
	outcome := plan.Fail
	if reason == "Unknown" {
		outcome = plan.UnknownOutcome
	}
	s.find(plan.Finding{
		Name: findingName(step), Stage: s.ix.stages[at.Stage].id, Step: step.ID, Outcome: outcome,
		Reason: reason, Message: message,
	})
}

// findingName is what the failure of a check is accepted by.
func findingName(step *plan.Step) string {
	var b strings.Builder
	b.WriteString(string(step.Phase))
	b.WriteByte('/')
	b.WriteString(step.ID)
	return b.String()
}

// tolerated tells whether a failed step holds up nothing but those that need
// it: its finding was accepted, or the plan says to continue.
func (s *State) tolerated(at Place) bool {
	_, step := s.stepAt(at)
	return s.accepted(at) || step.Remedy != nil || step.OnFailure == "continue" && step.Phase != plan.Preflight
}

// accepted tells whether a person let the failure of a check pass.
func (s *State) accepted(at Place) bool {
	_, step := s.stepAt(at)
	if step.Effect != "readOnly" {
		return false
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		if f.Step == step.ID && f.Stage == s.ix.stages[at.Stage].id {
			return f.Accepted != nil
		}
	}
	return false
}

// over tells whether nothing waits for the step any more.
func (s *State) over(at Place) bool {
	switch s.Stages[at.Stage].Steps[at.Step].Status {
	case StepSucceeded, StepSkipped, StepCancelled, StepUndone:
		return true
	case StepFailed:
		return s.tolerated(at)
	case StepPending, StepReady, StepRunning, StepInDoubt, StepWaiting, StepUndoing:
		return false
	}
	return false
}
