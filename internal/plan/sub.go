package plan

import (
	"fmt"
	"maps"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/procedure"
)

// sub puts the steps of a sub-procedure in the place of the step that uses it.
func (x *expansion) sub(t *procedure.StepTemplate, scope expr.Scope, suffix, when, skip string) {
	id := x.prefix + t.ID + suffix
	group := Group{ID: id, Parent: x.group, When: when}
	inner := &expansion{
		stageBuilder: x.inner(), ids: map[string][]string{},
		prefix: id + "/", group: id, skip: skip,
		phase:     orElse(t.Source.Phase.Value, x.phase),
		onFailure: orElse(t.Source.OnFailure.Value, x.onFailure),
		targets:   through(t.Targets, x.targets), components: through(t.Components, x.components),
		deferredInputs: map[string]bool{},
	}
	if skip == "" {
		inputs, deferred := x.evalDeferred(t.With, scope, nil, fmt.Sprintf("with of step %q", id))
		group.Inputs, group.Deferred = withDefaults(t.Sub.Document, inputs), deferred
		for _, d := range deferred {
			inner.deferredInputs[firstSegment(d.Path)] = true
		}
	}
	inner.scope = expr.Scope{"inputs": group.Inputs, "platform": x.scope["platform"]}
	inner.expand(t.Sub.Steps)
	group.Outputs = outputs(t.Sub)
	if t.ForEach != nil && (len(group.Deferred) > 0 || when != "") {
		group.Scope = map[string]any{t.As: scope[t.As]}
	}
	x.out = append(x.out, inner.out...)
	x.stage.Groups = append(x.stage.Groups, group)
}

// inner returns a copy of the stage's builder whose scope can be replaced; all
// else is shared.
func (x *expansion) inner() *stageBuilder {
	inner := *x.stageBuilder
	return &inner
}

// through maps the names of a sub-procedure to those of the procedure, over
// all uses between them.
func through(names, outer map[string]string) map[string]string {
	out := maps.Clone(names)
	for inner, name := range out {
		out[inner] = mapped(outer, name)
	}
	return out
}

// withDefaults adds the defaults of the sub-procedure's inputs.
func withDefaults(d *procedure.Document, inputs map[string]any) map[string]any {
	out := maps.Clone(inputs)
	if out == nil {
		out = map[string]any{}
	}
	for _, in := range d.Inputs {
		if _, given := out[in.Name]; !given && in.Value.Default != nil {
			out[in.Name] = in.Value.Default.Plain()
		}
	}
	return out
}

// outputs are the texts of the sub-procedure's outputs; they are evaluated in
// the scope of the group when a step needs them.
func outputs(sub *procedure.SubTemplate) map[string]any {
	if len(sub.Outputs) == 0 {
		return nil
	}
	out := map[string]any{}
	for _, o := range sub.Outputs {
		out[o.Name] = o.Value.Source()
	}
	return out
}

// firstSegment returns the first name of a JSON pointer.
func firstSegment(pointer string) string {
	if pointer == "" {
		return ""
	}
	for i := 1; i < len(pointer); i++ {
		if pointer[i] == '/' {
			return pointer[1:i]
		}
	}
	return pointer[1:]
}
