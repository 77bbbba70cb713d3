package run

import (
	"time"
)

// statusNow names the state of a run that has not ended.
func (s *State) statusNow() Status {
	switch {
	case s.Back != nil && s.Back.Stopped:
		return Halted
	case s.Back != nil:
		return RollingBack
	case s.Paused:
		return Paused
	case s.moving():
		return Running
	case s.halted():
		return Halted
	}
	return Waiting
}

// halted tells whether only a person's decision can bring the run on.
func (s *State) halted() bool {
	st := &s.Stages[s.Stage]
	if st.Part == PartGated {
		for i := range st.Gates {
			if st.Gates[i].Rejected != "" {
				return true
			}
		}
		return len(st.Changed) > 0
	}
	if st.Part == PartWorking && st.Window.Never != "" {
		return true
	}
	return !s.releasing() && (st.Part == PartWorking && s.stuck() || st.Part == PartReleasing && s.stuckLease())
}

// moving tells whether something goes on by itself.
func (s *State) moving() bool {
	st := &s.Stages[s.Stage]
	windows := len(s.ix.stages[s.Stage].plan.Windows)
	if st.checking() || st.Part == PartWorking && windows > 0 && !st.Window.Asked {
		return true
	}
	for _, j := range s.current().open {
		if st.Steps[j].Status == StepRunning {
			return true
		}
	}
	moves := false
	if s.Held > 0 {
		s.eachOperation(func(op *Operation) {
			if op.What == Release && op.flying() && op.Life != Asking {
				moves = true
			}
		})
	}
	return moves
}

// HeldLease is a temporary change that was not given back.
type HeldLease struct {
	Stage string    `json:"stage"`
	Step  string    `json:"step"`
	Since time.Time `json:"since"`
}

// Next is something that a person can do now: the words of a command.
type Next struct {
	Verb string   `json:"verb"`
	Args []string `json:"args,omitempty"`
	Why  string   `json:"why"`
}

// Summary says where a run stands. Steps are written "stage/step".
type Summary struct {
	Status Status   `json:"status"`
	Reason string   `json:"reason,omitempty"`
	Done   []string `json:"done,omitempty"`
	Undone []string `json:"undone,omitempty"`
	// Remains lists what was not done, or, after a rollback, what was not
	// taken back.
	Remains []string    `json:"remains,omitempty"`
	Failed  []string    `json:"failed,omitempty"`
	InDoubt []string    `json:"inDoubt,omitempty"`
	Leases  []HeldLease `json:"leases,omitempty"`
	Next    []Next      `json:"next,omitempty"`
}

// Summarize says where the run stands, what was done, what was taken back, what
// is held, what remains and what can be done next.
func Summarize(s State) Summary {
	sum := Summary{Status: s.Status, Reason: s.Reason}
	back := s.Back != nil || s.Status == RolledBack || s.Status == PartlyRolledBack
	for i := range s.Stages {
		v := &s.ix.stages[i]
		if v.abort && s.Stages[i].Part == PartAhead {
			continue
		}
		for j := range s.Stages[i].Steps {
			at := Place{i, j}
			s.sort(&sum, at, v.named(j), back && s.stepHappened(at) && v.steps[j].Effect == "mutating")
		}
	}
	for _, at := range s.Order {
		if st, step := s.stepAt(at); st.Lease != nil && st.Lease.Held {
			id := s.ix.stages[at.Stage].id
			sum.Leases = append(sum.Leases, HeldLease{Stage: id, Step: step.ID, Since: st.Lease.Since})
		}
	}
	sum.Next = s.next()
	return sum
}

// sort puts a step under what became of it. stays is set for changes that a
// rollback has not taken back.
func (s *State) sort(sum *Summary, at Place, name string, stays bool) {
	switch s.Stages[at.Stage].Steps[at.Step].Status {
	case StepSucceeded:
		sum.Done = append(sum.Done, name)
	case StepUndone:
		sum.Undone = append(sum.Undone, name)
	case StepFailed:
		sum.Failed = append(sum.Failed, name)
	case StepInDoubt:
		sum.InDoubt = append(sum.InDoubt, name)
	case StepPending, StepReady, StepRunning, StepWaiting, StepCancelled, StepUndoing:
		stays = stays || s.Back == nil
	case StepSkipped:
	}
	if stays {
		sum.Remains = append(sum.Remains, name)
	}
}
