package worker

import (
	"fmt"
	"maps"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/plan"
)

// observed returns the facts that expressions of the stage see: those of the
// plan with what the stages before it leave and what it expects. They were
// compared with the world when the stage started.
func (r *resolver) observed() (map[string]any, error) {
	if r.facts != nil {
		return r.facts, nil
	}
	facts := r.p.Facts
	for i := range r.p.Stages {
		st := &r.p.Stages[i]
		facts = overlay(facts, st.Expects)
		if st == r.scene.stage {
			break
		}
		facts = overlay(facts, st.Leaves)
	}
	if facts == nil {
		facts = map[string]any{}
	}
	// A large value is expected by its digest only. The plan holds it unless a
	// stage changes it.
	for _, c := range plan.CompareFacts(r.scene.stage, facts) {
		return nil, fmt.Errorf("the plan does not hold the value of the fact %s, only its digest: "+
			"hand it over in the output of a step", c.Fact)
	}
	r.facts = facts
	return facts, nil
}

// overlay returns facts with the values that the author declared. All others
// are in facts already.
func overlay(facts map[string]any, declared []plan.Expect) map[string]any {
	for _, e := range declared {
		path, err := expr.ParsePath(e.Fact)
		if err != nil || !e.Declared || e.Digest != "" || e.Absent {
			continue
		}
		facts = set(facts, path, e.Value)
	}
	return facts
}

// set returns facts with the value at path replaced; facts stay as they are.
func set(facts map[string]any, path expr.Reference, value any) map[string]any {
	out := maps.Clone(facts)
	if out == nil {
		out = map[string]any{}
	}
	if len(path) == 1 {
		out[path[0]] = value
		return out
	}
	child, _ := out[path[0]].(map[string]any)
	out[path[0]] = set(child, path[1:], value)
	return out
}

// lookup returns the value at a path below observe, and whether it is there.
func lookup(facts map[string]any, path expr.Reference) (any, bool) {
	var current any = facts
	for _, name := range path {
		m, ok := current.(map[string]any)
		if !ok {
			return nil, false
		}
		if current, ok = m[name]; !ok {
			return nil, false
		}
	}
	return current, true
}
