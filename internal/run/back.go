package run

import (
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// Back is a rollback: what was asked for, and what has to be done, derived from
// what really happened.
type Back struct {
	// To is the stage to whose start the run goes back.
	To int `json:"to"`
	// Partly permits to stop at a point of no return.
	Partly bool `json:"partly,omitempty"`
	// Built is set once nothing is under way and Items are known. They are
	// done one after the other; Next is the current one.
	Built bool        `json:"built,omitempty"`
	Items []Operation `json:"items,omitempty"`
	Next  int         `json:"next,omitempty"`
	// Restores asks for an approval: what was written since the backup is lost.
	Restores   bool   `json:"restores,omitempty"`
	ApprovedBy string `json:"approvedBy,omitempty"`
	// Stopped is set when an item failed; a person decides.
	Stopped bool `json:"stopped,omitempty"`
	// Remainder is what stays done, behind a point of no return.
	Remainder []Place `json:"remainder,omitempty"`
}

// waiting tells whether the rollback waits for its approval.
func (b *Back) waiting() bool { return b.Built && b.Restores && b.ApprovedBy == "" }

// goBack begins a rollback to the start of a stage.
func (s *State) goBack(to int, partly bool) {
	s.Back = &Back{To: to, Partly: partly}
	s.Paused = false
	for _, at := range s.Order {
		if st, _ := s.stepAt(at); st.Lease != nil && st.Lease.Op.flying() && !st.Lease.Op.Attempted {
			st.Lease.Op.Life = Asleep // The lease is still needed.
		}
	}
	s.settleDown()
}

// giveUpBack keeps the numbers of what a rollback has begun, so that late answers
// to it are not taken for answers to later releases.
func (s *State) giveUpBack() {
	for i := range s.Back.Items {
		item := &s.Back.Items[i]
		if item.What != Release {
			continue
		}
		if at, err := s.place(item.Stage, item.Step); err == nil {
			op := &s.Stages[at.Stage].Steps[at.Step].Lease.Op
			op.Turn, op.Attempt = max(op.Turn, item.Turn), max(op.Attempt, item.Attempt)
		}
	}
}

// noWayBack tells whether a point of no return was crossed since the start of a
// stage.
func (s *State) noWayBack(to int) bool {
	_, crossed := s.pointOfNoReturn(to)
	return crossed
}

// pointOfNoReturn finds the last step, since the start of a stage, that
// happened and cannot be taken back.
func (s *State) pointOfNoReturn(to int) (Place, bool) {
	for _, at := range slices.Backward(s.Order) {
		if at.Stage >= to && s.stepHappened(at) && s.oneWay(at) {
			return at, true
		}
	}
	return Place{}, false
}

// stepHappened tells whether a step changed the world, or may have, and was
// not taken back.
func (s *State) stepHappened(at Place) bool {
	st, _ := s.stepAt(at)
	return st.Status != StepUndone && s.doneByHand(at) ||
		st.Status != StepUndone && slices.ContainsFunc(st.Ops, func(o Operation) bool { return o.happened() })
}

// oneWay tells whether a step cannot be taken back: the plan says so, or no
// backup covers what it changes.
func (s *State) oneWay(at Place) bool {
	_, step := s.stepAt(at)
	switch step.Reversible {
	case plan.ReversibleNo:
		return true
	case plan.ReversibleRestore:
		return slices.ContainsFunc(step.Changes, func(c string) bool {
			_, ok := s.covering(at.Stage, c)
			return !ok && s.stateful(at.Stage, c)
		})
	case plan.ReversibleNone, plan.ReversibleUndo:
	}
	return false
}

// stateful tells whether the plan speaks of backups of a component.
func (s *State) stateful(stage int, component string) bool {
	return slices.ContainsFunc(s.ix.stages[stage].plan.Coverage, func(c plan.Coverage) bool {
		return c.Component == component
	})
}

// covering finds the backup steps of a component. It is false when one of them
// has not really been done.
func (s *State) covering(stage int, component string) ([]Place, bool) {
	v := &s.ix.stages[stage]
	var backups []Place
	for _, c := range v.plan.Coverage {
		if c.Component != component {
			continue
		}
		for _, id := range c.Backups {
			j, ok := v.byID[id]
			switch {
			case ok && s.Stages[stage].Steps[j].Status == StepSucceeded:
				backups = append(backups, Place{stage, j})
			case !ok || s.Stages[stage].Steps[j].Status != StepSkipped:
				return nil, false
			}
		}
	}
	return backups, len(backups) > 0
}

// followBack carries on a rollback.
func (s *State) followBack() bool {
	b := s.Back
	switch {
	case !b.Built:
		if !s.quiet() {
			return false
		}
		if s.noWayBack(b.To) && !b.Partly {
			// What was in flight has crossed the point of no return meanwhile.
			b.Partly = true
		}
		s.buildBack()
		return true
	case b.Stopped || b.waiting():
		return false
	case b.Next == len(b.Items):
		if len(b.Remainder) > 0 {
			s.end(PartlyRolledBack, "PointOfNoReturn")
		} else {
			s.end(RolledBack, "")
		}
		return false
	}
	op := &b.Items[b.Next]
	if op.Life != Asleep {
		return false
	}
	if at, err := s.place(op.Stage, op.Step); err == nil && op.What == Undo && s.byHand(at) {
		s.undoByHand(op, at)
	} else {
		op.wake(s.At)
	}
	if op.What == Undo || op.What == Release {
		if at, err := s.place(op.Stage, op.Step); err == nil {
			s.Stages[at.Stage].Steps[at.Step].Status = StepUndoing
			s.touch(at)
		}
	}
	return false
}

// afterBack brings the steps in line with an item of a rollback.
func (s *State) afterBack(f spot) {
	b := s.Back
	switch op := f.op; op.Life {
	case InDoubt:
		f.state.Reason, f.state.Message = op.Reason, op.Message
	case Done:
		s.backDone(f)
		b.Next++
	case Broken:
		if op.What == Release && op.Reason == "TargetChanged" {
			s.taken(f.at, f.step, op)
			s.backDone(f)
			b.Next++
			return
		}
		b.Stopped = true
		f.state.Reason, f.state.Message = op.Reason, op.Message
	case Active:
	case Asleep, Observing, Asking, Starting, Polling, Resting, Matching, Mending, Awaiting, Dropped:
	}
}

// backDone notes what an item of a rollback has brought about.
func (s *State) backDone(f spot) {
	b := s.Back
	switch f.op.What {
	case Undo:
		more := b.Next+1 < len(b.Items) && b.Items[b.Next+1].What == Undo && b.Items[b.Next+1].Step == f.op.Step &&
			b.Items[b.Next+1].Stage == f.op.Stage
		if !more {
			s.endStep(f.at, StepUndone, "", "")
		}
	case Release:
		s.endStep(f.at, StepUndone, "", "")
		if f.state.Lease.Held {
			f.state.Lease.Held = false
			s.Held--
		}
	case Retake:
		switch {
		case f.op.happened() && !f.state.Lease.Held:
			f.state.Lease.Held, f.state.Lease.Since = true, s.At
			s.Held++
		case !f.op.happened() && !f.state.Lease.Held:
			s.leaveToOthers(f.op)
		}
	case Do, Restore, Check:
	}
}

// leaveToOthers drops the release of a lease that was found as it is to be: somebody
// else has set it since it was given back, and it stays.
func (s *State) leaveToOthers(retake *Operation) {
	b := s.Back
	stage, step := retake.Stage, retake.Step
	for i := len(b.Items) - 1; i > b.Next; i-- {
		if o := &b.Items[i]; o.What == Release && o.Stage == stage && o.Step == step {
			b.Items = slices.Delete(b.Items, i, i+1)
		}
	}
}

// backChecked judges the facts at the end of a rollback.
func (s *State) backChecked(e *StageChecked) error {
	b := s.Back
	if b == nil || !b.Built || b.Next >= len(b.Items) {
		return ErrStale
	}
	op := &b.Items[b.Next]
	if op.What != Check || op.Stage != e.Stage || op.Life != Observing || op.Turn != e.Turn {
		return ErrStale
	}
	if len(e.Changed) == 0 {
		op.finish(nil, nil)
		b.Next++
		return nil
	}
	c := e.Changed[0]
	op.Life, op.Reason = Broken, "FactChanged"
	op.Message = c.Name + " is " + c.Got + ", before the stage it was " + c.Want
	b.Stopped = true
	return nil
}
