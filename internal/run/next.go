package run

// next lists what people can do now, the most useful first.
func (s *State) next() []Next {
	var out []Next
	add := func(why, verb string, args ...string) { out = append(out, Next{Verb: verb, Args: args, Why: why}) }
	s.nextInDoubt(add) // After the end too: of leases that are given back.
	if !s.Status.Final() && s.Status != Planned {
		switch {
		case s.Back != nil:
			s.nextBack(add)
		case s.Paused:
			add("the run is paused", "resume")
		case s.stopped() && !s.Cancelling:
			add("the run was to stop before stage "+s.Until, "resume")
		case !s.Cancelling && !s.Aborting:
			s.nextInStage(add)
		}
	}
	if s.Status.Final() || s.Status == Halted && s.Back == nil {
		for _, at := range s.Order {
			if st, step := s.stepAt(at); st.Lease != nil && st.Lease.Held && s.mayRelease(at) == nil {
				add("give its lease back", "release", s.ix.stages[at.Stage].id, step.ID)
			}
		}
	}
	return out
}

type adder func(why, verb string, args ...string)

func (s *State) nextInDoubt(add adder) {
	s.eachOperation(func(op *Operation) {
		if op.Life == InDoubt {
			add(op.Message, "settle", op.Stage, op.Step, string(op.What))
		}
	})
}

func (s *State) nextBack(add adder) {
	switch b := s.Back; {
	case b.waiting():
		add("the rollback restores data: what was written since the backup is lost", "approve", "rollback", s.Digest)
	case s.backItem() != nil && s.backItem().Life == Awaiting:
		add(s.backItem().Message, "done", s.backItem().Stage, s.backItem().Step)
	case b.Stopped:
		op := &b.Items[b.Next]
		add(op.Message, "retry")
		if s.mayAbort() == nil {
			add("the rollback has stopped", "abort")
		}
		add("give the rollback up", "cancel")
	}
}

// nextInStage is about the gates, findings and failures of the current stage.
func (s *State) nextInStage(add adder) {
	st, v := &s.Stages[s.Stage], &s.ix.stages[s.Stage]
	if st.Part == PartChecking && !st.checking() {
		add(st.Asking.Message, "retry")
	}
	if st.Part == PartWorking && st.Window.Never != "" {
		add(st.Window.Never, "cancel")
	}
	if st.Part == PartGated {
		if len(st.Changed) > 0 {
			c := st.Changed[0]
			add(c.Name+" is "+c.Got+", the plan expects "+c.Want, "retry")
		}
		for i := range st.Gates {
			s.nextGate(add, &st.Gates[i], v.id, "", st.Gates[i].Name)
		}
	}
	for i := range s.Findings {
		if f := &s.Findings[i]; s.acceptable(f) && (!s.resumes(f) || s.mayGoOn() == nil) {
			add(f.Message, "accept", f.Name)
		}
	}
	s.nextOfSteps(add, st, v)
}

// nextOfSteps is about steps that wait for a person or have failed.
func (s *State) nextOfSteps(add adder, st *StageState, v *stageView) {
	failed := false
	for j := range st.Steps {
		step := &st.Steps[j]
		if step.Gate != nil && step.Status == StepWaiting {
			s.nextGate(add, step.Gate, v.id, v.steps[j].ID, "")
		}
		if step.Status == StepFailed && !s.tolerated(Place{s.Stage, j}) {
			failed = true
			if s.mayRetry(Place{s.Stage, j}) == nil {
				add(step.suggestion(), "retry", v.id, v.steps[j].ID)
			}
		}
	}
	if failed {
		s.nextBackward(add, v)
	}
}

// nextBackward lists the ways out of a failure that do not go on.
func (s *State) nextBackward(add adder, v *stageView) {
	if !v.abort && !s.noWayBack(s.Stage) {
		add("take the stage back", "rollback", v.id)
	}
	if s.mayAbort() == nil {
		add("take the author's way back to service", "abort")
	}
	add("end the run as it is", "cancel")
}

func (s *State) nextGate(add adder, g *GateState, stage, step, name string) {
	if g.Passed {
		return
	}
	switch g.Kind {
	case WaitApproval:
		args := []string{stage, orElse(step, name), s.ix.stages[s.Stage].plan.Digest}
		if g.Selection != "" {
			args = append(args, g.Selection)
		}
		add(g.Question, "approve", args...)
	case WaitPerson:
		add(g.Question, "done", stage, orElse(step, name))
	case WaitWindow, WaitSoak, WaitCondition, WaitCredentials, WaitTarget:
	}
}
