package chains

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
)

func TestChain(t *testing.T) {
	for name, local := range map[string]bool{"Activities": false, "LocalActivities": true} {
		t.Run(name, func(t *testing.T) {
			env := new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
			env.RegisterActivity(Step)
			started := map[bool]int{}
			env.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) {
				started[false]++
			})
			env.SetOnLocalActivityStartedListener(func(*activity.Info, context.Context, []any) { started[true]++ })
			env.ExecuteWorkflow(Chain, Input{Steps: 7, Local: local})
			var begins []time.Time
			if err := env.GetWorkflowResult(&begins); err != nil {
				t.Fatal(err)
			}
			if len(begins) != 7 || started[local] != 7 || started[!local] != 0 {
				t.Errorf("%d instants, started %v (by local or not); want 7 of its kind", len(begins), started)
			}
			for i := 1; i < len(begins); i++ {
				if begins[i].Before(begins[i-1]) {
					t.Errorf("step %d began before the step before it: %v", i+1, begins)
				}
			}
		})
	}
}

func TestChainDoesNotTryAgain(t *testing.T) {
	env := new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
	ran := 0
	env.RegisterActivityWithOptions(func(context.Context) (time.Time, error) {
		ran++
		return time.Time{}, errors.New("broken")
	}, activity.RegisterOptions{Name: "Step"})
	env.ExecuteWorkflow(Chain, Input{Steps: 3})
	if err := env.GetWorkflowError(); err == nil || ran != 1 {
		t.Errorf("%d attempts, error %v; want one, and its error", ran, err)
	}
}
