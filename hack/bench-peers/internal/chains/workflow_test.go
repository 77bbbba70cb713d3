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

// A step that a machine with too much to do lost is done again; one that cannot
// be done ends the chain.
func TestChainTriesAgain(t *testing.T) {
	for name, failures := range map[string]int{"Lost": 2, "Broken": 3} {
		t.Run(name, func(t *testing.T) {
			env := new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
			ran := 0
			env.RegisterActivityWithOptions(func(context.Context) (time.Time, error) {
				if ran++; ran <= failures {
					return time.Time{}, errors.New("lost")
				}
				return time.Now(), nil
			}, activity.RegisterOptions{Name: "Step"})
			env.ExecuteWorkflow(Chain, Input{Steps: 2})
			if err := env.GetWorkflowError(); (err != nil) != (failures == 3) {
				t.Errorf("after %d failures: error %v", failures, err)
			}
		})
	}
}
