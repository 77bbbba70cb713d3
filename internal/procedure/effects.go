package procedure

import (
	"cmp"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
)

// checkObservable warns of steps that a crash leaves in doubt.
func (b *body) checkObservable(t *StepTemplate) {
	with, _ := t.Source.With.Plain().(map[string]any)
	if mutates(t.Spec) && t.Spec.Gate == "" && !t.Spec.Observable(with) {
		b.ds.Warnf("NotObservable", t.Pos,
			"a crash during step %q leaves it in doubt: nothing says whether it has happened", t.ID).
			Suggest("add %s to with", t.Spec.ObserveField)
	}
}

// undoable tells whether the action has an inverse for the input of the step.
func undoable(t *StepTemplate) (bool, string) {
	with, _ := t.Source.With.Plain().(map[string]any)
	return t.Spec.Undoable(with)
}

// checkEffect refuses properties of a change on steps that change nothing.
func (b *body) checkEffect(t *StepTemplate) {
	if mutates(t.Spec) {
		return
	}
	s := t.Source
	for _, k := range []keyUse{
		{"changes", len(s.Changes) > 0, t.Pos},
		{"quiesces", len(s.Quiesces) > 0, t.Pos},
		{"lease", s.Lease != nil, t.Pos},
		{"reversible", s.Reversible.IsSet(), s.Reversible.Pos},
	} {
		if k.given {
			b.ds.Errorf("ChangesNothing", k.pos, "step %q has %s, but %s changes nothing", t.ID, k.key, t.Spec.Name).
				Suggest("remove %s, or use an action that changes things", k.key)
		}
	}
}

// checkReversible checks how a step is taken back. A step that changes things
// says so itself unless its action has an inverse.
func (b *body) checkReversible(t *StepTemplate, changes map[string]Component) {
	if !mutates(t.Spec) {
		return
	}
	can, why := undoable(t)
	written := t.Source.Reversible
	other := `write reversible: restore, or reversible: "no: why"`
	if field := t.Spec.UndoField; t.Spec.CanUndo && field != "" {
		other = "add " + field + ` to with, or write reversible: "no: why"`
	}
	if !written.IsSet() {
		// A lease without inverse is reported as such.
		if !can && t.Source.Lease == nil && !b.misspelt(t, "reversible", "lease") {
			b.ds.Errorf("ReversibleMissing", t.Pos,
				"step %q changes things and does not say how it is taken back: %s",
				t.ID, cmp.Or(why, t.Spec.Name+" has no inverse")).
				Suggest("%s", other)
		}
		return
	}
	reason, irreversible := strings.CutPrefix(written.Value, "no:")
	switch {
	case written.Value == "undo" && !can:
		b.ds.Errorf("NoUndo", written.Pos,
			"step %q cannot be undone: %s", t.ID, cmp.Or(why, t.Spec.Name+" has no inverse")).
			Suggest("%s", other)
	case written.Value == "undo":
	case written.Value == "restore":
		if !holdsData(changes) {
			b.ds.Errorf("NothingToRestore", written.Pos, "step %q changes no component that holds data", t.ID).
				Suggest("name the component in changes, or write reversible: undo")
		}
	case irreversible && strings.TrimSpace(reason) != "":
	case irreversible || written.Value == "no":
		b.ds.Errorf("ReasonMissing", written.Pos, "step %q does not say why it cannot be taken back", t.ID).
			Suggest("write reversible: \"no: why\"; the plan shows it at the point of no return")
	default:
		b.ds.Errorf("BadReversible", written.Pos, "reversible %q of step %q is not known", written.Value, t.ID).
			Suggest("write undo, restore or \"no: why\"")
	}
}

func holdsData(components map[string]Component) bool {
	for _, c := range components {
		if c.Stateful() {
			return true
		}
	}
	return false
}

