package procedure

import (
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
)

// defaultStepTimeout is how long one attempt may take when nothing is written.
const defaultStepTimeout = 10 * time.Minute

// checkStep checks everything of a step but its expressions and its order.
func (b *body) checkStep(t *StepTemplate) {
	b.checkKeys(t)
	b.checkTimes(t)
	b.checkRetry(t)
	b.checkForEach(t)
	b.checkSelect(t)
	b.checkOnFailure(t)
	if sub := b.subs[t.ID]; sub != nil && sub.inherits && t.Source.Phase.IsSet() {
		b.checkInherited(t, t.Sub, t.Source.Phase.Value)
	}
	changes := b.checkData(t)
	if t.Spec.Name == "" {
		return
	}
	if phase := t.Source.Phase; phase.IsSet() {
		b.checkPhase(t, phase.Value, phase.Pos, "step \""+t.ID+"\"")
	}
	b.checkEffect(t)
	b.checkReversible(t, changes)
	b.checkLease(t)
	b.checkObservable(t)
}

// keyUse is a key of a step that only one of action and use permits.
type keyUse struct {
	key   string
	given bool
	pos   diag.Position
}

// checkKeys refuses keys that say nothing about this kind of step.
func (b *body) checkKeys(t *StepTemplate) {
	s := t.Source
	refused, where := []keyUse{
		{"targets", s.Targets != nil, t.Pos}, {"components", s.Components != nil, t.Pos},
	}, "it belongs to steps with use"
	if s.Use.IsSet() {
		where = "write it into the steps of the sub-procedure"
		refused = []keyUse{
			{"target", s.Target.IsSet(), s.Target.Pos},
			{"resource", s.Resource != nil, t.Pos},
			{"order", s.Order.IsSet(), s.Order.Pos},
			{"select", s.Select != nil, t.Pos},
			{"lease", s.Lease != nil, t.Pos},
			{"quiesces", s.Quiesces != nil, t.Pos},
			{"covers", s.Covers != nil, t.Pos},
			{"proof", s.Proof != 0, t.Pos},
			{"consistency", s.Consistency.IsSet(), s.Consistency.Pos},
			{"changes", s.Changes != nil, t.Pos},
			{"downtime", s.Downtime != nil, t.Pos},
			{"duration", s.Duration != nil, t.Pos},
			{"timeout", s.Timeout.IsSet(), s.Timeout.Pos},
			{"retry", s.Retry != nil, t.Pos},
			{"reversible", s.Reversible.IsSet(), s.Reversible.Pos},
		}
	}
	for _, r := range refused {
		if r.given {
			b.ds.Errorf("KeyNotPermitted", r.pos, "step %q cannot have %s", t.ID, r.key).Suggest("%s", where)
		}
	}
	if sub := b.subs[t.ID]; sub != nil && !sub.inherits && !sub.unsure && s.Phase.IsSet() {
		b.ds.Errorf("KeyNotPermitted", s.Phase.Pos,
			"step %q cannot have phase: the steps of %s name their own", t.ID, sub.name).
			Suggest("remove phase")
	}
}

// onFailureContinue lets a stage go on although a step has failed.
const onFailureContinue = "continue"

// checkOnFailure refuses checks whose failure would be passed over: a preflight
// step blocks until a person accepts it by name. What a stage says does not
// reach its preflight steps.
func (b *body) checkOnFailure(t *StepTemplate) {
	written := t.Source.OnFailure
	if t.Source.Phase.Value == phasePreflight && written.Value == onFailureContinue {
		b.preflightContinues(written.Pos, "step \""+t.ID+"\"")
	}
}

func (b *body) preflightContinues(pos diag.Position, what string) {
	b.ds.Errorf("PreflightContinues", pos, "%s of phase preflight has onFailure: continue", what).
		Suggest("remove it: a check that fails blocks until a person accepts it by name")
}

// checkTimes checks timeout and duration against each other. That they are
// longer than zero has been checked already.
func (b *body) checkTimes(t *StepTemplate) {
	d := t.Source.Duration
	if d == nil || !d.Typical.IsSet() {
		return
	}
	timeout := t.Source.Timeout.Or(defaultStepTimeout)
	longest := max(d.Typical.Value, d.Worst.Value)
	switch {
	case d.Worst.IsSet() && d.Worst.Value < d.Typical.Value:
		b.ds.Errorf("OutOfRange", d.Worst.Pos,
			"worst duration %s of step %q is less than the typical %s", d.Worst.Value, t.ID, d.Typical.Value).
			Suggest("write at least the typical duration")
	case t.Spec.Gate == "" && longest > timeout:
		b.ds.Errorf("OutOfRange", d.Typical.Pos, "step %q may last %s, but its timeout is %s", t.ID, longest, timeout).
			Suggest("write a timeout that is longer than the duration")
	}
}

