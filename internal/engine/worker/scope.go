package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// The variables of expressions, as the planner names them.
const (
	varInputs   = "inputs"
	varObserve  = "observe"
	varPlatform = "platform"
	varPath     = "path"
	varSteps    = "steps"
)

// newEnv returns the variables of all expressions. Types were checked when the
// procedure was loaded; here every value shows its own.
func newEnv() (*expr.Env, error) {
	vars := map[string]schema.Type{}
	for _, name := range []string{varInputs, varObserve, varPlatform, varPath, varSteps} {
		vars[name] = schema.Of(schema.Any)
	}
	return expr.NewEnv(vars)
}

// resolver evaluates the expressions of one stage that had to wait for it to
// run.
type resolver struct {
	w       *Worker
	p       *plan.Plan
	scene   scene
	outputs map[string]json.RawMessage
	facts   map[string]any
}

// eval evaluates a text, or a value with texts in it, that stands in a group;
// extra are the members of forEach around it.
func (r *resolver) eval(node *yamldoc.Node, group string, extra ...map[string]any) (any, error) {
	members := map[string]any{}
	if group == "" {
		for name, value := range r.scene.stage.Scope {
			if !slices.Contains([]string{varInputs, varPlatform, varPath}, name) {
				members[name] = value
			}
		}
	}
	for _, more := range extra {
		maps.Copy(members, more)
	}
	vars := make(map[string]schema.Type, len(members))
	for name := range members {
		vars[name] = schema.Of(schema.Any)
	}
	env, err := r.w.env.With(vars)
	if err != nil {
		return nil, err
	}
	t, ds := env.CompileTemplate(node, schema.Of(schema.Any))
	if t == nil {
		return nil, errors.New(strings.ReplaceAll(strings.TrimSpace(ds.Error()), "\n", "; "))
	}
	scope, err := r.scope(t.References(), group)
	if err != nil {
		return nil, err
	}
	maps.Copy(scope, members)
	value, err := t.Eval(scope)
	if failed, ok := errors.AsType[*expr.EvalError](err); ok {
		return nil, errors.New(failed.Text())
	}
	return value, err
}

// scope returns the values of the variables that are referred to, and of no
// others: an output that nobody reads may be missing.
func (r *resolver) scope(refs []expr.Reference, group string) (expr.Scope, error) {
	scope := expr.Scope{}
	steps := map[string]any{}
	for _, ref := range refs {
		switch {
		case ref[0] == varPlatform, ref[0] == varPath:
			// The planner kept what is referred to.
			scope[ref[0]] = r.scene.stage.Scope[ref[0]]
		case ref[0] == varObserve:
			facts, err := r.observed()
			if err != nil {
				return nil, err
			}
			scope[varObserve] = facts
		case ref[0] == varSteps && len(ref) > 1:
			value, err := r.stepValue(r.scene.level(group) + ref[1])
			if err != nil {
				return nil, err
			}
			steps[ref[1]] = value
			scope[varSteps] = steps
		}
	}
	inputs, err := r.inputs(refs, group)
	scope[varInputs] = inputs
	return scope, err
}

// inputs returns the inputs of the procedure or of a group. Those of a group
// that are referred to and were not known before are evaluated now.
func (r *resolver) inputs(refs []expr.Reference, id string) (map[string]any, error) {
	if id == "" {
		return r.p.Inputs, nil
	}
	g := r.scene.group(id)
	if g == nil {
		return nil, fmt.Errorf("the plan has no group %q", id)
	}
	var late []plan.Deferred
	for _, d := range g.Deferred {
		if slices.ContainsFunc(refs, func(ref expr.Reference) bool {
			return ref[0] == varInputs && (len(ref) == 1 || ref[1] == firstToken(d.Path))
		}) {
			late = append(late, d)
		}
	}
	value, err := r.fill(g.Inputs, late, g.Parent, g.Scope)
	if err != nil {
		return nil, fmt.Errorf("inputs of %q: %w", id, err)
	}
	return value, nil
}

// fill returns value with its deferred places evaluated.
func (r *resolver) fill(
	value map[string]any, places []plan.Deferred, group string, extra ...map[string]any,
) (map[string]any, error) {
	if len(places) == 0 {
		return value, nil
	}
	out, _ := clonePlain(value).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	for _, d := range places {
		v, err := r.eval(text(d.Text), group, extra...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Path, err)
		}
		if err := put(out, d.Path, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// stepValue returns what an expression sees of the step with an id: its
// output, or the outputs of its members. Nothing is there where the step was
// skipped.
func (r *resolver) stepValue(id string) (map[string]any, error) {
	single, list := false, []any{}
	complete, dynamic := true, false
	found := map[string]any{}
	add := func(key string, value any, there bool) {
		if key == id {
			single, found["output"] = true, value
		}
		complete = complete && there
		list = append(list, value)
	}
	for i := range r.scene.steps {
		s := &r.scene.steps[i]
		if !isOrMember(s.ID, id) {
			continue
		}
		value, there, err := r.output(s)
		if err != nil {
			return nil, err
		}
		dynamic = dynamic || s.ForEach != nil
		add(s.ID, value, there)
	}
	for i := range r.scene.groups {
		g := &r.scene.groups[i]
		if !isOrMember(g.ID, id) {
			continue
		}
		value, there, err := r.groupOutput(g)
		if err != nil {
			return nil, err
		}
		add(g.ID, value, there)
	}
	switch {
	case !complete:
		return map[string]any{}, nil
	case dynamic:
		return map[string]any{"outputs": found["output"]}, nil
	case single:
		return found, nil
	}
	return map[string]any{"outputs": list}, nil
}

// isOrMember tells whether id is the name itself or a member of its forEach, and
// not something below it.
func isOrMember(id, name string) bool {
	rest, ok := strings.CutPrefix(id, name)
	return ok && (rest == "" || strings.HasPrefix(rest, "[") && !strings.Contains(rest, "/"))
}

// output reads the output of one step.
func (r *resolver) output(s *plan.Step) (any, bool, error) {
	raw := r.outputs[s.ID]
	if raw == nil {
		return nil, false, nil
	}
	value, err := action.ParseJSON(raw)
	if err != nil {
		return nil, false, fmt.Errorf("output of step %q: %w", s.ID, err)
	}
	t := schema.Of(schema.Any)
	if spec, ok := r.w.o.Registry.Spec(s.Action); ok {
		t = spec.Output
	}
	if s.ForEach != nil {
		t = schema.ListOf(t)
	}
	return conform(t, value), value != nil, nil
}

// groupOutput evaluates the outputs of a sub-procedure. It has none when its
// steps were skipped.
func (r *resolver) groupOutput(g *plan.Group) (any, bool, error) {
	if skip, err := r.groupSkipped(g); err != nil || skip != "" {
		return nil, false, err
	}
	if !slices.ContainsFunc(r.scene.steps, func(s plan.Step) bool {
		return strings.HasPrefix(s.ID, g.ID+"/") && s.Skip == ""
	}) {
		return nil, false, nil
	}
	value, err := r.eval(nodeOf(g.Outputs), g.ID)
	if err != nil {
		return nil, false, fmt.Errorf("outputs of %q: %w", g.ID, err)
	}
	return value, true, nil
}