// checkLease checks that a temporary change can be given back, and when.
func (b *body) checkLease(t *StepTemplate) {
	lease := t.Source.Lease
	if lease == nil {
		if len(t.Source.Quiesces) > 0 && mutates(t.Spec) {
			b.ds.Warnf("QuiesceWithoutLease", t.Pos, "step %q quiesces components and nothing gives them back", t.ID).
				Suggest("add lease: {until: stage}")
		}
		return
	}
	if !mutates(t.Spec) {
		return
	}
	if can, why := undoable(t); !can {
		b.ds.Errorf("NoLease", lease.Pos,
			"step %q cannot give its change back: %s", t.ID, cmp.Or(why, t.Spec.Name+" has no inverse")).
			Suggest("remove the lease, or use an action that can be undone")
	}
	with, _ := t.Source.With.Plain().(map[string]any)
	if t.Spec.Gate == "" && !t.Spec.Observable(with) {
		b.ds.Warnf("LeaseNotObservable", lease.Pos,
			"step %q gives its change back although somebody else may have changed it meanwhile: nothing looks", t.ID).
			Suggest("add %s to with, which succeeds only while what the step has set is there, and prints what is",
				t.Spec.ObserveField)
	}
	until := lease.Until
	id, isStep := strings.CutPrefix(until.Value, "step:")
	switch {
	case !until.IsSet() || until.Value == "stage" || until.Value == "run":
	case !isStep:
		b.ds.Errorf("BadLease", until.Pos, "until %q of step %q is not known", until.Value, t.ID).
			Suggest("write stage, run or step:ID")
	default:
		b.checkLeaseStep(t, id, until.Pos)
	}
}

func (b *body) checkLeaseStep(t *StepTemplate, id string, pos diag.Position) {
	i := b.index[t.ID]
	j, ok := b.index[id]
	switch {
	case !ok:
		b.ds.Errorf("UnknownStep", pos, "the lease of step %q ends after %q, which does not exist", t.ID, id).
			Suggest("%s", b.suggestStep(id))
	case i == j:
		b.ds.Errorf("LeaseEndsBefore", pos, "the lease of step %q ends after the step itself", t.ID).
			Suggest("name a step that runs later, or write until: stage")
	case b.order.before(j, i):
		b.ds.Errorf("LeaseEndsBefore", pos,
			"the lease of step %q ends after %q, which has ended before it starts", t.ID, id).
			Suggest("name a step that runs later, or write until: stage")
	}
}

// checkSoak checks the observation after a stage.
func (b *body) checkSoak(s *Stage) {
	soak := s.Soak
	if soak == nil {
		return
	}
	if soak.Every.IsSet() && soak.For.IsSet() && soak.Every.Value > soak.For.Value {
		b.ds.Errorf("OutOfRange", soak.Every.Pos,
			"every %s does not fit into a soak of %s", soak.Every.Value, soak.For.Value).
			Suggest("use for example 1m")
	}
	for _, check := range soak.Checks {
		i, ok := b.index[check.Value]
		switch {
		case !ok:
			b.ds.Errorf("UnknownStep", check.Pos, "the soak repeats %q, which does not exist", check.Value).
				Suggest("%s", b.suggestStep(check.Value))
		case !onlyReads(b.steps[i]):
			b.ds.Errorf("NotReadOnly", check.Pos, "the soak repeats %q, which is not read-only", check.Value).
				Suggest("repeat steps of phase verify that only read")
		}
	}
	if len(soak.Checks) == 0 && !b.hasCheck() {
		b.ds.Errorf("NoSoakChecks", s.Pos, "the soak has nothing to repeat: no step of phase verify only reads").
			Suggest("add such a step, or name checks")
	}
}

// hasCheck tells whether the stage has a read-only step of phase verify.
func (b *body) hasCheck() bool {
	for _, t := range b.steps {
		if t.Source.Phase.Value == phaseVerify && onlyReads(t) {
			return true
		}
		if t.Sub != nil && t.Source.Phase.Value == "" {
			return true // it names its phases itself; planning sees
		}
	}
	return false
}

// onlyReads tells whether a step, or all steps of a sub-procedure, are
// read-only. A step whose action is not known counts as such.
func onlyReads(t *StepTemplate) bool {
	if t.Sub == nil {
		return t.Spec.Name == "" || (t.Spec.Effect == action.ReadOnly && t.Spec.Gate == "")
	}
	for _, inner := range t.Sub.Steps {
		if !onlyReads(inner) {
			return false
		}
	}
	return true
}
