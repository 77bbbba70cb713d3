package run

import (
	"slices"
	"time"
)

func (s *State) onRetryRequested(e *RetryRequested) error {
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case s.Back != nil && s.Back.Stopped && e.Step != "":
		return refused("the rollback has stopped: retry it without naming a step")
	case s.Back != nil && s.Back.Stopped:
		s.Back.Stopped = false
		s.Back.Items[s.Back.Next].Failures = 0
		s.Back.Items[s.Back.Next].observe()
		if at, err := s.place(s.backItem().Stage, s.backItem().Step); err == nil && s.byHand(at) {
			s.backItem().Life = Asleep
		}
		return nil
	case s.Back != nil || s.Cancelling || s.Aborting:
		return refused("the run is ending")
	case e.Step == "":
		return s.retryStage()
	}
	at, err := s.place(e.Stage, e.Step)
	if err != nil {
		return refused("stage %q has no step %q", e.Stage, e.Step)
	}
	st, _ := s.stepAt(at)
	if at.Stage != s.Stage || s.Stages[s.Stage].Part != PartWorking || st.Status != StepFailed {
		return refused("step %q of stage %q is %s", e.Step, e.Stage, st.Status)
	}
	if s.accepted(at) {
		return refused("the failure of step %q was accepted, and the stage goes on with it", e.Step)
	}
	if err := s.mayRetry(at); err != nil {
		return err
	}
	s.takeAgain()
	s.holdBack(at.Stage, s.retryStep(at))
	return nil
}

// holdBack lets steps that were about to begin do so anew, behind the step that is
// tried again and those that need it: the stage had gone on without them.
func (s *State) holdBack(at int, revived []bool) {
	stage, v := &s.Stages[at], &s.ix.stages[at]
	first := phases
	for j := range stage.Steps {
		if revived[j] && !v.steps[j].Free {
			first = min(first, v.phase[j])
		}
	}
	for j := range stage.Steps {
		place := Place{at, j}
		later := v.phase[j] > first && !v.steps[j].Free
		switch {
		case s.isRemedy(place): // What it was taken for waits for it.
		case stage.Steps[j].untouched() && (later || !s.checked(place)):
			stage.Steps[j] = stage.Steps[j].fresh()
		case s.behindChecks(place):
			s.putBack(place)
		}
	}
}

// behindChecks tells whether a step was observed and cannot start because checks,
// or what it needs, run again.
func (s *State) behindChecks(at Place) bool {
	st, _ := s.stepAt(at)
	if st.Op >= len(st.Ops) || s.isRemedy(at) {
		return false
	}
	op := &st.Ops[st.Op]
	if op.Life != Starting {
		return false
	}
	ready, failed := s.needsMet(at)
	return !ready && failed == "" || !s.checked(at)
}

// putBack lets a step wait for what runs again without taking the room that
// it needs. It is observed again when it begins.
func (s *State) putBack(at Place) {
	st, _ := s.stepAt(at)
	st.Ops[st.Op].Life = Broken
	st.Status, st.Wait, st.Reason, st.Message = StepReady, "", "", ""
	s.forget()
}

// mayRetry refuses to try a step again behind a quiesce that has ended.
func (s *State) mayRetry(at Place) error {
	if err := s.mayGoOn(); err != nil {
		return err
	}
	if id := s.endedQuiesce(at); id != "" {
		return refused("lease %q was given back in its time, and the backups of the stage are older than that: "+
			"roll back, or start a new run", id)
	}
	return nil
}

// endedQuiesce names a quiesce that was given back in its time, although a step that
// is to be tried again, or one that was skipped because of it, changes what it kept
// users from: what they have written since is in no backup.
func (s *State) endedQuiesce(at Place) string {
	v := &s.ix.stages[at.Stage]
	for j, again := range s.revivedBy(at) {
		if !again {
			continue
		}
		for _, c := range v.steps[j].Changes {
			backups, _ := s.covering(at.Stage, c)
			online := !slices.ContainsFunc(backups, func(b Place) bool { return !v.steps[b.Step].Online })
			if id := s.openedAgain(at.Stage, c); !online && id != "" {
				return id
			}
		}
	}
	return ""
}

// openedAgain names the quiesce that kept users from a component, when it was given
// back and no other one is held.
func (s *State) openedAgain(stage int, component string) string {
	released := ""
	for _, at := range s.Order {
		st, step := s.stepAt(at)
		here := at.Stage == stage || at.Stage < stage && step.Lease != nil && step.Lease.Until == "run"
		if !here || st.Lease == nil || st.Lease.Taken || !s.stepHappened(at) ||
			!slices.Contains(step.Quiesces, component) {
			continue
		}
		if st.Lease.Held {
			return ""
		}
		released = step.ID
	}
	return released
}

