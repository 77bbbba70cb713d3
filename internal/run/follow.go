package run

import (
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// follow does everything that follows from the last event without another one.
// Each turn of the loop brings something further that never comes back, so it
// ends.
func (s *State) follow() {
	if s.Status.Final() {
		s.giveBack()
		return
	}
	for s.advanceOnce() {
	}
	if !s.Status.Final() {
		s.Status = s.statusNow()
		s.current() // Pending has a copy of the state and could not keep it.
	}
}

// advanceOnce makes one move and tells whether another may follow.
func (s *State) advanceOnce() bool {
	switch {
	case s.Status.Final():
		return false
	case s.Back != nil:
		return s.followBack()
	case s.Cancelling:
		return s.followCancel()
	case s.Aborting:
		return s.followAbort()
	}
	return s.followStage()
}

func (s *State) followStage() bool {
	st, v := &s.Stages[s.Stage], &s.ix.stages[s.Stage]
	switch st.Part {
	case PartAhead:
		return s.enterStage(st, v)
	case PartChecking:
		return false
	case PartGated:
		if s.Paused || len(st.Changed) > 0 || !allPassed(st.Gates) || s.blocked(v.id) != nil {
			return false
		}
		st.Part = PartWorking
		return true
	case PartWorking:
		return s.work(st)
	case PartReleasing:
		if s.giveBack() || s.Paused || s.stuckLease() {
			return false
		}
		st.Part = PartSoaking
		return true
	case PartSoaking:
		return s.soak(st, v)
	case PartOver:
		return s.nextStage(v)
	}
	return false
}

// enterStage begins a stage with the check of its facts. The author's way back
// has none: it is there for when the facts are wrong.
func (s *State) enterStage(st *StageState, v *stageView) bool {
	if s.Paused {
		return false
	}
	if s.stopped() {
		s.Reason = "UntilReached"
		return false
	}
	for j := range v.steps {
		if r := v.steps[j].Remedy; r != nil && v.steps[j].Skip == "" {
			s.endStep(Place{s.Stage, j}, StepSkipped, "Remedy", remedyNote(r))
		}
	}
	if v.abort {
		st.Part = PartWorking
		return true
	}
	st.Part = PartChecking
	st.Checks++
	return false
}

func allPassed(gates []GateState) bool {
	return !slices.ContainsFunc(gates, func(g GateState) bool { return !g.Passed })
}

// soak waits after a stage until it has held for long enough.
func (s *State) soak(st *StageState, v *stageView) bool {
	p := v.plan.Soak
	if p == nil || v.abort {
		st.Part = PartOver
		return true
	}
	if st.Soak == nil {
		st.Soak = &GateState{Terms: Terms{
			Kind: WaitSoak, Name: "soak", For: p.For, Every: p.Every, MaxGap: p.MaxGap, Checks: p.Checks,
		}}
	}
	if st.Soak.Passed {
		st.Part = PartOver
	}
	return st.Soak.Passed
}

// nextStage goes on, or ends the run.
func (s *State) nextStage(v *stageView) bool {
	switch {
	case v.abort:
		s.end(Failed, "WayBackTaken")
		return false
	case s.Stage+1 < len(s.ix.plan.Stages):
		s.Stage++
		return true
	}
	for i := range s.ix.plan.Stages {
		for j := range s.Stages[i].Steps {
			if at := (Place{i, j}); s.Stages[i].Steps[j].Status == StepFailed && !s.accepted(at) && !s.isRemedy(at) {
				s.end(Failed, "StepsFailed")
				return false
			}
		}
	}
	s.end(Succeeded, "")
	return false
}

// end ends the run. What never began will not begin.
func (s *State) end(status Status, reason string) {
	s.forget()
	s.Status, s.Reason = status, orElse(reason, s.Reason)
	if status == Succeeded {
		s.Reason = ""
	}
	s.Paused = false
	for i := range s.Stages {
		if s.ix.stages[i].abort && s.Stages[i].Part == PartAhead {
			continue
		}
		for j := range s.Stages[i].Steps {
			switch st := &s.Stages[i].Steps[j]; st.Status {
			case StepPending, StepReady:
				if st.Status = StepCancelled; s.ix.stages[i].steps[j].Skip != "" {
					st.Status, st.Reason = StepSkipped, "Planned"
				}
			case StepRunning, StepWaiting:
				// Only a gate or a step whose values were asked for: operations have ended.
				st.Status, st.Wait, st.Resolving = StepCancelled, "", false
			case StepUndoing:
				st.Status, st.Reason = StepFailed, "UndoStopped"
			case StepInDoubt, StepSucceeded, StepFailed, StepSkipped, StepCancelled, StepUndone:
			}
		}
	}
}

// quiet tells whether nothing is under way or in doubt.
func (s *State) quiet() bool {
	quiet := true
	s.eachOperation(func(op *Operation) {
		if op.flying() || op.Life == InDoubt {
			quiet = false
		}
	})
	return quiet
}

// settleDown keeps further steps from starting: what was not started is
// dropped, what was is observed to its end.
func (s *State) settleDown() {
	s.forget()
	st := &s.Stages[s.Stage]
	for j := range st.Steps {
		step := &st.Steps[j]
		gated := step.Gate != nil && !step.Gate.Passed && step.Status == StepWaiting
		if step.Resolving || gated && !s.stepHappened(Place{s.Stage, j}) {
			*step = step.fresh()
			continue
		}
		if gated {
			step.Gate = nil
		}
		if step.Op >= len(step.Ops) {
			continue
		}
		op := &step.Ops[step.Op]
		switch {
		case !op.flying() || op.Life == Active || op.Life == Matching:
			continue
		case op.Life == Mending:
			op.Life, op.Remedy = Broken, ""
		case !op.Attempted && op.Life != Polling:
			op.Life = Dropped
		case op.Life == Starting:
			op.fail("Cancelled", "some of it was done")
		case op.Life == Resting:
			op.fail(op.Reason, op.Message)
		default:
			continue
		}
		at := Place{s.Stage, j}
		s.after(spot{op: op, at: at, state: step, step: &s.ix.stages[s.Stage].steps[j]})
	}
}

func (s *State) followCancel() bool {
	if !s.quiet() || s.giveBack() {
		return false
	}
	s.end(Cancelled, "")
	return false
}

// followAbort enters the author's way back from the current stage.
func (s *State) followAbort() bool {
	if !s.quiet() {
		return false
	}
	s.Aborting = false
	s.Stages[s.Stage].Part = PartOver
	s.Stage += len(s.ix.plan.Stages)
	return true
}

// stuck tells whether a failure holds up the stage and nothing moves any more.
func (s *State) stuck() bool {
	found, onlyChecks, _ := s.failing(true)
	if !found || onlyChecks {
		return false
	}
	return !slices.ContainsFunc(s.current().open, func(j int) bool {
		st := &s.Stages[s.Stage].Steps[j]
		return st.Status == StepRunning || st.Status == StepInDoubt || st.Status == StepWaiting && st.Wait != WaitWindow
	})
}

// stranded tells whether the stage is stuck and nothing of it can go on by
// itself, not even when its window opens again.
func (s *State) stranded() bool {
	return s.stuck() && !slices.ContainsFunc(s.current().open, func(j int) bool {
		return s.Stages[s.Stage].Steps[j].Status == StepWaiting
	})
}

// failing tells whether failed steps hold up the current stage, whether they
// are all checks of preflight, and whether one of them asks for a rollback. With
// look false it is known that nothing has failed.
func (s *State) failing(look bool) (found, onlyChecks, rollback bool) {
	if !look {
		return false, false, false
	}
	onlyChecks = true
	v, st := &s.ix.stages[s.Stage], &s.Stages[s.Stage]
	for _, j := range s.current().open {
		if st.Steps[j].Status != StepFailed || s.tolerated(Place{s.Stage, j}) {
			continue
		}
		found = true
		if v.steps[j].Phase != plan.Preflight {
			onlyChecks = false
			rollback = rollback || v.steps[j].OnFailure == "rollback"
		}
	}
	return found, found && onlyChecks, rollback
}
