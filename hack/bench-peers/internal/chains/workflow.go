package chains

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Input says what one chain does.
type Input struct {
	Steps int
	// Local chooses local activities: they run inside of the workflow task, and
	// the server learns of many at once.
	Local bool
}

// Chain is the workflow. It gives the instant at which each step began.
func Chain(ctx workflow.Context, in Input) ([]time.Time, error) {
	// On a machine with too much to do, the server may hand a step to a request
	// for work that has just timed out. It then counts as started although no
	// worker has it, until its time is over. That spoils the round, and another
	// one counts; it must not end the measurement.
	retry := &temporal.RetryPolicy{MaximumAttempts: 3}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Second, RetryPolicy: retry,
	})
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 10 * time.Second, RetryPolicy: retry,
	})
	begins := make([]time.Time, 0, in.Steps)
	for n := range in.Steps {
		var future workflow.Future
		if in.Local {
			future = workflow.ExecuteLocalActivity(ctx, Step)
		} else {
			future = workflow.ExecuteActivity(ctx, Step)
		}
		var began time.Time
		if err := future.Get(ctx, &began); err != nil {
			return nil, fmt.Errorf("step %d: %w", n+1, err)
		}
		begins = append(begins, began)
	}
	return begins, nil
}

// Step is the activity. It does nothing but say when.
func Step(context.Context) (time.Time, error) { return time.Now(), nil }
