package run

func (s *State) onOperationEnded(e *OperationEnded) error {
	f, err := s.locate(e.Op)
	if err != nil {
		return err
	}
	if f.op.Life != Active || f.op.Attempt != e.Attempt {
		return ErrStale
	}
	f.op.ended(*e, s.At, f.rules, s.patient(e.Op.What))
	s.after(f)
	return nil
}
