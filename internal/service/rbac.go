package service

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/secret"
)

// RBAC returns the least that the clusters of a plan must permit to carry it out: what
// its facts, steps and ways back ask for, its secrets, the identities and the locks of
// its targets. The platform file of the plan is in dir. Nothing is changed; an action
// may ask its target, such as what kinds it knows.
func (s *Service) RBAC(ctx context.Context, p *plan.Plan, dir string) (report.RBAC, error) {
	c := &rights{
		w: s.newWorld(dir, p.Targets), targets: observe.ActionTargets(p.Targets), needs: map[string]*report.RBACNeed{},
	}
	for _, t := range p.Targets {
		if t.Kind == kube.KindTarget {
			c.target(ctx, t.Name, t.Kind)
		}
	}
	for _, ch := range p.Channels {
		c.secret("channel "+ch.Name, "", ch.Address)
	}
	for _, o := range p.Observe {
		c.step(ctx, "fact "+o.Name, o.Action, o.Target, o.With, nil)
	}
	for i := range p.Stages {
		c.stage(ctx, &p.Stages[i])
	}
	if err := ctx.Err(); err != nil {
		return report.RBAC{}, err
	}
	var needs []report.RBACNeed
	for _, name := range slices.Sorted(maps.Keys(c.needs)) {
		needs = append(needs, *c.needs[name])
	}
	return report.BuildRBAC(p.Platform, needs), nil
}

// rights collects what is asked of clusters.
type rights struct {
	w       *world
	targets []action.Target
	needs   map[string]*report.RBACNeed
}

// openf notes what is not known of a target.
func (c *rights) openf(target, format string, args ...any) {
	if n := c.needs[target]; n != nil {
		n.Open = append(n.Open, fmt.Sprintf(format, args...))
	}
}

// target begins the list of a cluster with what its identity and its lock ask for.
func (c *rights) target(ctx context.Context, name, kind string) {
	c.needs[name] = &report.RBACNeed{Target: name}
	if k, ok := c.w.s.o.Registry.TargetKind(kind); ok {
		if a, ok := k.(action.Accessor); ok {
			c.ask(ctx, "the target itself", name, a, nil)
		}
	}
}

// stage collects what the steps of a stage ask for, those of its way back too.
func (c *rights) stage(ctx context.Context, st *plan.Stage) {
	steps := st.Steps
	if st.Abort != nil {
		steps = slices.Concat(steps, st.Abort.Steps)
	}
	for i := range steps {
		step := &steps[i]
		if step.Skip != "" {
			continue
		}
		what := plan.StepPath(st.ID, step.ID)
		c.step(ctx, what, step.Action, step.Target, step.With, step.Deferred)
		if spec, ok := c.w.s.o.Registry.Spec(step.Action); ok && spec.RestoreWith != "" {
			c.restore(ctx, what, spec.RestoreWith, step)
		}
	}
}

// step collects what an action with its input asks for.
func (c *rights) step(
	ctx context.Context, what, name, target string, with map[string]any, deferred []plan.Deferred,
) {
	act, ok := c.w.s.o.Registry.Action(name)
	if !ok {
		c.openf(target, "%s: this program has no action %s", what, name)
		return
	}
	c.secrets(what, target, act.Spec().Input, with)
	if c.needs[target] == nil {
		return
	}
	if a, ok := act.(action.Accessor); ok {
		c.ask(ctx, fmt.Sprintf("%s with %s", what, name), target, a, knownFields(act.Spec().Input, with, deferred))
	}
	for _, d := range deferred {
		c.openf(target, "%s: its field %s is only known when it starts", what, d.Path)
	}
}

// knownFields leaves out what is only known when the step starts, as far as the input can
// do without: an action is asked with what a person would have left out too.
func knownFields(input schema.Type, with map[string]any, deferred []plan.Deferred) map[string]any {
	known := maps.Clone(with)
	for _, d := range deferred {
		field, _, _ := strings.Cut(strings.TrimPrefix(d.Path, "/"), "/")
		if !input.Fields[field].Required {
			delete(known, field)
		}
	}
	return known
}

// restore collects what the action asks for that brings back what a step saves. Its
// input is known as far as it is that of the backup.
func (c *rights) restore(ctx context.Context, what, name string, step *plan.Step) {
	act, ok := c.w.s.o.Registry.Action(name)
	if !ok {
		return
	}
	with := map[string]any{}
	for field, f := range act.Spec().Input.Fields {
		switch value, given := step.With[field]; {
		case given:
			with[field] = value
		case f.Required && f.Type.Kind == schema.String:
			with[field] = "x" // what the backup hands out; it decides no right
		}
	}
	if a, ok := act.(action.Accessor); ok && c.needs[step.Target] != nil {
		c.ask(ctx, fmt.Sprintf("the way back of %s with %s", what, name), step.Target, a, with)
	}
}

// ask asks an action what it needs. What is still an expression is left out, and said.
func (c *rights) ask(ctx context.Context, what, target string, a action.Accessor, with map[string]any) {
	ctx, cancel := context.WithTimeout(ctx, previewTimeout)
	defer cancel()
	list, known, err := a.Access(ctx, c.w.Env(target), with)
	switch {
	case err != nil:
		c.openf(target, "%s: %v", what, err)
		return
	case !known:
		c.openf(target, "%s does not say what it needs", what)
		return
	}
	for _, access := range list {
		if slices.ContainsFunc(append([]string{access.Namespace}, access.Names...), isExpression) {
			c.openf(target, "%s: %s %s is only known when it starts",
				what, strings.Join(access.Verbs, ", "), access.Resource)
			continue
		}
		c.needs[target].Access = append(c.needs[target].Access, access)
	}
}

func isExpression(text string) bool { return strings.Contains(text, "${") }

// secrets collects the Secrets of clusters that an input refers to.
func (c *rights) secrets(what, own string, t schema.Type, value any) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			c.secrets(what, own, t.ElemType(), item)
		}
	case map[string]any:
		if t.Kind == schema.Secret {
			c.secret(what, own, v)
			return
		}
		for key, item := range v {
			field := t.ElemType()
			if t.Kind == schema.Object {
				field = t.Fields[key].Type
			}
			c.secrets(what, own, field, item)
		}
	}
}

// secret collects one reference, and that to the key of a captured one.
func (c *rights) secret(what, own string, plain map[string]any) {
	ref, err := secret.Parse(plain)
	if err != nil {
		return
	}
	if ref.Captured != nil {
		c.secret(what, own, ref.Captured.Key)
	}
	if ref.Kubernetes == nil {
		return
	}
	target, err := secret.ClusterOf(c.targets, own, ref.Kubernetes.Target)
	if err != nil {
		return // The step says so when it starts.
	}
	if isExpression(ref.Kubernetes.Namespace) || isExpression(ref.Kubernetes.Name) {
		c.openf(target.Name, "%s: get secrets is only known when it starts", what)
		return
	}
	c.needs[target.Name].Access = append(c.needs[target.Name].Access, action.Access{
		Resource: "secrets", Namespace: ref.Kubernetes.Namespace,
		Names: []string{ref.Kubernetes.Name}, Verbs: []string{"get"},
	})
}
