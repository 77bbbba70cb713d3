package run

func (s *State) onStageAskFailed(e *StageAskFailed) error {
	if e.Cause != WaitTarget && e.Cause != WaitCredentials {
		return invalid("it was not possible to ask because of %q, needs target or credentials", e.Cause)
	}
	if e.Back {
		return s.backAskFailed(e)
	}
	i, ok := s.ix.byID[e.Stage]
	if !ok {
		return s.unknown("the plan has no stage %q", e.Stage)
	}
	st := &s.Stages[i]
	if i != s.Stage || s.ending() || !st.checking() || e.Turn != st.Checks {
		return ErrStale
	}
	if st.Asking == nil {
		st.Asking = &Unasked{}
	}
	a := st.Asking
	a.Cause, a.Message = e.Cause, e.Message
	a.Next = s.At.Add(doubled(askFirst, a.Asks, askMost))
	a.Asks++
	st.Checks++
	return nil
}

// checking tells whether the check of the facts is under way, and not waiting
// to ask again.
func (st *StageState) checking() bool {
	return st.Part == PartChecking && (st.Asking == nil || st.Asking.Next.IsZero())
}

// backAskFailed lets the check at the end of a rollback ask again later.
func (s *State) backAskFailed(e *StageAskFailed) error {
	op := s.backItem()
	if op == nil || op.What != Check || op.Stage != e.Stage || op.Life != Observing || op.Turn != e.Turn {
		return ErrStale
	}
	op.askAgain(s.At, e.Cause, e.Message)
	return nil
}
