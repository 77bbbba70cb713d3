package enginetest

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
)

// doInput is the input of test.do.
type doInput struct {
	Value string `json:"value,omitempty" doc:"Value that is set."`
}

// doOutput is the output of test.do and test.read.
type doOutput struct {
	Value string `json:"value,omitempty" doc:"Value that is there."`
}

// Catalog holds the actions that plans of this package use: test.do changes
// something and can be undone, test.never for ever, test.pick to what it picks, and
// test.read only looks.
func Catalog() action.Catalog {
	in, out := schema.FromStruct[doInput](), schema.FromStruct[doOutput]()
	return actiontest.NewCatalog(
		action.Spec{Name: "test.do", Effect: action.Mutating, Input: in, Output: out, CanUndo: true, CanLease: true},
		action.Spec{Name: "test.never", Effect: action.Mutating, Input: in, Output: out, WhyNoUndo: "nobody can"},
		action.Spec{
			Name: "test.pick", Effect: action.Mutating, Input: in, Output: out, WhyNoUndo: "nobody can",
			Selects: true, Resumable: true,
		},
		action.Spec{Name: "test.read", Effect: action.ReadOnly, Input: in, Output: out},
	)
}

// Plan makes a real plan of the stages of a procedure.
func Plan(tb testing.TB, stages string) *plan.Plan {
	tb.Helper()
	return planWith(tb, Catalog(), stages)
}

// PlanOf makes a plan of a procedure and a platform of these names.
func PlanOf(tb testing.TB, procedure, platform, stages string) *plan.Plan {
	tb.Helper()
	return planNamed(tb, Catalog(), procedure, platform, stages)
}

// planWith makes a plan with the actions of a catalog.
func planWith(tb testing.TB, catalog action.Catalog, stages string) *plan.Plan {
	tb.Helper()
	return planNamed(tb, catalog, "test", "test", stages)
}

func planNamed(tb testing.TB, catalog action.Catalog, named, ownedAs, stages string) *plan.Plan {
	tb.Helper()
	text := "apiVersion: refit.dev/v1alpha1\nkind: Procedure\nmetadata: {name: " + named + ", summary: A test.}\n" +
		"stages:\n" + stages
	files := fstest.MapFS{"procedure.yaml": {Data: []byte(text)}}
	p, ds := procedure.Load(files, "procedure.yaml", catalog)
	if p == nil || ds.HasErrors() {
		tb.Fatalf("the procedure of the test is wrong: %v\n%s", ds, text)
	}
	owner, ds := platform.Load("platform.yaml", []byte(
		"apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: "+ownedAs+"}\nprocedure: ./procedure.yaml\n"))
	if owner == nil || ds.HasErrors() {
		tb.Fatal(ds)
	}
	made, ds := plan.Build(plan.Input{
		Procedure: p, Platform: owner, PlatformFile: "platform.yaml", Refit: "test",
		Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if made == nil || ds.HasErrors() {
		tb.Fatalf("the plan of the test cannot be made: %v", ds)
	}
	return made
}

// Chain makes a plan of n steps, each of which needs the one before.
func Chain(tb testing.TB, n int) *plan.Plan {
	tb.Helper()
	var b strings.Builder
	b.WriteString("  - id: only\n    steps:\n")
	for i := range n {
		needs := ""
		if i > 0 {
			needs = fmt.Sprintf(", needs: [s%d]", i-1)
		}
		fmt.Fprintf(&b, "      s%d: {phase: upgrade, action: test.do, with: {value: v%d}%s}\n", i, i, needs)
	}
	return Plan(tb, b.String())
}