// checkRetry checks the ranges of retry.
func (b *body) checkRetry(t *StepTemplate) {
	r := t.Source.Retry
	if r == nil {
		return
	}
	const most = 100
	missing := r.Attempts == 0 && !b.clean // reported when it was decoded
	if !missing && (r.Attempts < 1 || r.Attempts > most) {
		b.ds.Errorf("OutOfRange", t.Pos, "step %q has %d attempts", t.ID, r.Attempts).Suggest("use 1 to %d", most)
	}
	if r.MaxBackoff.IsSet() && r.MaxBackoff.Value < r.Backoff.Or(0) {
		b.ds.Errorf("OutOfRange", r.MaxBackoff.Pos,
			"maxBackoff %s of step %q is less than its backoff %s", r.MaxBackoff.Value, t.ID, r.Backoff.Value).
			Suggest("write at least the backoff")
	}
}

// maxMembers is how many members a forEach over outputs of steps may have.
const maxMembers = 1000

// checkForEach checks forEach and the keys that go with it. Over outputs of
// steps nobody sees the members before the plan is approved: their number is
// limited, and where something may be lost by them the plan asks for an
// approval once they are known.
func (b *body) checkForEach(t *StepTemplate) {
	s := t.Source
	if s.ForEach == nil && b.misspelt(t, "forEach") {
		return
	}
	if s.ForEach == nil {
		for _, k := range []keyUse{
			{"as", s.As.IsSet(), s.As.Pos}, {"key", s.Key != nil, t.Pos}, {"max", s.Max != 0, t.Pos},
		} {
			if k.given {
				b.ds.Errorf("KeyNotPermitted", k.pos, "step %q has %s without forEach", t.ID, k.key).
					Suggest("remove %s, or add forEach", k.key)
			}
		}
		return
	}
	if s.Max < 0 || s.Max > maxMembers {
		b.ds.Errorf("OutOfRange", s.ForEach.Pos, "max %d of step %q is not permitted", s.Max, t.ID).
			Suggest("use 1 to %d", maxMembers)
	}
	if t.Key != nil && !refersTo(t.Key, t.As) {
		b.ds.Errorf("SameID", s.Key.Pos, "key of step %q is the same for every member", t.ID).
			Suggest("let it hold the member, such as ${%s}", t.As)
	}
	if refersTo(t.ForEach, varSteps) {
		b.checkDynamic(t)
	}
}

// checkDynamic checks a step whose members are known only when it starts.
func (b *body) checkDynamic(t *StepTemplate) {
	const over = "outputs of steps"
	s := t.Source
	if s.Max == 0 {
		b.ds.Errorf("MaxMissing", s.ForEach.Pos, "forEach of step %q goes over %s and has no max", t.ID, over).
			Suggest("add max: how many members are permitted, 1 to %d", maxMembers)
	}
	if s.Use.IsSet() {
		b.ds.Errorf("DynamicUse", s.ForEach.Pos,
			"forEach of step %q goes over %s and repeats a sub-procedure", t.ID, over).
			Suggest("use a list that is known when planning, or repeat an action")
	}
}

// checkSelect checks that a step says how much an action may pick out, and that
// only one says it whose action picks.
func (b *body) checkSelect(t *StepTemplate) {
	s := t.Source.Select
	if t.Spec.Name == "" {
		return // use, or an action that is not known
	}
	switch {
	case s == nil && t.Spec.Selects:
		if !b.misspelt(t, "select") {
			b.ds.Errorf("SelectMissing", t.Pos,
				"%s picks out what step %q acts on, and the step does not say how much that may be", t.Spec.Name, t.ID).
				Suggest("add select: {max: 10, empty: refuse}")
		}
	case s != nil && !t.Spec.Selects:
		b.ds.Errorf("KeyNotPermitted", s.Pos,
			"step %q cannot have select: %s acts on what its input names", t.ID, t.Spec.Name).
			Suggest("remove select")
	case s != nil && (s.Max != 0 || b.clean) && (s.Max < 1 || s.Max > maxMembers):
		b.ds.Errorf("OutOfRange", s.Pos, "max %d of step %q is not permitted", s.Max, t.ID).
			Suggest("use 1 to %d", maxMembers)
	}
}

// mutates tells whether a step changes the world.
func mutates(spec action.Spec) bool { return spec.Effect == action.Mutating }
