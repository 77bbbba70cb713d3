package run

import (
	"cmp"
	"slices"
	"time"
)

// The places of the first two phases, which have rules of their own, and the
// number of all.
const (
	inPrepare   = 0
	inPreflight = 1
	phases      = 8
)

// work begins the steps of the current stage that may begin.
func (s *State) work(st *StageState) bool {
	if s.Paused {
		return false
	}
	low, active, over, failed := s.survey()
	if over && active == 0 && !s.releasing() {
		st.Part = PartReleasing
		return true
	}
	if s.recheck(st, low) {
		return true
	}
	if _, _, rollback := s.failing(failed); rollback && !s.noWayBack(s.Stage) {
		s.Reason = "StepFailed"
		s.goBack(s.Stage, false)
		return true
	}
	again := s.beginSteps(st, low, active)
	s.giveBack()
	return again
}

// beginSteps begins what may begin and tells whether something has already
// ended, so that more may follow.
func (s *State) beginSteps(st *StageState, low, active int) bool {
	again := false
	for j := s.current().after(-1); j >= 0; j = s.current().after(j) {
		step, at := &st.Steps[j], Place{s.Stage, j}
		if step.class() != classAhead || s.isRemedy(at) && len(step.Ops) == 0 {
			continue
		}
		step.Status, step.Wait = StepPending, ""
		if !s.inTurn(at, low) {
			continue
		}
		switch ready, failed := s.needsMet(at); {
		case failed != "":
			s.endStep(at, StepSkipped, "NeedFailed", "it needs "+failed+", which did not succeed")
			again = true
			continue
		case !ready:
			continue
		case s.ix.stages[at.Stage].steps[j].Skip != "":
			// Only now: what the plan puts behind it waits for what it needs.
			s.endStep(at, StepSkipped, "Planned", s.ix.stages[at.Stage].steps[j].Skip)
			again = true
			continue
		case !s.checked(at):
			continue
		}
		switch {
		case !s.windowOpen(at) || !s.fits(at, s.At):
			step.Status, step.Wait = StepWaiting, WaitWindow
		case s.isRemedy(at) && s.mends(at): // What it was taken for leaves its room to it.
			s.begin(at)
		case active >= s.Parallel || s.resourceTaken(at) || step.givingBack(): // A release comes first.
			step.Status = StepReady
		default:
			s.begin(at)
			active++
			again = again || step.Status == StepFailed || s.over(at)
		}
	}
	return again
}

// begin starts the life of a step.
func (s *State) begin(at Place) {
	defer s.touch(at)
	st := &s.Stages[at.Stage].Steps[at.Step]
	st.Began, st.Ended = s.At, time.Time{}
	st.Reason, st.Message = "", ""
	if st.Op < len(st.Ops) && st.Ops[st.Op].Life != Done { // Its members were approved, or it is tried again.
		st.Status = StepRunning
		st.Ops[st.Op].wake(s.At)
		return
	}
	if s.ix.stages[at.Stage].resolve[at.Step] {
		if why := s.unreadable(at); why != "" {
			s.failStep(at, "OutputTooLarge", why)
			return
		}
		st.Status, st.Resolving = StepRunning, true
		return
	}
	s.beginOperations(at, nil, nil)
}

// survey returns the earliest phase that is not over, how many steps are under
// way, whether all are over, and whether any has failed.
func (s *State) survey() (low, active int, over, failed bool) {
	v, st, l := &s.ix.stages[s.Stage], &s.Stages[s.Stage], s.current()
	var passed [phases]int
	unsettled := l.unsettled
	for _, j := range l.open {
		switch step := &st.Steps[j]; step.Status {
		case StepRunning:
			active++
		case StepWaiting:
			if g := step.Gate; step.Wait != WaitWindow && len(step.Ops) > 0 && (g == nil || g.Passed) {
				active++
			}
		case StepFailed:
			failed = true
			if !s.tolerated(Place{s.Stage, j}) {
				break
			}
			unsettled--
			if !v.steps[j].Free && v.steps[j].Remedy == nil {
				passed[v.phase[j]]++
			}
		case StepPending, StepReady, StepInDoubt, StepSucceeded, StepSkipped, StepCancelled, StepUndoing, StepUndone:
		}
	}
	for low < phases && l.byPhase[low] == passed[low] {
		low++
	}
	return low, active, unsettled == 0, failed
}

// inTurn tells whether the phase of a step has come.
func (s *State) inTurn(at Place, low int) bool {
	v := &s.ix.stages[at.Stage]
	if v.steps[at.Step].Free || v.steps[at.Step].Remedy != nil {
		return true
	}
	// What comes behind the checks comes behind those that run again, too.
	again := v.mutatingPrepare && len(v.plan.Windows) > 0 && !v.abort && !s.Stages[at.Stage].Rechecked
	return v.phase[at.Step] <= low && (!again || v.phase[at.Step] <= inPreflight) || s.early(at)
}

