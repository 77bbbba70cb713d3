package worker

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// resolve evaluates what is known of a step only now.
func (j *job) resolve(c run.Resolve) (run.Body, error) {
	s, step, err := j.step(c.Stage, c.Step)
	if err != nil {
		return nil, err
	}
	r := &resolver{w: j.w, p: j.Plan, scene: s, outputs: c.Outputs}
	e := &run.StepResolved{Stage: c.Stage, Step: c.Step, Turn: c.Turn}
	if err := r.step(step, e); err != nil {
		// What is wrong with the values is a failure of the step.
		return &run.StepResolved{
			Stage: c.Stage, Step: c.Step, Turn: c.Turn,
			Error: oneLine(fmt.Sprintf("step %q of stage %q: %v", c.Step, c.Stage, err)),
		}, nil
	}
	return e, nil
}

// step fills in the event. The error is about the values.
func (r *resolver) step(step *plan.Step, e *run.StepResolved) error {
	var err error
	if e.Skip, err = r.skipped(step); err != nil || e.Skip != "" {
		return err
	}
	if step.ForEach != nil {
		e.Members, err = r.members(step)
		return err
	}
	with, err := r.with(step)
	if err != nil {
		return err
	}
	if step.Gate != "" {
		if e.Terms, err = r.terms(step, with); err != nil {
			return err
		}
	}
	if len(step.Deferred) == 0 && !r.groupDefers(step.Group) && step.Gate == "" {
		return nil // The input of the plan counts.
	}
	if e.With, err = json.Marshal(with); err != nil {
		return fmt.Errorf("with: %w", err)
	}
	if len(e.With) > maxInput {
		return fmt.Errorf("its input has %d bytes, at most %d are kept: hand over the name of a file instead",
			len(e.With), maxInput)
	}
	return nil
}

// maxInput is the size of the largest input, of all members together, that is
// known only while running: it stands in an event.
const maxInput = 48 << 10

// groupDefers tells whether inputs of a group, or of those around it, are known
// only while running.
func (r *resolver) groupDefers(id string) bool {
	for g := r.scene.group(id); g != nil; g = r.scene.group(g.Parent) {
		if len(g.Deferred) > 0 {
			return true
		}
	}
	return false
}

// skipped says why a step does not run; empty when it does.
func (r *resolver) skipped(step *plan.Step) (string, error) {
	if g := r.scene.group(step.Group); g != nil {
		if skip, err := r.groupSkipped(g); err != nil || skip != "" {
			return skip, err
		}
	}
	return r.condition(step.When, step.Group, step.Scope)
}

// groupSkipped says why the steps of a sub-procedure do not run.
func (r *resolver) groupSkipped(g *plan.Group) (string, error) {
	if parent := r.scene.group(g.Parent); parent != nil {
		if skip, err := r.groupSkipped(parent); err != nil || skip != "" {
			return skip, err
		}
	}
	return r.condition(g.When, g.Parent, g.Scope)
}

func (r *resolver) condition(when, group string, scope map[string]any) (string, error) {
	if when == "" {
		return "", nil
	}
	value, err := r.eval(text(when), group, scope)
	if err != nil {
		return "", fmt.Errorf("when: %w", err)
	}
	holds, ok := value.(bool)
	switch {
	case !ok:
		return "", fmt.Errorf("when: %s is not true or false", when)
	case holds:
		return "", nil
	}
	return "not needed: " + when + " is false", nil
}

// with returns the input of a step; extra is the member of its forEach.
func (r *resolver) with(step *plan.Step, extra ...map[string]any) (map[string]any, error) {
	with, err := r.fill(step.With, step.Deferred, step.Group, append([]map[string]any{step.Scope}, extra...)...)
	if err != nil {
		return nil, fmt.Errorf("with %w", err)
	}
	act, ok := r.w.o.Registry.Action(step.Action)
	if !ok {
		return with, nil // The observation says so.
	}
	if checker, ok := act.(action.Checker); ok {
		if err := checker.Check(with); err != nil {
			return nil, err
		}
	}
	return with, nil
}

// members evaluates a forEach. More members than the plan allows are counted by
// the core, which needs only their keys for that.
func (r *resolver) members(step *plan.Step) ([]run.Member, error) {
	each := step.ForEach
	value, err := r.eval(text(each.Expr), step.Group, step.Scope)
	if err != nil {
		return nil, fmt.Errorf("forEach: %w", err)
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("forEach: %s does not give a list", each.Expr)
	}
	const most = 1000
	if len(list) > max(most, each.Max) {
		return nil, fmt.Errorf("forEach: it has %d members, the plan allows %d: make a new plan", len(list), each.Max)
	}
	members, size := make([]run.Member, len(list)), 0
	seen := map[string]bool{}
	for i, item := range list {
		scope := map[string]any{each.As: item}
		if members[i].Key, err = r.key(each, step, i, scope); err != nil {
			return nil, err
		}
		if seen[members[i].Key] {
			return nil, fmt.Errorf("forEach: two members have the key %q: write a key that differs for every member",
				members[i].Key)
		}
		seen[members[i].Key] = true
		if len(list) > each.Max {
			continue
		}
		with, err := r.with(step, scope)
		if err != nil {
			return nil, fmt.Errorf("member %q: %w", members[i].Key, err)
		}
		if members[i].With, err = json.Marshal(with); err != nil {
			return nil, fmt.Errorf("member %q: %w", members[i].Key, err)
		}
		if size += len(members[i].With) + len(members[i].Key); size > maxInput {
			return nil, fmt.Errorf("forEach: the inputs of its %d members have more than %d bytes: "+
				"hand over the names of files instead", len(list), maxInput)
		}
	}
	return members, nil
}

// key names one member.
func (r *resolver) key(each *plan.ForEach, step *plan.Step, i int, member map[string]any) (string, error) {
	if each.Key == "" {
		return strconv.Itoa(i), nil
	}
	value, err := r.eval(text(each.Key), step.Group, step.Scope, member)
	if err != nil {
		return "", fmt.Errorf("key of member %d: %w", i, err)
	}
	key := fmt.Sprint(value)
	if !plan.ValidKey(key) {
		return "", fmt.Errorf("%q cannot be the key of a member: use 1 to 63 letters, digits and . _ - @ : +", key)
	}
	return key, nil
}
