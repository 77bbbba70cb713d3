package issues

import (
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
)

// The variables of conditions.
const (
	varFailure = "failure"
	varObserve = "observe"
	varInputs  = "inputs"
)

func boolean() schema.Type { return schema.Of(schema.Bool) }

// anyFacts is the type of facts and inputs of which nothing is known.
func anyFacts() schema.Type { return schema.Of(schema.Any) }

// FailureType is the type of the variable failure in conditions.
func FailureType() schema.Type {
	text := schema.Of(schema.String)
	return schema.ObjectOf(map[string]schema.Field{
		"stage":   {Type: text, Required: true, Doc: "Id of the stage."},
		"step":    {Type: text, Required: true, Doc: "Id of the step."},
		"action":  {Type: text, Required: true, Doc: "Action of the step, without its version."},
		"phase":   {Type: text, Required: true, Doc: "Phase of the step."},
		"target":  {Type: text, Required: true, Doc: "Target of the step; empty without one."},
		"reason":  {Type: text, Required: true, Doc: "Reason of the failure."},
		"message": {Type: text, Required: true, Doc: "Message of the failure."},
	})
}

// newEnv returns the variables of conditions.
func newEnv(inputs, observed schema.Type) (*expr.Env, error) {
	return expr.NewEnv(map[string]schema.Type{varFailure: FailureType(), varObserve: observed, varInputs: inputs})
}

// Failure is what is known of the failure of a step.
type Failure struct {
	Stage, Step, Action, Phase, Target string
	Reason, Message                    string
	// Texts are what the step wrote and left behind, in the order in which they
	// are looked at.
	Texts []Text
}

// Text is something that a failed step wrote or left behind.
type Text struct {
	// Name says what it is: "log".
	Name, Data string
}

// values returns the variable failure.
func (f *Failure) values() map[string]any {
	return map[string]any{
		"stage": f.Stage, "step": f.Step, "action": baseName(f.Action), "phase": f.Phase, "target": f.Target,
		"reason": f.Reason, "message": f.Message,
	}
}

// baseName returns the name of an action without its version.
func baseName(action string) string {
	name, _, _ := strings.Cut(action, "@")
	return name
}

// holds evaluates a condition. What cannot be evaluated does not hold.
func holds(t *expr.Template, f *Failure, scope expr.Scope) bool {
	full := expr.Scope{varFailure: f.values(), varObserve: map[string]any{}, varInputs: map[string]any{}}
	for _, name := range []string{varObserve, varInputs} {
		if value, given := scope[name]; given {
			full[name] = value
		}
	}
	value, err := t.Eval(full)
	return err == nil && value == true
}

// facts adds the names of the facts that a condition speaks of. The name "" stands
// for all.
func facts(t *expr.Template, to []string) []string {
	if t == nil {
		return to
	}
	for _, ref := range t.References() {
		name := ""
		if ref[0] != varObserve {
			continue
		}
		if len(ref) > 1 {
			name = ref[1]
		}
		if !slices.Contains(to, name) {
			to = append(to, name)
		}
	}
	return to
}
