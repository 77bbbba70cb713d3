package procedure

import (
	"slices"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
)

// The phases that have rules of their own.
const (
	phasePrepare   = "prepare"
	phasePreflight = "preflight"
	phaseBackup    = "backup"
	phaseUpgrade   = "upgrade"
	phaseVerify    = "verify"
)

// phases lists the phases in their order.
func phases() []string {
	return []string{
		phasePrepare, phasePreflight, "quiesce", phaseBackup, phaseUpgrade, phaseVerify, "resume", "cleanup",
	}
}

// span is the first and the last phase of a step, as indices of phases; both
// are unknown when a mistake keeps the phase from being known.
type span struct{ lo, hi int }

const unknown = -1

// phaseIndex returns the place of a phase, unknown when there is none of this
// name.
func phaseIndex(name string) int { return slices.Index(phases(), name) }

func (s span) known() bool { return s.lo != unknown }

// phaseSpan returns the phases in which a step runs. Steps of a sub-procedure
// that name no phase all run in the phase of the step that uses it.
func (b *body) phaseSpan(t *StepTemplate) span {
	if i := phaseIndex(t.Source.Phase.Value); i != unknown {
		return span{i, i}
	}
	if sub := b.subs[t.ID]; sub != nil && !sub.inherits {
		return sub.span
	}
	if b.inherits && !t.Source.Phase.IsSet() {
		return span{0, 0}
	}
	return span{unknown, unknown}
}

// lacksPhase tells whether a step has to name its phase and does not.
func (b *body) lacksPhase(t *StepTemplate) bool {
	if t.Source.Phase.IsSet() {
		return false
	}
	if !t.Source.Use.IsSet() {
		return true
	}
	sub := b.subs[t.ID]
	return sub != nil && sub.inherits
}

// phaseUnsure tells whether a mistake that was reported keeps it from being
// known whether a step has to name its phase.
func (b *body) phaseUnsure(t *StepTemplate) bool {
	if t.Source.Phase.IsSet() {
		return false
	}
	sub := b.subs[t.ID]
	return b.misspelt(t, "phase") || t.Source.Use.IsSet() && (sub == nil || sub.unsure)
}

// checkPhases checks that every step has a phase. The steps of a sub-procedure
// name their phases all or none.
func (b *body) checkPhases() {
	lacking, having := 0, 0
	for _, t := range b.steps {
		switch {
		case b.phaseUnsure(t):
			b.unsure = true
		case b.lacksPhase(t):
			lacking++
		default:
			having++
		}
	}
	b.inherits = b.kind == subBody && lacking > 0 && having == 0
	if lacking == 0 || b.inherits {
		return
	}
	for _, t := range b.steps {
		if b.phaseUnsure(t) || !b.lacksPhase(t) {
			continue
		}
		d := b.ds.Errorf("PhaseMissing", t.Pos, "step %q has no phase", t.ID)
		if b.kind == subBody {
			d.Suggest("name the phase of every step of the sub-procedure, or of none")
		} else {
			d.Suggest("add phase: upgrade, or another of the phases")
		}
	}
}

// checkPhase checks that the action of a step is permitted in its phase. The
// position is that of the phase; what names the step.
func (b *body) checkPhase(t *StepTemplate, phase string, pos diag.Position, what string) {
	spec := t.Spec
	if spec.Name == "" {
		return
	}
	switch {
	case phase == phasePreflight && spec.Effect != action.ReadOnly:
		b.ds.Errorf("PhaseEffect", pos, "%s of phase preflight uses %s, which %s", what, spec.Name, doesWhat(spec)).
			Suggest("preflight only reads; move the step to prepare or upgrade")
	case phase == phaseVerify && spec.Effect == action.Mutating:
		b.ds.Errorf("PhaseEffect", pos, "%s of phase verify uses %s, which %s", what, spec.Name, doesWhat(spec)).
			Suggest("verify only reads, or creates objects of its own; move the step to upgrade or resume")
	case phase == phaseBackup && spec.Effect == action.Mutating && spec.MaxProof == 0 && t.Source.Lease == nil:
		b.ds.Errorf("PhaseEffect", pos,
			"%s of phase backup uses %s, which is neither a backup nor a proof of one", what, spec.Name).
			Suggest("move the step to quiesce or upgrade, or give it a lease")
	case phase == phasePrepare && (len(t.Source.Downtime) > 0 || len(t.Source.Quiesces) > 0):
		b.ds.Errorf("PhaseEffect", pos,
			"%s of phase prepare takes components down, and prepare may run before the window opens", what).
			Suggest("move the step to quiesce or upgrade")
	}
}

// checkInherited checks the steps of a sub-procedure that take their phase
// from the step that uses it.
func (b *body) checkInherited(user *StepTemplate, sub *SubTemplate, phase string) {
	for _, t := range sub.Steps {
		if t.Source.Phase.IsSet() {
			continue
		}
		if t.Sub != nil {
			b.checkInherited(user, t.Sub, phase)
			continue
		}
		what := "step \"" + t.ID + "\" of " + sub.File
		b.checkPhase(t, phase, user.Source.Phase.Pos, what)
		if phase == phasePreflight && t.Source.OnFailure.Value == onFailureContinue {
			b.preflightContinues(user.Source.Phase.Pos, what)
		}
	}
}
