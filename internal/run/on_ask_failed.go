package run

func (s *State) onAskFailed(e *AskFailed) error {
	f, err := s.locate(e.Op)
	if err != nil {
		return err
	}
	if f.op.Life != Observing || f.op.Turn != e.Turn {
		return ErrStale
	}
	if e.Cause != WaitTarget && e.Cause != WaitCredentials {
		return invalid("it was not possible to ask because of %q, needs target or credentials", e.Cause)
	}
	f.op.askAgain(s.At, e.Cause, e.Message)
	if !f.op.Attempted && e.Op.What == Do && (s.Cancelling || s.Back != nil || s.Aborting) {
		f.op.Life = Dropped
	}
	s.after(f)
	return nil
}
