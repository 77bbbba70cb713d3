package worker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/schema"
)

// How often gates look, and what gap in a soak is tolerated, when they do not
// say, as their pages have it.
const (
	conditionEvery = 30 * time.Second
	soakEvery      = time.Minute
	soakMaxGap     = 5 * time.Minute
)

// terms says how a gate that is a step is passed, from its input.
func (r *resolver) terms(step *plan.Step, with map[string]any) (*run.Terms, error) {
	t := &run.Terms{Kind: run.Wait(step.Gate), Count: 1}
	str := func(name string) string { s, _ := with[name].(string); return s }
	switch step.Gate {
	case action.GateApproval:
		t.Question, t.From = str("reason"), stringsOf(with["by"])
		if n, ok := with["count"].(int64); ok {
			t.Count = max(int(n), 1)
		}
	case action.GatePerson:
		t.Question, t.Undo = str("instructions"), str("undo")
		t.Evidence = stringsOf(with["evidence"])
	case action.GateCondition:
		t.Question = str("reason")
		if t.Question == "" {
			t.Question = fmt.Sprintf("fact %s is %s", str("fact"), show(with["equals"]))
		}
		t.Every = durationOr(with["every"], conditionEvery)
	case action.GateSoak:
		t.For, t.Every = durationOr(with["for"], 0), durationOr(with["every"], soakEvery)
		t.MaxGap = durationOr(with["maxGap"], soakMaxGap)
		var err error
		t.Checks, err = r.soakChecks(step, stringsOf(with["checks"]))
		return t, err
	default:
		return nil, fmt.Errorf("this program knows no gate of kind %q", step.Gate)
	}
	return t, nil
}

// soakChecks returns the ids in the plan of the steps that a soak repeats:
// those that are named, or all that verify.
func (r *resolver) soakChecks(gate *plan.Step, named []string) ([]string, error) {
	var checks []string
	level := r.scene.level(gate.Group)
	for _, name := range named {
		before := len(checks)
		for i := range r.scene.steps {
			s := &r.scene.steps[i]
			id := level + name
			if s.ID != id && !strings.HasPrefix(s.ID, id+"[") && !strings.HasPrefix(s.ID, id+"/") {
				continue
			}
			if s.Effect != action.ReadOnly || s.Gate != "" {
				return nil, fmt.Errorf("checks: step %q does not only look, so a soak cannot repeat it", s.ID)
			}
			checks = append(checks, s.ID)
		}
		if len(checks) == before {
			return nil, fmt.Errorf("checks: stage %q has no step %q", r.scene.stage.ID, level+name)
		}
	}
	if len(named) > 0 {
		return checks, nil
	}
	for i := range r.scene.steps {
		s := &r.scene.steps[i]
		// What needs the soak itself has not run before it.
		if s.Phase == plan.Verify && s.Effect == action.ReadOnly && s.Gate == "" && s.Skip == "" &&
			!slices.Contains(s.Needs, gate.ID) {
			checks = append(checks, s.ID)
		}
	}
	return checks, nil
}

func stringsOf(value any) []string {
	list, _ := value.([]any)
	var out []string
	for _, member := range list {
		if s, ok := member.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func durationOr(value any, def time.Duration) plan.Duration {
	s, _ := value.(string)
	if d, err := schema.ParseDuration(s); err == nil && d > 0 {
		return plan.Duration(d)
	}
	return plan.Duration(def)
}