// mayGoOn refuses to go on after a failure while leases are given back because
// of it, and when a quiesce was.
func (s *State) mayGoOn() error {
	if s.releasing() {
		return refused("leases are being given back after the failure: try again when that has ended")
	}
	if id := s.lostQuiesce(); id != "" {
		return refused("lease %q was given back after the failure, and the backups of the stage are older than that: "+
			"roll back, or start a new run", id)
	}
	return nil
}

func (s *State) retryStage() error {
	st := &s.Stages[s.Stage]
	if a := st.Asking; a != nil && !st.checking() && st.Part == PartChecking {
		a.Next = time.Time{}
		return nil
	}
	if st.Part != PartGated {
		return refused("stage %q does not wait for its check: name a step", s.ix.stages[s.Stage].id)
	}
	for i := range st.Gates {
		st.Gates[i].Rejected = ""
	}
	st.Part = PartChecking
	st.Checks++
	return nil
}

// retryStep lets a failed step go on where it stands, and those that were
// skipped because of it. It tells which these are.
func (s *State) retryStep(at Place) []bool {
	s.forget()
	stage, revived := &s.Stages[at.Stage], s.revivedBy(at)
	for j := range stage.Steps {
		if revived[j] && j != at.Step {
			stage.Steps[j] = stage.Steps[j].fresh()
		}
	}
	st := &stage.Steps[at.Step]
	if st.Op >= len(st.Ops) || st.Ops[st.Op].Life == Asleep {
		*st = st.fresh()
		return revived
	}
	op := &st.Ops[st.Op]
	op.Failures, op.Unclear = 0, false
	st.Gate = nil
	st.Status, st.Reason, st.Message = StepReady, "", ""
	return revived
}

// revivedBy tells which steps of the stage have their chance again when one is tried
// again: itself, and those that were skipped because of it.
func (s *State) revivedBy(at Place) []bool {
	stage := &s.Stages[at.Stage]
	revived := make([]bool, len(stage.Steps))
	revived[at.Step] = true
	for j := range stage.Steps { // Steps stand behind those that they need.
		behind := slices.ContainsFunc(s.ix.stages[at.Stage].needs[j], func(n int) bool { return revived[n] })
		revived[j] = revived[j] ||
			behind && stage.Steps[j].Status == StepSkipped && stage.Steps[j].Reason == "NeedFailed"
	}
	return revived
}

// takeAgain lets leases that were given back because of the failure be taken
// again. What was about to begin begins again, behind them.
func (s *State) takeAgain() {
	s.forget()
	stage := &s.Stages[s.Stage]
	again := false
	for j := range stage.Steps {
		if s.givenUp(Place{s.Stage, j}) {
			stage.Steps[j] = stage.Steps[j].fresh()
			again = true
		}
	}
	for j := range stage.Steps {
		switch at := (Place{s.Stage, j}); {
		case !again || s.isRemedy(at):
		case stage.Steps[j].untouched():
			stage.Steps[j] = stage.Steps[j].fresh()
		case s.behindChecks(at):
			s.putBack(at)
		}
	}
}

// untouched tells whether a step that has begun has not tried anything yet.
func (st *StepState) untouched() bool {
	if st.Resolving {
		return true
	}
	if st.Status != StepRunning && st.Status != StepWaiting || st.Op != 0 || len(st.Ops) == 0 {
		return false
	}
	op := &st.Ops[0]
	return op.Attempt == st.Earlier.Attempt && (op.Life == Observing || op.Life == Asking || op.Life == Starting)
}

// lostQuiesce names a quiesce that was given back because of the failure, of
// this stage or one that is held for the whole run. It is not taken again: what
// was written since is in no backup.
func (s *State) lostQuiesce() string {
	for _, at := range s.Order {
		_, step := s.stepAt(at)
		if at.Stage != s.Stage && (at.Stage > s.Stage || step.Lease == nil || step.Lease.Until != "run") {
			continue
		}
		if len(step.Quiesces) > 0 && s.givenUp(at) {
			return step.ID
		}
	}
	return ""
}

// givenUp tells whether a lease of a step was released before its time.
func (s *State) givenUp(at Place) bool {
	st, step := s.stepAt(at)
	l := st.Lease
	if l == nil || l.Held || l.Taken || st.Status != StepSucceeded || l.Op.Life != Done {
		return false
	}
	return step.Lease.Until != "steps" || !s.served(at)
}
