package run

func (s *State) onWindowAnswered(e *WindowAnswered) error {
	i, ok := s.ix.byID[e.Stage]
	if !ok {
		return s.unknown("the plan has no stage %q", e.Stage)
	}
	w := &s.Stages[i].Window
	if i != s.Stage || !s.watchesWindow() || w.Asked || e.Turn != w.Turn {
		return ErrStale
	}
	if !e.Open && e.OpensAt.IsZero() && e.Never == "" {
		return invalid("the window of stage %q is closed and never opens", e.Stage)
	}
	*w = Opening{
		Asked: true, Open: e.Open, OpensAt: e.OpensAt.UTC(), ClosesAt: e.ClosesAt.UTC(),
		OnClose: e.OnClose, Never: e.Never, Turn: w.Turn + 1,
	}
	s.lookAgain()
	return nil
}

// watchesWindow tells whether the current stage has a window that matters now: not
// before its steps begin, and not on the way back, which may always go on.
func (s *State) watchesWindow() bool {
	v := &s.ix.stages[s.Stage]
	return len(v.plan.Windows) > 0 && !v.abort && s.Stages[s.Stage].Part == PartWorking && !s.ending()
}

// lookAgain observes again what had been observed and was then held up: the
// world may have changed meanwhile.
func (s *State) lookAgain() {
	s.eachOperation(func(op *Operation) {
		if op.Life == Starting {
			op.observe()
		}
	})
}
