package run

// byHand tells whether a step is work that a person does, and takes back.
func (s *State) byHand(at Place) bool {
	_, step := s.stepAt(at)
	return Wait(step.Gate) == WaitPerson && step.Effect == mutating
}

// doneByHand tells whether a person has done the work of a step.
func (s *State) doneByHand(at Place) bool {
	st, _ := s.stepAt(at)
	return s.byHand(at) && st.Gate != nil && st.Gate.Passed
}

// undoByHand asks a person to take back work of a person.
func (s *State) undoByHand(op *Operation, at Place) {
	st, step := s.stepAt(at)
	op.Life = Awaiting
	op.Message = "take back by hand what step " + step.ID + " did"
	if st.Gate.Undo != "" {
		op.Message = st.Gate.Undo
	}
}

// awaited returns the item of a rollback that waits for a person, if it is the
// one of a gate.
func (s *State) awaited(ref GateRef) *Operation {
	item := s.backItem()
	if item == nil || item.Life != Awaiting || item.Stage != ref.Stage || item.Step != ref.Step {
		return nil
	}
	return item
}

// undoneByHand ends an item of a rollback that a person has taken back, or
// refuses to.
func (s *State) undoneByHand(op *Operation, w Who, rejected bool) error {
	at, err := s.place(op.Stage, op.Step)
	if err != nil {
		return err
	}
	st, step := s.stepAt(at)
	terms := GateState{Terms: Terms{Kind: WaitPerson, From: st.Gate.From}}
	if err := terms.admits(w, WaitPerson); err != nil {
		return err
	}
	if rejected {
		op.Life, op.Reason, op.Message = Broken, "Rejected", orElse(w.Reason, "rejected by "+w.By)
	} else {
		op.finish(nil, nil)
	}
	s.after(spot{op: op, at: at, state: st, step: step})
	return nil
}
