package run

import "slices"

// live is what is looked up after every event, derived from the current stage
// so that no event costs a look at all its steps. It is no part of the state:
// it can be made again from it at any time. Whoever writes the status of a step
// calls touch afterwards, or forget when many have changed.
type live struct {
	stage int
	class []class
	// unmet counts the needs of a step that have neither ended nor failed.
	unmet []int
	// open are, in order, the steps that have not ended but for those that
	// certainly wait for others.
	open []int
	// unsettled counts the steps that have not ended, by phase those that hold up
	// later phases.
	unsettled int
	byPhase   []int
	// leases are the places with a lease in the order of the starts.
	leases []Place
}

// class is what counts of the status of a step.
type class uint8

// The classes, in the order in which a step goes through them.
const (
	classAhead class = iota
	classLive
	classFailed
	classSettled
)

func (st *StepState) class() class {
	switch st.Status {
	case StepPending, StepReady:
		return classAhead
	case StepWaiting:
		if st.Wait == WaitWindow {
			return classAhead
		}
		return classLive
	case StepRunning, StepInDoubt, StepUndoing:
		return classLive
	case StepFailed:
		return classFailed
	case StepSucceeded, StepSkipped, StepCancelled, StepUndone:
		return classSettled
	}
	return classLive
}

// current returns what is derived from the current stage.
func (s *State) current() *live {
	if s.live == nil || s.live.stage != s.Stage {
		s.live = s.derive()
	}
	return s.live
}

func (s *State) derive() *live {
	v, st := &s.ix.stages[s.Stage], &s.Stages[s.Stage]
	n := len(st.Steps)
	l := &live{stage: s.Stage, class: make([]class, n), unmet: make([]int, n), byPhase: make([]int, len(v.perPhase))}
	for j := range st.Steps {
		l.class[j] = st.Steps[j].class()
		if l.class[j] != classSettled {
			l.count(v, j, 1)
		}
	}
	for j := range st.Steps {
		bad := false
		for _, need := range v.needs[j] {
			if l.class[need] < classFailed {
				l.unmet[j]++
			}
			bad = bad || s.wentBad(need)
		}
		waits := l.class[j] == classAhead && !bad && l.unmet[j] > 0
		if l.class[j] != classSettled && !waits {
			l.open = append(l.open, j)
		}
	}
	for _, at := range s.Order {
		if _, step := s.stepAt(at); step.Lease != nil {
			l.leases = append(l.leases, at)
		}
	}
	return l
}

func (l *live) count(v *stageView, j, by int) {
	l.unsettled += by
	if !v.steps[j].Free && v.steps[j].Remedy == nil {
		l.byPhase[v.phase[j]] += by
	}
}

// wentBad tells whether a step of the current stage has ended in a way that
// those that need it have to know.
func (s *State) wentBad(j int) bool {
	st := &s.Stages[s.Stage].Steps[j]
	return st.Status == StepFailed || st.Status == StepSkipped && st.Reason == "NeedFailed"
}

// forget drops what was derived.
func (s *State) forget() { s.live = nil }

// touch brings what is derived in line with a step whose status has changed.
func (s *State) touch(at Place) {
	l := s.live
	if l == nil || l.stage != at.Stage || at.Stage != s.Stage {
		return
	}
	j, v := at.Step, &s.ix.stages[at.Stage]
	was, now := l.class[j], s.Stages[at.Stage].Steps[j].class()
	switch {
	case now == was:
		return
	case now < was:
		s.forget() // It goes back: those that need it may have to wait again.
		return
	}
	l.class[j] = now
	if now == classSettled {
		l.count(v, j, -1)
		l.close(j)
	} else {
		l.show(j)
	}
	if now < classFailed {
		return
	}
	bad := s.wentBad(j)
	for _, d := range v.neededBy[j] {
		if was < classFailed {
			l.unmet[d]--
		}
		if l.class[d] == classAhead && (bad || l.unmet[d] == 0) {
			l.show(d)
		}
	}
}

func (l *live) show(j int) {
	if i, there := slices.BinarySearch(l.open, j); !there {
		l.open = slices.Insert(l.open, i, j)
	}
}

func (l *live) close(j int) {
	if i, there := slices.BinarySearch(l.open, j); there {
		l.open = slices.Delete(l.open, i, i+1)
	}
}

// after returns the first open step behind j, or -1.
func (l *live) after(j int) int {
	i, _ := slices.BinarySearch(l.open, j+1)
	if i == len(l.open) {
		return -1
	}
	return l.open[i]
}
