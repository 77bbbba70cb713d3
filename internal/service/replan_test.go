package service_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/service"
)

// TestReplanOfAReplan makes sure that a plan remembers the stages that were
// done before it was made: the second replan must not plan the first stage
// again.
func TestReplanOfAReplan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": "apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: p}\nprocedure: ./procedure.yaml\n",
		"note.txt":      "x",
		"procedure.yaml": `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: three, summary: Three stages.}
stages:
  - {id: a, steps: {look: {phase: verify, action: file.read, with: {path: note.txt}}}}
  - {id: b, steps: {look: {phase: verify, action: file.read, with: {path: note.txt}}}}
  - {id: c, steps: {look: {phase: verify, action: file.read, with: {path: note.txt}}}}
`,
	})
	first, err := w.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	file := w.path("plan.json")
	if err := w.SavePlan(file, first.Plan, false); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after string
		left  []string
	}{{"a", []string{"b", "c"}}, {"b", []string{"c"}}} {
		result, err := w.Replan(t.Context(), service.ReplanRequest{PlanFile: file, After: step.after})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for i := range result.Plan.Stages {
			ids = append(ids, result.Plan.Stages[i].ID)
		}
		if diff := cmp.Diff(step.left, ids); diff != "" {
			t.Fatalf("after %s: -want +got\n%s", step.after, diff)
		}
		file = w.path("after-" + step.after + ".json")
		if err := w.SavePlan(file, result.Plan, false); err != nil {
			t.Fatal(err)
		}
	}
}
