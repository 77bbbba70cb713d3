package run

import (
	"slices"
	"time"
)

func (s *State) onOperationStarted(e *OperationStarted) error {
	f, err := s.locate(e.Op)
	if err != nil {
		return err
	}
	if f.op.Life != Starting || e.Attempt != f.op.Attempt+1 || !s.mayStart(f, s.was) {
		return invalid("%s cannot start attempt %d now", e.Op.text(), e.Attempt)
	}
	if e.Key != f.op.Key {
		return invalid("%s has key %q, not %q", e.Op.text(), f.op.Key, e.Key)
	}
	f.op.timeAgain()
	f.op.start(s.At, f.rules, e.Before)
	f.op.count(s.At)
	if e.Op.What == Do {
		s.noteStart(f)
	}
	if f.step.Lease != nil && (e.Op.What == Do || e.Op.What == Retake) {
		s.hold(f.state)
	}
	return nil
}

// noteStart records the order of what really happens. A lease or a remedy that is
// taken a second time moves to the end.
func (s *State) noteStart(f spot) {
	if !f.state.Ordered || f.step.Remedy != nil && f.op != nil && f.op.Attempt == 1 {
		if f.state.Lease != nil || f.step.Remedy != nil {
			s.Order = slices.DeleteFunc(s.Order, func(at Place) bool { return at == f.at })
		}
		s.Order = append(s.Order, f.at)
		f.state.Ordered = true
		if f.step.Lease != nil {
			s.forget()
		}
	}
	s.Stages[f.at.Stage].Entered = s.Stages[f.at.Stage].Entered || s.ix.stages[f.at.Stage].phase[f.at.Step] > 0
}

// hold notes that a lease may be held from now on.
func (s *State) hold(st *StepState) {
	if st.Lease == nil {
		st.Lease = &LeaseState{}
	}
	if !st.Lease.Held {
		st.Lease.Held, st.Lease.Since = true, s.At
		// An earlier release is over: there will be another one.
		st.Lease.Op = Operation{Turn: st.Lease.Op.Turn, Attempt: st.Lease.Op.Attempt}
		s.Held++
	}
}

// mayStart tells whether an observed operation may change the world now. What
// let its step begin is asked again: since then it may have waited for long, and
// checks may run again. What is half done needs an open window, but not one that
// it fits in. now is the time of the event at which the start became pending.
func (s *State) mayStart(f spot, now time.Time) bool {
	switch {
	case f.op.What != Do:
		return !s.Paused || s.Back != nil
	case s.holding() || !s.windowOpen(f.at) || f.state.Gate != nil && !f.state.Gate.Passed:
		return false
	}
	return s.checked(f.at) && (f.op.Half || s.fits(f.at, now))
}
