package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// effect is what an operation is about: an action with its input, on a target.
type effect struct {
	j      *job
	step   *plan.Step
	act    action.Action
	spec   action.Spec
	in     map[string]any
	before map[string]any
	env    action.Env
}

// record is what the history holds of an operation.
type record struct {
	op           run.Ref
	key          string
	with, before json.RawMessage
	artefact     *run.Artefact
	selection    []run.Selected
}

// effect finds the action of an operation and reads its input. refused is what
// is wrong with the operation, err Refit's own trouble.
func (j *job) effect(ctx context.Context, r record) (e *effect, refused, err error) {
	_, step, err := j.step(r.op.Stage, r.op.Step)
	if err != nil {
		return nil, nil, err
	}
	e = &effect{j: j, step: step, in: step.With}
	act, ok := j.w.o.Registry.Action(step.Action)
	if !ok {
		return nil, unknownAction(step.Action), nil
	}
	e.act, e.spec = act, act.Spec()
	if e.before, err = object(r.before); err != nil {
		return nil, invalidRecord("the state before the effect", err), nil
	}
	if r.artefact != nil {
		if r.with, err = j.fetch(ctx, r.artefact.Digest); err != nil {
			return nil, nil, err
		}
	}
	recorded, err := object(r.with)
	switch {
	case err != nil:
		return nil, invalidRecord("the input", err), nil
	case r.op.What == run.Restore:
		if refused := e.restore(r.op, recorded); refused != nil {
			return nil, refused, nil
		}
	case recorded != nil:
		e.in = recorded
	}
	e.env = j.world.Env(step.Target)
	e.env.Key, e.env.Origin, e.env.Proof = engine.EffectKey(r.op, r.key), j.Origin, step.Proof
	e.env.Members = membersOf(r.selection)
	e.env.Progress, e.env.Log, e.env.Children = j.Progress, j.Log, j.Children
	return e, nil, nil
}

// fetch returns a value that was too large for the history.
func (j *job) fetch(ctx context.Context, digest string) (json.RawMessage, error) {
	if j.Fetch == nil {
		return nil, fmt.Errorf("read artefact %s: the host does not hand it out", digest)
	}
	data, err := j.Fetch(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("read artefact %s: %w", digest, err)
	}
	return data, nil
}

// restore makes the operation one of the action that brings back what the step
// saved. Its input are the members of what the backup handed back, and of the
// backup's own input, that it has fields for.
func (e *effect) restore(op run.Ref, output map[string]any) error {
	name := e.spec.RestoreWith
	if name == "" {
		return &action.Error{
			Reason: reasonNoRestore, Effect: action.ExtentNone,
			Err: fmt.Errorf("%s names no action that restores its backups", e.spec.Name), Remedy: "restore it by hand",
		}
	}
	act, ok := e.j.w.o.Registry.Action(name)
	if !ok {
		return unknownAction(name)
	}
	given := maps.Clone(e.in)
	if given == nil {
		given = map[string]any{}
	}
	maps.Copy(given, output)
	if _, own := given["component"]; !own {
		given["component"] = op.Component
	}
	e.act, e.spec, e.in = act, act.Spec(), map[string]any{}
	for field := range e.spec.Input.Fields {
		if value, ok := given[field]; ok {
			e.in[field] = value
		}
	}
	return nil
}

func invalidRecord(what string, err error) error {
	return &action.Error{
		Reason: reasonInvalidRecord, Effect: action.ExtentNone,
		Err: fmt.Errorf("read %s from the history: %w", what, err),
	}
}

// object reads a JSON object; nothing is nil.
func object(raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil //nolint:nilnil // nothing was recorded, which is no error
	}
	value, err := action.ParseJSON(raw)
	if err != nil {
		return nil, err
	}
	m, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it is a %T, needs an object", value)
	}
	return m, nil
}

// look asks the action for its effect, within the time that an attempt of the
// step may take.
func (e *effect) look(ctx context.Context, attempted bool) (action.Observation, error) {
	env := e.env
	env.Attempted = attempted
	limit := time.Duration(e.step.Timeout)
	if limit <= 0 {
		limit = observe.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var obs action.Observation
	err := guarded(func() (err error) {
		obs, err = e.act.Observe(ctx, env, e.in)
		return err
	})
	if err != nil {
		return action.Observation{}, observe.TimeoutError(ctx, err, limit)
	}
	if obs.Progress != nil {
		env.Report(*obs.Progress)
	}
	return obs, nil
}
