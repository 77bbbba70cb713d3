package run

import "slices"

// onIssuesMatched ends an operation that has failed. A benign issue lets a step
// pass, one with a remedy in the plan is mended; whatever else fits is kept for
// people.
func (s *State) onIssuesMatched(e *IssuesMatched) error {
	f, err := s.locate(e.Op)
	if err != nil {
		return err
	}
	if f.op.Life != Matching || f.op.Turn != e.Turn {
		return ErrStale
	}
	f.op.Life = Broken
	for _, issue := range e.Issues {
		known := func(old Issue) bool { return old.ID == issue.ID }
		f.state.Issues = append(slices.DeleteFunc(f.state.Issues, known), issue)
	}
	for _, issue := range e.Issues {
		if issue.Benign && e.Op.What == Do {
			f.op.finish(nil, nil)
			break
		}
	}
	if f.op.Life == Broken {
		s.mend(f, e.Issues)
	}
	s.after(f)
	return nil
}
