package run

func (s *State) onStageChecked(e *StageChecked) error {
	if e.Back {
		return s.backChecked(e)
	}
	i, ok := s.ix.byID[e.Stage]
	if !ok {
		return invalid("the plan has no stage %q", e.Stage)
	}
	st := &s.Stages[i]
	if i != s.Stage || !st.checking() || e.Turn != st.Checks {
		return ErrStale
	}
	for _, f := range e.Findings {
		f.Stage, f.Step = e.Stage, ""
		s.find(f)
	}
	if e.Facts != st.Facts {
		for g := range st.Gates {
			if st.Gates[g].Kind == WaitApproval {
				st.Gates[g].By, st.Gates[g].Passed = nil, false
			}
		}
	}
	st.Facts, st.Changed, st.Asking = e.Facts, e.Changed, nil
	st.Part = PartGated
	return nil
}
