package run

func (s *State) onObserved(e *Observed) error {
	f, err := s.locate(e.Op)
	if err != nil {
		return err
	}
	if f.op.Life != Observing || f.op.Turn != e.Turn {
		return ErrStale
	}
	f.op.observed(*e, s.At, f.rules, s.patient(e.Op.What))
	if f.op.Life == Starting && e.Op.What == Do && (s.Cancelling || s.Back != nil || s.Aborting) {
		f.op.Life = Dropped
	}
	s.selected(f, e.Selection)
	s.after(f)
	return nil
}
