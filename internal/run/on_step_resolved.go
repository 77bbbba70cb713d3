package run

import (
	"encoding/json"
	"fmt"
)

func (s *State) onStepResolved(e *StepResolved) error {
	at, err := s.place(e.Stage, e.Step)
	if err != nil {
		return err
	}
	st, step := s.stepAt(at)
	if !st.Resolving || e.Turn != st.Resolved {
		return ErrStale
	}
	if e.Error == "" && e.Skip == "" && step.Gate != "" && e.Terms == nil {
		return invalid("step %q of stage %q is a gate and has no terms", e.Step, e.Stage)
	}
	defer s.touch(at)
	st.Resolving = false
	st.Resolved++
	switch {
	case s.Cancelling || s.Back != nil || s.Aborting:
		st.Status = StepPending
	case e.Error != "":
		s.failStep(at, "NotResolved", e.Error)
	case step.ForEach != nil && len(e.Members) > step.ForEach.Max:
		s.failStep(at, "TooManyMembers",
			fmt.Sprintf("it has %d members, the plan allows %d: make a new plan", len(e.Members), step.ForEach.Max))
	case e.Skip != "":
		s.endStep(at, StepSkipped, "Skipped", e.Skip)
	case step.Gate != "":
		st.Gate = &GateState{Terms: *e.Terms, With: e.With, Turn: st.Earlier.Turn}
		st.Status, st.Wait = StepWaiting, e.Terms.Kind
	default:
		s.beginOperations(at, e.With, e.Members)
	}
	return nil
}

// beginOperations makes the operations of a resolved step and begins the first.
func (s *State) beginOperations(at Place, with json.RawMessage, members []Member) {
	st, step := s.stepAt(at)
	if step.ForEach == nil {
		op := s.newOperation(at, Do, "", "")
		op.With = with
		if step.Remedy == nil {
			st.Ops = nil
		}
		st.Op = len(st.Ops)
		st.Ops = st.usedAgain(op)
	} else {
		st.Op, st.Ops = 0, nil
		for _, m := range members {
			op := s.newOperation(at, Do, m.Key, "")
			op.With = m.With
			st.Ops = append(st.Ops, op)
		}
	}
	for i := st.Op; i < len(st.Ops); i++ {
		st.Ops[i].Turn, st.Ops[i].Attempt = st.Earlier.Turn, st.Earlier.Attempt
	}
	if len(st.Ops) == 0 {
		s.endStep(at, StepSucceeded, "", "")
		return
	}
	if step.ForEach != nil && step.ForEach.Approve {
		list := listed(members)
		st.Gate = &GateState{Terms: approvalOf(list)}
		st.Status, st.Wait = StepWaiting, WaitApproval
		return
	}
	st.Status = StepRunning
	st.Ops[st.Op].wake(s.At)
}
