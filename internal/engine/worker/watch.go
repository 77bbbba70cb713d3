package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/schema"
)

// condition looks whether the fact of a gate has its value. When it is not
// possible to ask, it does not hold yet.
func (j *job) condition(ctx context.Context, c run.EvaluateCondition) (run.Body, error) {
	_, step, err := j.step(c.Gate.Stage, c.Gate.Step)
	if err != nil {
		return nil, err
	}
	e := &run.ConditionAnswered{Gate: c.Gate, Turn: c.Turn}
	in, err := object(c.With)
	if err != nil {
		return nil, fmt.Errorf("read the input of gate %q: %w", c.Gate.Step, err)
	}
	if in == nil {
		in = step.With
	}
	value, why := j.factAt(ctx, in["fact"])
	if why != "" {
		e.Message = oneLine(why)
		return e, nil
	}
	if e.Holds = equal(value, in["equals"]); !e.Holds {
		e.Message = oneLine(fmt.Sprintf("fact %v is %s, waiting for %s", in["fact"], show(value), show(in["equals"])))
		return e, nil
	}
	e.Output, err = encodeBefore(map[string]any{"value": value})
	return e, err
}

// factAt observes a fact and returns the value at a path of it, or why there is
// none.
func (j *job) factAt(ctx context.Context, path any) (any, string) {
	name, _ := path.(string)
	ref, err := expr.ParsePath(name)
	if err != nil || len(ref) == 0 {
		return nil, fmt.Sprintf("%q is not the path of a fact: mend the procedure and plan again", name)
	}
	i := slices.IndexFunc(j.Plan.Observe, func(o plan.Observe) bool { return o.Name == ref[0] })
	if i < 0 {
		return nil, fmt.Sprintf("the plan has no fact %q: mend the procedure and plan again", ref[0])
	}
	var fact map[string]any
	err = guarded(func() (err error) {
		fact, err = j.world.Fact(ctx, j.Plan.Observe[i])
		return err
	})
	if err != nil {
		return nil, err.Error()
	}
	value, there := lookup(map[string]any{ref[0]: fact}, ref)
	if !there {
		return nil, fmt.Sprintf("the fact %s is not there", name)
	}
	return value, ""
}

// soak carries out the checks of a soak. One that could not be asked is no
// regression and no proof of health.
func (j *job) soak(ctx context.Context, c run.ObserveSoak) (run.Body, error) {
	e := &run.SoakObserved{Gate: c.Gate, Turn: c.Turn, Healthy: true}
	for _, id := range c.Checks {
		_, step, err := j.step(c.Gate.Stage, id)
		if err != nil {
			return nil, err
		}
		for _, member := range members(step, c.With) {
			op := run.Ref{What: run.Do, Stage: c.Gate.Stage, Step: id, Member: member}
			check, refused, err := j.effect(ctx, record{
				op: op, key: j.Run + "/" + c.Gate.Stage + "/" + named(op), with: c.With[named(op)],
			})
			if err != nil {
				return nil, err
			}
			switch status, message := check.health(ctx, refused); status {
			case action.Done:
			case "":
				e.NotAsked, e.Message = true, oneLine(id+": "+message)
			default:
				e.Healthy, e.NotAsked, e.Message = false, false, oneLine(id+": "+message)
				return e, nil
			}
		}
	}
	e.Healthy = !e.NotAsked
	return e, nil
}

// health looks once at a check; refused is why it makes no sense. The empty
// status means that it was not possible to ask.
func (e *effect) health(ctx context.Context, refused error) (action.Status, string) {
	if refused != nil {
		return action.Failed, refused.Error()
	}
	obs, err := e.look(ctx, false)
	switch {
	case permanent(err):
		return action.Failed, err.Error()
	case err != nil:
		return "", err.Error()
	}
	return obs.Status, observe.StatusText(obs)
}

// named is how the core calls an operation of a check among those of a stage.
func named(op run.Ref) string {
	if op.Member == "" {
		return op.Step
	}
	return op.Step + "[" + op.Member + "]"
}

// members returns the members of a check, by the inputs that were recorded for
// them; a step without members has the one that is called "".
func members(step *plan.Step, with map[string]json.RawMessage) []string {
	if step.ForEach == nil {
		return []string{""}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(with)) {
		if key, ok := strings.CutPrefix(name, step.ID+"["); ok {
			out = append(out, strings.TrimSuffix(key, "]"))
		}
	}
	return out
}

// equal compares plain values: 3 and 3.0 are the same.
func equal(a, b any) bool {
	left, err := schema.CanonicalJSON(a)
	if err != nil {
		return false
	}
	right, err := schema.CanonicalJSON(b)
	return err == nil && bytes.Equal(left, right)
}
