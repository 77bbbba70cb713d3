package run

import "github.com/refitproject/refit/internal/plan"

// spot is an operation with where it stands.
type spot struct {
	op    *Operation
	at    Place
	state *StepState
	step  *plan.Step
	rules rules
}

// place finds a step by its names.
func (s *State) place(stage, step string) (Place, error) {
	i, ok := s.ix.byID[stage]
	if !ok {
		return Place{}, s.unknown("the plan has no stage %q", stage)
	}
	j, ok := s.ix.stages[i].byID[step]
	if !ok {
		return Place{}, s.unknown("stage %q has no step %q", stage, step)
	}
	return Place{i, j}, nil
}

// unknown says that an event names what the plan does not have. After a replan
// it may be a late answer about what the plan before had.
func (s *State) unknown(format string, args ...any) error {
	if len(s.Plans) > 0 {
		return ErrStale
	}
	return invalid(format, args...)
}

func (s *State) stepAt(at Place) (*StepState, *plan.Step) {
	return &s.Stages[at.Stage].Steps[at.Step], &s.ix.stages[at.Stage].steps[at.Step]
}

// locate finds the current operation that ref names. An operation that is not
// current is stale.
func (s *State) locate(ref Ref) (spot, error) {
	at, err := s.place(ref.Stage, ref.Step)
	if err != nil {
		return spot{}, err
	}
	st, step := s.stepAt(at)
	f := spot{at: at, state: st, step: step, rules: rulesOf(step, ref.What)}
	switch item := s.backItem(); {
	case item != nil && item.Ref == ref:
		f.op = item
	case ref.What == Do && st.Op < len(st.Ops) && st.Ops[st.Op].Ref == ref:
		f.op = &st.Ops[st.Op]
	case ref.What == Release && st.Lease != nil && st.Lease.Op.Ref == ref:
		f.op = &st.Lease.Op
	default:
		return spot{}, ErrStale
	}
	return f, nil
}

// newOperation returns an operation that has not begun.
func (s *State) newOperation(at Place, what What, member, component string) Operation {
	v := &s.ix.stages[at.Stage]
	ref := Ref{What: what, Stage: v.id, Step: v.steps[at.Step].ID, Member: member, Component: component}
	key := s.Run + "/" + ref.Stage + "/" + ref.Step
	if member != "" {
		key += "[" + member + "]"
	}
	if what != Do {
		key += ":" + string(what) + component
	}
	return Operation{Ref: ref, Key: key}
}

// ending tells whether the run goes back, or to its end.
func (s *State) ending() bool { return s.Back != nil || s.Cancelling || s.Aborting }

// patient tells whether failed attempts are still repeated.
func (s *State) patient(what What) bool {
	return what != Do || !s.ending()
}

// holding tells whether no further step may begin.
func (s *State) holding() bool {
	return s.Paused || s.ending()
}

// backItem returns the current item of a rollback, or nil.
func (s *State) backItem() *Operation {
	if b := s.Back; b != nil && !s.Status.Final() && b.Built && b.Next < len(b.Items) {
		return &b.Items[b.Next]
	}
	return nil
}
