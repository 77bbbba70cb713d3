package run

import "time"

// Pending lists the commands that the host must have in flight now, in plan
// order. It depends on nothing but s and changes nothing. Their number is
// bounded by twice the steps that may be under way at once, and the gates that
// look by themselves.
func Pending(s State) []Command {
	q := queue{commands: make([]Command, 0, 8)}
	if s.Status == Planned {
		return nil
	}
	if !s.Status.Final() {
		s.pendStage(&q)
	}
	s.pendLeases(&q)
	if item := s.backItem(); item != nil && !s.Back.Stopped {
		s.pendOperation(&q, item)
	}
	return q.commands
}

type queue struct{ commands []Command }

func (q *queue) add(c Command) { q.commands = append(q.commands, c) }

func (s *State) pendStage(q *queue) {
	st, v := &s.Stages[s.Stage], &s.ix.stages[s.Stage]
	ending := s.ending()
	switch st.Part {
	case PartChecking:
		if !ending {
			q.add(st.check(v.id))
		}
	case PartSoaking:
		if st.Soak != nil && st.Soak.waits() && !ending {
			q.add(s.watch(st.Soak, GateRef{Stage: v.id, Name: st.Soak.Name}))
		}
	case PartWorking:
		if !ending {
			s.pendWindow(q, st, v)
		}
		for _, j := range s.current().open {
			s.pendStep(q, &st.Steps[j], Place{s.Stage, j})
		}
	case PartAhead, PartGated, PartReleasing, PartOver:
	}
}

// check returns the check of the facts, or the timer until it asks again.
func (st *StageState) check(stage string) Command {
	if st.Asking != nil && st.Asking.Next != (time.Time{}) {
		return Timer{
			Timer: TimerRef{Kind: TimerCheck, Gate: GateRef{Stage: stage}, Turn: st.Checks}, At: st.Asking.Next,
		}
	}
	return CheckStage{Stage: stage, Turn: st.Checks}
}

// pendWindow asks for the window, or waits for it to open or to close.
func (s *State) pendWindow(q *queue, st *StageState, v *stageView) {
	w := &st.Window
	if len(v.plan.Windows) == 0 || v.abort {
		return
	}
	at := w.ClosesAt
	if !w.Open {
		at = w.OpensAt
	}
	switch {
	case !w.Asked:
		q.add(AskWindow{Stage: v.id, Turn: w.Turn})
	case at != (time.Time{}):
		q.add(Timer{Timer: TimerRef{Kind: TimerWindow, Gate: GateRef{Stage: v.id}, Turn: w.Turn}, At: at})
	}
}

func (s *State) pendStep(q *queue, st *StepState, at Place) {
	switch st.Status {
	case StepRunning, StepWaiting:
	case StepPending, StepReady, StepInDoubt, StepSucceeded, StepFailed, StepSkipped, StepCancelled, StepUndoing,
		StepUndone:
		return
	}
	stage, step := s.ix.stages[at.Stage].id, s.ix.stages[at.Stage].steps[at.Step].ID
	switch {
	case st.Resolving:
		q.add(Resolve{Stage: stage, Step: step, Turn: st.Resolved, Outputs: s.outputsFor(at)})
	case st.Gate != nil && !st.Gate.Passed:
		if st.Gate.waits() {
			q.add(s.watch(st.Gate, GateRef{Stage: stage, Step: step}))
		}
	case st.Op < len(st.Ops):
		s.pendOperation(q, &st.Ops[st.Op])
	}
}

func (s *State) pendLeases(q *queue) {
	if s.Held == 0 {
		return
	}
	for _, at := range s.current().leases {
		if st, _ := s.stepAt(at); st.Lease != nil && st.Lease.Held {
			s.pendOperation(q, &st.Lease.Op)
		}
	}
}

func (s *State) pendOperation(q *queue, op *Operation) {
	switch op.Life {
	case Observing:
		if op.What == Check {
			q.add(CheckStage{Stage: op.Stage, Turn: op.Turn, Back: true})
			return
		}
		q.add(ObserveOperation{
			Op: op.Ref, Key: op.Key, Attempted: op.Attempted, Turn: op.Turn, With: op.With, Before: op.Before,
			WithArtefact: op.WithArtefact, Selection: op.pinned(),
		})
	case Starting:
		f, err := s.locate(op.Ref)
		if err == nil && s.mayStart(f, s.At) {
			q.add(StartOperation{Op: op.Ref, Key: op.Key, Attempt: op.Attempt + 1, Before: op.Before})
		}
	case Active:
		q.add(PerformOperation{
			Op: op.Ref, Key: op.Key, Attempt: op.Attempt, With: op.With, Before: op.Before,
			WithArtefact: op.WithArtefact, Selection: op.allowed(),
		})
		if !op.Deadline.IsZero() {
			q.add(Timer{Timer: TimerRef{Kind: TimerTimeout, Op: op.Ref, Turn: op.Turn}, At: op.Deadline})
		}
	case Asking, Polling, Resting:
		q.add(Timer{Timer: TimerRef{Kind: TimerOperation, Op: op.Ref, Turn: op.Turn}, At: op.Next})
	case Matching:
		q.add(MatchIssues{
			Op: op.Ref, Turn: op.Turn, Attempt: op.Attempt, Reason: op.Reason, Message: op.Message,
			Artefacts: op.Artefacts,
		})
	case Asleep, Mending, Awaiting, InDoubt, Done, Broken, Dropped:
	}
}
