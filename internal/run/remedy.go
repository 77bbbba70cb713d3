package run

import (
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// mend lets the remedy of a known issue run, where the approved plan has one
// for it that may still be taken. The failed operation waits for it and goes on
// with an observation. Nothing mends a remedy, and no remedy changes the world
// while checks have not passed (I2).
func (s *State) mend(f spot, issues []Issue) {
	if f.op.What != Do || f.step.Remedy != nil || s.Cancelling || s.Back != nil || s.Aborting {
		return
	}
	v := &s.ix.stages[f.at.Stage]
	for j := range v.steps {
		r := v.steps[j].Remedy
		if r == nil || !slices.ContainsFunc(issues, func(i Issue) bool { return i.ID == r.Issue }) {
			continue
		}
		at := Place{f.at.Stage, j}
		st, _ := s.stepAt(at)
		switch st.Status {
		case StepRunning, StepWaiting, StepInDoubt: // Two steps failed with one cause.
		case StepSkipped, StepSucceeded:
			if s.remediesTaken(r.Issue) >= r.Max || !s.checked(at) || !s.saved(at) {
				continue
			}
			st.Uses++
			s.begin(at)
		case StepPending, StepReady:
			if len(st.Ops) == 0 {
				continue
			} // Else it is about to go on.
		case StepFailed, StepCancelled, StepUndoing, StepUndone:
			continue
		}
		if s.over(at) {
			continue // Its values could not be computed.
		}
		f.op.Life, f.op.Remedy = Mending, v.steps[j].ID
		return
	}
}

// saved tells whether the backups were made that cover what a remedy changes. It
// runs outside of the order of the phases, which says so for other steps.
func (s *State) saved(at Place) bool {
	v := &s.ix.stages[at.Stage]
	for _, c := range v.plan.Coverage {
		if !slices.Contains(v.steps[at.Step].Changes, c.Component) {
			continue
		}
		for j := range v.steps {
			if slices.Contains(c.Backups, v.steps[j].ID) && s.Stages[at.Stage].Steps[j].Status != StepSucceeded {
				return false
			}
		}
	}
	return true
}

// remediesTaken counts how often remedies of an issue were taken in the run.
func (s *State) remediesTaken(issue string) int {
	n := 0
	for i := range s.Stages {
		for j := range s.Stages[i].Steps {
			if r := s.ix.stages[i].steps[j].Remedy; r != nil && r.Issue == issue {
				n += s.Stages[i].Steps[j].Uses
			}
		}
	}
	return n
}

// mended lets the operations go on, or fail, that waited for a remedy.
func (s *State) mended(at Place, status StepStatus) {
	stage, v := &s.Stages[at.Stage], &s.ix.stages[at.Stage]
	for j := range stage.Steps {
		st := &stage.Steps[j]
		if st.Op >= len(st.Ops) {
			continue
		}
		op := &st.Ops[st.Op]
		if op.Life != Mending || op.Remedy != v.steps[at.Step].ID {
			continue
		}
		op.Remedy = ""
		if status == StepSucceeded {
			op.Failures, op.Unclear = 0, false
			op.observe()
			continue
		}
		op.Life = Broken
		s.after(spot{op: op, at: Place{at.Stage, j}, state: st, step: &v.steps[j]})
	}
}

// mends tells whether an operation waits for a remedy.
func (s *State) mends(at Place) bool {
	id := s.ix.stages[at.Stage].steps[at.Step].ID
	return slices.ContainsFunc(s.Stages[at.Stage].Steps, func(st StepState) bool {
		return st.Op < len(st.Ops) && st.Ops[st.Op].Life == Mending && st.Ops[st.Op].Remedy == id
	})
}

// usedAgain returns the operations of a remedy that is taken once more, behind
// those of earlier times: each use has a key of its own, and each is taken back.
func (st *StepState) usedAgain(op Operation) []Operation {
	if st.Uses > 1 {
		op.Member = strconv.Itoa(st.Uses)
		op.Key += "[" + op.Member + "]"
	}
	return append(st.Ops, op)
}

// suggestion adds to the message of a failed step what known issues advise.
func (st *StepState) suggestion() string {
	texts := []string{st.Message}
	for _, issue := range st.Issues {
		if issue.Remedy != "" {
			texts = append(texts, "known issue "+issue.ID+": "+issue.Remedy)
		}
	}
	return strings.Join(texts, "; ")
}

// isRemedy tells whether a step is a remedy. What it was taken for fails when it
// fails; it holds up nothing else.
func (s *State) isRemedy(at Place) bool { return s.ix.stages[at.Stage].steps[at.Step].Remedy != nil }

// remedyNote says why a remedy does not run.
func remedyNote(r *plan.Remedy) string { return "taken only when known issue " + r.Issue + " is met" }
