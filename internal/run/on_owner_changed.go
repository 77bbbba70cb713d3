package run

import "time"

// onOwnerChanged turns everything whose end the old owner may have seen into an
// observation. A lost attempt is not a failed one.
func (s *State) onOwnerChanged(e *OwnerChanged) error {
	if e.Epoch <= s.Epoch {
		return invalid("owner %q has epoch %d, the run has %d", e.Owner, e.Epoch, s.Epoch)
	}
	s.Owner, s.Epoch = e.Owner, e.Epoch
	if a := s.Stages[s.Stage].Asking; a != nil {
		a.Next = time.Time{}
	}
	s.eachOperation(func(op *Operation) {
		op.unwatched(s.At)
		switch op.Life {
		case Observing, Asking, Starting, Active, Polling:
			op.observe()
		case Asleep, Resting, Matching, Mending, Awaiting, InDoubt, Done, Broken, Dropped:
		}
	})
	return nil
}

// eachOperation visits the operations that are current.
func (s *State) eachOperation(visit func(*Operation)) {
	for i := range s.Stages {
		if s.Stages[i].Part == PartAhead {
			continue
		}
		for j := range s.Stages[i].Steps {
			st := &s.Stages[i].Steps[j]
			if st.Op < len(st.Ops) {
				visit(&st.Ops[st.Op])
			}
			if st.Lease != nil {
				visit(&st.Lease.Op)
			}
		}
	}
	if item := s.backItem(); item != nil {
		visit(item)
	}
}
