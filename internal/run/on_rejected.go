package run

func (s *State) onRejected(e *Rejected) error {
	if op := s.awaited(e.Gate); op != nil {
		return s.undoneByHand(op, e.Who, true)
	}
	g, at, err := s.gate(e.Gate)
	if err != nil {
		return gone(err)
	}
	if g.Passed || g.Kind != WaitApproval && g.Kind != WaitPerson {
		return refused("the gate waits for nobody")
	}
	if err := s.mayPass(e.Gate); err != nil {
		return err
	}
	g.By, g.Rejected = nil, orElse(e.Reason, "rejected by "+e.By)
	if e.Gate.Step != "" {
		if st, _ := s.stepAt(at); st.Op < len(st.Ops) && st.Ops[st.Op].Life != Asleep {
			st.Ops[st.Op].Life = Broken
		}
		s.failStep(at, "Rejected", g.Rejected)
	}
	return nil
}
