package run

import (
	"iter"

	"github.com/refitproject/refit/internal/plan"
)

// StageIDs returns the ids of Stages, in their order: those of the plan, then
// the authors' ways back from each, called "STAGE/abort".
func (s *State) StageIDs() []string {
	ids := make([]string, len(s.ix.stages))
	for i := range s.ix.stages {
		ids[i] = s.ix.stages[i].id
	}
	return ids
}

// StepAt returns how far a step has come and what the plan says of it. Neither
// may be changed; both are good until the next Advance.
func (s *State) StepAt(at Place) (*StepState, *plan.Step) { return s.stepAt(at) }

// Find returns the place of a step.
func (s *State) Find(stage, step string) (Place, bool) {
	at, err := s.place(stage, step)
	return at, err == nil
}

// Operations visits the operations that are current: of steps that were begun,
// of leases, and of a rollback. They may not be changed, and are good until the
// next Advance.
func (s *State) Operations() iter.Seq[*Operation] {
	return func(yield func(*Operation) bool) {
		going := true
		s.eachOperation(func(op *Operation) { going = going && yield(op) })
	}
}

// OpenGate is a gate that waits for a person.
type OpenGate struct {
	Gate  GateRef
	Terms Terms
	// By are those who have passed it so far.
	By []string
	// Rejected is why somebody refused it.
	Rejected string
	// Digest and Facts are what an approval has to name, and Terms.Selection.
	Digest, Facts string
	// Members are the list that the approval is for, if it is for one.
	Members []Selected
}

// Gates lists the gates of the current stage that wait for an approval or for
// a person's work now.
func (s *State) Gates() []OpenGate {
	st, v := &s.Stages[s.Stage], &s.ix.stages[s.Stage]
	var open []OpenGate
	add := func(g *GateState, ref GateRef, members []Selected) {
		if g.Passed || g.Kind != WaitApproval && g.Kind != WaitPerson {
			return
		}
		open = append(open, OpenGate{
			Gate: ref, Terms: g.Terms, By: g.By, Rejected: g.Rejected, Digest: v.plan.Digest, Facts: st.Facts,
			Members: members,
		})
	}
	if op := s.backItem(); op != nil && op.Life == Awaiting {
		return []OpenGate{{
			Gate:  GateRef{Stage: op.Stage, Step: op.Step},
			Terms: Terms{Kind: WaitPerson, Question: op.Message, Count: 1},
		}}
	}
	if s.Status.Final() || s.Back != nil || s.Cancelling || s.Aborting {
		return nil
	}
	if st.Part == PartGated {
		for i := range st.Gates {
			add(&st.Gates[i], GateRef{Stage: v.id, Name: st.Gates[i].Name}, nil)
		}
	}
	for j := range st.Steps {
		if step := &st.Steps[j]; step.Gate != nil && step.Status == StepWaiting {
			add(step.Gate, GateRef{Stage: v.id, Step: v.steps[j].ID}, step.asked(&v.steps[j]))
		}
	}
	return open
}

// Output returns what a step has handed back, as expressions see it, or nil.
func (s *State) Output(at Place) []byte { return s.output(at) }