// early tells whether a step is a check that runs before a prepare phase that
// changes something.
func (s *State) early(at Place) bool {
	v := &s.ix.stages[at.Stage]
	return v.mutatingPrepare && v.phase[at.Step] == inPreflight && !v.behindPrepare[at.Step]
}

// needsMet tells whether all needs of a step have ended well, or names one that never
// will. It names none before all of them have ended: what comes behind the step comes
// behind each of its needs, also when the step itself is skipped. A backup would
// otherwise begin while a quiesce is still under way.
func (s *State) needsMet(at Place) (ready bool, failed string) {
	v, st := &s.ix.stages[at.Stage], &s.Stages[at.Stage]
	for _, n := range v.needs[at.Step] {
		switch need := &st.Steps[n]; need.Status {
		case StepSucceeded:
		case StepSkipped:
			if need.Reason == "NeedFailed" {
				failed = cmp.Or(failed, v.steps[n].ID)
			}
		case StepFailed:
			switch place := (Place{at.Stage, n}); {
			case s.accepted(place):
			case s.tolerated(place):
				failed = cmp.Or(failed, v.steps[n].ID)
			default:
				return false, ""
			}
		default:
			return false, ""
		}
	}
	return failed == "", failed
}

// checked tells whether the checks that have to come before a step are over
// (I2): those of preflight before everything that changes the world.
func (s *State) checked(at Place) bool {
	v, st := &s.ix.stages[at.Stage], &s.Stages[at.Stage]
	if v.steps[at.Step].Effect != "mutating" || v.abort {
		return true
	}
	prepare := v.phase[at.Step] == inPrepare
	if !prepare && v.mutatingPrepare && len(v.plan.Windows) > 0 && !st.Rechecked {
		return false
	}
	for _, j := range v.perPhase[inPreflight] {
		if (!prepare || !v.behindPrepare[j]) && !s.over(Place{at.Stage, j}) {
			return false
		}
	}
	return true
}

// recheck lets the early checks run again once the window is open and prepare
// is over.
func (s *State) recheck(st *StageState, low int) bool {
	v := &s.ix.stages[s.Stage]
	if st.Rechecked || !v.mutatingPrepare || len(v.plan.Windows) == 0 || low < inPreflight || !st.Window.Open {
		return false
	}
	for j := range st.Steps {
		if v.phase[j] == inPrepare && st.Steps[j].busy() {
			return false // One of order free: it must not change anything while the checks run again.
		}
	}
	st.Rechecked = true
	s.forget()
	for j := range st.Steps {
		if v.phase[j] == inPreflight && !v.behindPrepare[j] && st.Steps[j].Status != StepSkipped {
			st.Steps[j] = st.Steps[j].fresh()
		}
	}
	for j := range st.Steps {
		if st.Steps[j].untouched() {
			st.Steps[j] = st.Steps[j].fresh() // It may rest on a check that runs again.
		}
	}
	return true
}

// windowOpen tells whether the window lets a step run. Prepare needs none, nor
// do the checks that come before it.
func (s *State) windowOpen(at Place) bool {
	v := &s.ix.stages[at.Stage]
	return len(v.plan.Windows) == 0 || v.abort || v.phase[at.Step] == inPrepare ||
		s.early(at) && !s.Stages[at.Stage].Rechecked || s.Stages[at.Stage].Window.Open
}

// fits tells whether the step and the way back end before the window closes. A
// stage that may finish past the end is asked only before it begins.
func (s *State) fits(at Place, now time.Time) bool {
	v, st := &s.ix.stages[at.Stage], &s.Stages[at.Stage]
	w := &st.Window
	if v.abort || !w.Open || w.ClosesAt.IsZero() || v.phase[at.Step] == inPrepare ||
		v.steps[at.Step].Effect != "mutating" || w.OnClose == "finish" && st.Entered {
		return true
	}
	need := time.Duration(v.steps[at.Step].Estimate.Worst) + v.rollback
	return !now.Add(need).After(w.ClosesAt)
}

// resourceTaken tells whether another step, or the release of a lease, uses the
// resource of this one.
func (s *State) resourceTaken(at Place) bool {
	name := s.ix.stages[at.Stage].steps[at.Step].Resource
	if name == "" {
		return false
	}
	v, st := &s.ix.stages[s.Stage], &s.Stages[s.Stage]
	for _, j := range s.current().open {
		if v.steps[j].Resource == name && (at != Place{s.Stage, j}) && st.Steps[j].busy() {
			return true
		}
	}
	return s.Held > 0 && slices.ContainsFunc(s.current().leases, func(o Place) bool {
		other, step := s.stepAt(o)
		return step.Resource == name && o != at && other.givingBack()
	})
}

// busy tells whether something of the step is under way or may be.
func (st *StepState) busy() bool {
	switch st.Status {
	case StepRunning, StepInDoubt, StepUndoing:
		return true
	case StepWaiting:
		return st.Wait != WaitWindow
	case StepPending, StepReady, StepSucceeded, StepFailed, StepSkipped, StepCancelled, StepUndone:
	}
	return false
}
