package procedure

import (
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/yamldoc"
)

// remedies compiles the conditions of known issues against what the procedure
// observes, and the steps that Refit takes by itself when it meets one. They stand
// beside the steps of every stage, so they see what is the same for all of them.
func (f *file) remedies(env *expr.Env, taken []string, set *issues.Set) []RemedyTemplate {
	if set == nil {
		return nil
	}
	conditions, ds := set.Check(f.inputs, f.observed)
	f.ds = append(f.ds, ds...)
	for _, t := range conditions {
		f.checkSensitive(t, false)
	}
	written := set.Remedies()
	if len(written) == 0 {
		return nil
	}
	steps := make(yamldoc.Ordered[Step], len(written))
	for i, w := range written {
		steps[i] = yamldoc.Named[Step]{Name: w.Name, Pos: w.Pos, Value: remedyStep(w.Value)}
	}
	b := &body{file: f, kind: remedyBody, env: env, taken: taken}
	out := make([]RemedyTemplate, len(written))
	for i, t := range b.compileBody(steps) {
		out[i] = RemedyTemplate{Max: written[i].Value.Max, Step: t}
		if refersTo(t.With, varSteps) || refersTo(t.When, varSteps) {
			f.ds.Errorf("NotKnownWhenPlanning", t.Pos, "the remedy of issue %q uses outputs of steps", t.ID).
				Suggest("use inputs or facts: a remedy may be taken before any step has ended")
		}
		if t.Spec.Gate != "" {
			f.ds.Errorf("RemedyWaits", t.Pos, "the remedy of issue %q waits for somebody or something", t.ID).
				Suggest("write it into suggest: a person does it")
		}
	}
	return out
}

// remedyStep returns the step that a remedy is. It belongs to the phase upgrade,
// so that no change is made before the checks are over and the window is open.
func remedyStep(d *issues.StepDocument) Step {
	return Step{
		Description: d.Description, Action: d.Action, With: d.With, Target: d.Target, When: d.When,
		Changes: d.Changes, Downtime: d.Downtime, Timeout: d.Timeout, Reversible: d.Reversible,
		Phase: yamldoc.Text{Value: phaseUpgrade, Pos: d.Action.Pos},
	}
}
