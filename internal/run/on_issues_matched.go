package run

// onIssuesMatched ends an operation that has failed. A benign issue lets a step
// pass; whatever else fits is kept for people.
func (s *State) onIssuesMatched(e *IssuesMatched) error {
	f, err := s.locate(e.Op)
	if err != nil {
		return err
	}
	if f.op.Life != Matching || f.op.Turn != e.Turn {
		return ErrStale
	}
	f.op.Life = Broken
	f.state.Issues = append(f.state.Issues, e.Issues...)
	for _, issue := range e.Issues {
		if issue.Benign && e.Op.What == Do {
			f.op.finish(nil, nil)
			break
		}
	}
	s.after(f)
	return nil
}
