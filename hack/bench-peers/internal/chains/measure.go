package chains

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/refitproject/refit/hack/bench-peers/internal/sheet"
)

// Load starts chains and waits for them.
type Load struct{ client client.Client }

// Connect waits until the server at an address serves, or ends.
func Connect(ctx context.Context, address string, ended <-chan struct{}) (*Load, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := client.DialContext(ctx, options(address))
		if err == nil {
			return &Load{c}, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to %s: %w", address, err)
		case <-ended:
			return nil, fmt.Errorf("connect to %s: the server ended", address)
		case <-tick.C:
		}
	}
}

// Close ends the connection.
func (l *Load) Close() { l.client.Close() }

// Run runs some chains at the same time and says how fast they were.
func (l *Load) Run(ctx context.Context, chains int, in Input) (sheet.Rate, error) {
	runs := make([]client.WorkflowRun, chains)
	start := time.Now()
	for i := range runs {
		run, err := l.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: queue}, Chain, in)
		if err != nil {
			return sheet.Rate{}, fmt.Errorf("start a chain: %w", err)
		}
		runs[i] = run
	}
	begins := make([][]time.Time, chains)
	for i, run := range runs {
		if err := run.Get(ctx, &begins[i]); err != nil {
			return sheet.Rate{}, fmt.Errorf("wait for a chain: %w", err)
		}
	}
	took := time.Since(start)
	for _, steps := range begins {
		if len(steps) != in.Steps {
			return sheet.Rate{}, fmt.Errorf("a chain did %d steps, want %d", len(steps), in.Steps)
		}
	}
	return sheet.RateFrom(took, begins), nil
}
