package run_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// outputs drives a plan of one stage until it asks to resolve a step and
// returns the outputs that it hands out for that.
func outputs(t *testing.T, st plan.Stage, step string) map[string]string {
	t.Helper()
	st.ID, st.Digest = "s1", "sha256:s1"
	for i := range st.Steps {
		st.Steps[i].Phase, st.Steps[i].OnFailure = plan.Upgrade, "halt"
		if st.Steps[i].Effect == "" {
			st.Steps[i].Effect, st.Steps[i].Reversible = action.Mutating, plan.ReversibleUndo
		}
		if i > 0 {
			st.Steps[i].Needs = []string{st.Steps[i-1].ID}
		}
	}
	p := &plan.Plan{Digest: "sha256:plan", Stages: []plan.Stage{st}}
	s, err := run.Advance(run.New(p, "r"), run.Event{Seq: 1, Body: &run.Started{Digest: p.Digest, Parallel: 4}})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(p, 0)
	for range 100 {
		c := run.Pending(s)[0]
		if r, ok := c.(run.Resolve); ok && r.Step == step {
			got := map[string]string{}
			for id, data := range r.Outputs {
				got[id] = string(data)
			}
			return got
		}
		body, _ := w.answer(c, s.At)
		if e, ok := body.(*run.OperationEnded); ok {
			e.Output = json.RawMessage(`"` + where(e.Op) + `"`)
		}
		if s, err = run.Advance(s, run.Event{Seq: s.Seq + 1, At: s.At.Add(time.Minute), Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the step was not reached")
	return nil
}

func TestResolveBringsOutputs(t *testing.T) {
	t.Parallel()
	deferred := func(texts ...string) []plan.Deferred {
		var out []plan.Deferred
		for _, text := range texts {
			out = append(out, plan.Deferred{Path: "/x", Text: text})
		}
		return out
	}
	each := &plan.ForEach{Expr: "${steps.a.output.list}", As: "item", Max: 3}
	a, b := plan.Step{ID: "a"}, plan.Step{ID: "b-1"}
	cases := map[string]struct {
		reason string
		stage  plan.Stage
		step   string
		want   []string
	}{
		"Value":     {"a deferred value", plan.Stage{Steps: []plan.Step{a, b, {ID: "c", Deferred: deferred("${steps.a.output.x}")}}}, "c", []string{"a"}},
		"Dashes":    {"a name in brackets", plan.Stage{Steps: []plan.Step{a, b, {ID: "c", Deferred: deferred(`${steps["b-1"].output.x}`)}}}, "c", []string{"b-1"}},
		"Spaces":    {"spaces and single quotes", plan.Stage{Steps: []plan.Step{a, b, {ID: "c", Deferred: deferred(`${steps [ 'b-1' ].output.x + steps . a.output}`)}}}, "c", []string{"a", "b-1"}},
		"Escaped":   {"a name that cannot be read brings all", plan.Stage{Steps: []plan.Step{a, b, {ID: "c", Deferred: deferred(`${steps["b\u002d1"].output.x}`)}}}, "c", []string{"a", "b-1"}},
		"Condition": {"a condition", plan.Stage{Steps: []plan.Step{a, {ID: "c", When: "${steps.a.output.x > 1}"}}}, "c", []string{"a"}},
		"ForEach":   {"the list of members", plan.Stage{Steps: []plan.Step{a, {ID: "c", ForEach: each}}}, "c", []string{"a"}},
		"Members":   {"the steps of a forEach that was known", plan.Stage{Steps: []plan.Step{{ID: "m[x]"}, {ID: "m[y]"}, {ID: "c", When: "${steps.m.outputs.size() > 1}"}}}, "c", []string{"m[x]", "m[y]"}},
		"Skipped":   {"what did not run handed nothing back", plan.Stage{Steps: []plan.Step{{ID: "a", Skip: "not needed"}, {ID: "c", When: "${has(steps.a.output)}"}}}, "c", nil},
		"Field":     {"a field called steps is not the steps", plan.Stage{Steps: []plan.Step{a, {ID: "c", When: "${inputs.steps.a}"}}}, "c", nil},
		"Inside": {"names are those of the use", plan.Stage{
			Steps:  []plan.Step{a, {ID: "u/a", Group: "u"}, {ID: "u/c", Group: "u", When: "${steps.a.output.x}"}},
			Groups: []plan.Group{{ID: "u"}},
		}, "u/c", []string{"u/a"}},
		"ThroughInput": {"an input of the use", plan.Stage{
			Steps:  []plan.Step{a, {ID: "u/c", Group: "u", Deferred: deferred("${inputs.x}")}},
			Groups: []plan.Group{{ID: "u", Deferred: deferred("${steps.a.output.x}")}},
		}, "u/c", []string{"a"}},
		"ThroughOutput": {"an output of a use within a use", plan.Stage{
			Steps: []plan.Step{{ID: "u/v/a", Group: "u/v"}, {ID: "u/v/b", Group: "u/v"}, {ID: "c", When: "${steps.u.output.x}"}},
			Groups: []plan.Group{
				{ID: "u/v", Parent: "u", Outputs: map[string]any{"y": []any{"${steps.a.output.z}"}}},
				{ID: "u", Outputs: map[string]any{"x": "${steps.v.output.y}"}},
			},
		}, "c", []string{"u/v/a"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := slices.Sorted(maps.Keys(outputs(t, tc.stage, tc.step)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOutputsOfMembersAndGates checks the values: they are those of the specs.
func TestOutputsOfMembersAndGates(t *testing.T) {
	t.Parallel()
	last := plan.Step{ID: "z", When: "${steps.x.output}"}
	cases := map[string]struct {
		step plan.Step
		want string
	}{
		"Members":   {plan.Step{ID: "x", ForEach: &plan.ForEach{Max: 2}}, `["s1/x[x]","s1/x[y]"]`},
		"Soak":      {plan.Step{ID: "x", Gate: action.GateSoak, Effect: action.ReadOnly}, `{"observed":"4m0s","restarts":0}`},
		"Condition": {plan.Step{ID: "x", Gate: action.GateCondition, Effect: action.ReadOnly}, `{"value":1}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := outputs(t, plan.Stage{Steps: []plan.Step{tc.step, last}}, "z")
			if diff := cmp.Diff(map[string]string{"x": tc.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
