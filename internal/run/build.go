package run

import (
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// builder derives the items of a rollback from what happened.
type builder struct {
	s *State
	b *Back
	// later are the releases of leases that keep users out: they wait until
	// the facts were checked.
	later    []Operation
	restored []string
	// retaken are the leases that are taken again, seenTo those that are held.
	retaken, seenTo []Place
}

// buildBack derives the rollback: the reverse of the order in which the steps
// were started. Data is restored before its change is undone, behind a quiesce
// that is taken again; leases that keep users out are released at the end.
func (s *State) buildBack() {
	s.Back.Built = true
	r := &builder{s: s, b: s.Back}
	for i, at := range slices.Backward(s.Order) {
		if at.Stage < r.b.To {
			continue
		}
		if s.stepHappened(at) && s.oneWay(at) {
			r.remain(s.Order[:i+1])
			break
		}
		r.take(at)
	}
	r.giveBack()
	if len(r.b.Remainder) == 0 {
		id := s.ix.stages[r.b.To].id
		r.b.Items = append(r.b.Items, Operation{
			Ref: Ref{What: Check, Stage: id}, Key: s.Run + "/" + id + ":check",
		})
	}
	r.b.Items = append(r.b.Items, r.later...)
	if len(r.b.Remainder) > 0 {
		return
	}
	for _, at := range slices.Backward(s.Order) {
		if st, _ := s.stepAt(at); at.Stage < r.b.To && st.Lease != nil && st.Lease.Held {
			r.b.Items = append(r.b.Items, r.operation(at, Release, "", ""))
		}
	}
}

// remain writes down what stays done.
func (r *builder) remain(places []Place) {
	for _, at := range places {
		if at.Stage >= r.b.To && r.s.stepHappened(at) {
			r.b.Remainder = append(r.b.Remainder, at)
		}
	}
}

// take adds what takes one step back.
func (r *builder) take(at Place) {
	st, step := r.s.stepAt(at)
	switch {
	case step.Lease != nil:
		if st.Lease == nil || !st.Lease.Held {
			return
		}
		op := r.operation(at, Release, "", "")
		if len(step.Quiesces) > 0 {
			r.later = append(r.later, op)
			return
		}
		r.b.Items = append(r.b.Items, op)
	case step.Effect != "mutating" || !r.s.stepHappened(at):
	case step.Reversible == plan.ReversibleRestore:
		r.restore(at, step)
		r.undo(at, st)
	case step.Reversible == plan.ReversibleUndo:
		r.undo(at, st)
	}
}

// undo adds the inverse of what was done, the members in reverse.
func (r *builder) undo(at Place, st *StepState) {
	if r.s.doneByHand(at) {
		r.b.Items = append(r.b.Items, r.operation(at, Undo, "", ""))
	}
	for i := range slices.Backward(st.Ops) {
		if st.Ops[i].happened() {
			r.b.Items = append(r.b.Items, r.operation(at, Undo, st.Ops[i].Member, ""))
		}
	}
}

// restore brings back the data of the components that a step changes, each
// once.
func (r *builder) restore(at Place, step *plan.Step) {
	for _, c := range step.Changes {
		backups, ok := r.s.covering(at.Stage, c)
		id := r.s.ix.stages[at.Stage].id + "/" + c
		if !ok || slices.Contains(r.restored, id) {
			continue
		}
		r.restored = append(r.restored, id)
		r.retake(at.Stage, c)
		for _, backup := range backups {
			st, _ := r.s.stepAt(backup)
			for i := range st.Ops {
				r.b.Items = append(r.b.Items, r.operation(backup, Restore, st.Ops[i].Member, c))
			}
		}
		r.b.Restores = true
	}
}

// retake takes the leases again that kept writers off a component while it was
// backed up: those of the stage, and those of stages before it that are held to the
// end of the run. One that is held until a step is seen to once that step was begun,
// because it may have let the writers in by itself: an upgrade that starts what was
// stopped. Others stay as they are: what holds them may be down, and cannot be asked.
func (r *builder) retake(stage int, component string) {
	for _, at := range r.s.Order {
		st, step := r.s.stepAt(at)
		if at.Stage > stage || at.Stage < stage && (step.Lease == nil || step.Lease.Until != "run") {
			continue
		}
		if st.Lease == nil || !r.s.stepHappened(at) || st.Lease.Taken ||
			!slices.Contains(step.Quiesces, component) || slices.Contains(r.retaken, at) ||
			slices.Contains(r.seenTo, at) || st.Lease.Held && !r.s.lettingIn(at) {
			continue
		}
		if st.Lease.Held {
			r.seenTo = append(r.seenTo, at)
		} else {
			r.retaken = append(r.retaken, at)
		}
		r.b.Items = append(r.b.Items, r.operation(at, Retake, "", ""))
	}
}

// lettingIn tells whether a step was begun until which a lease is held.
func (s *State) lettingIn(at Place) bool {
	_, step := s.stepAt(at)
	return slices.ContainsFunc(step.Lease.Steps, func(id string) bool {
		j, ok := s.ix.stages[at.Stage].byID[id]
		return ok && s.stepHappened(Place{at.Stage, j})
	})
}

// giveBack adds the releases of the leases that are taken again, the last first.
func (r *builder) giveBack() {
	for _, at := range slices.Backward(r.retaken) {
		r.later = append(r.later, r.operation(at, Release, "", ""))
	}
}

func (r *builder) operation(at Place, what What, member, component string) Operation {
	op := r.s.newOperation(at, what, member, component)
	st, _ := r.s.stepAt(at)
	op.inherit(st)
	return op
}
