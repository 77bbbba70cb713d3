package chains

import (
	"fmt"
	"log/slog"
	"os"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
)

const queue = "bench-peers"

// pollers is how many requests for work are open at a time, of each kind. Two,
// the default, would hold up many chains.
const pollers = 16

// Work runs a worker against the server at an address until the process is
// interrupted or terminated.
func Work(address string) error {
	c, err := client.Dial(options(address))
	if err != nil {
		return fmt.Errorf("connect the worker to %s: %w", address, err)
	}
	defer c.Close()
	w := worker.New(c, queue, worker.Options{
		MaxConcurrentWorkflowTaskPollers: pollers,
		MaxConcurrentActivityTaskPollers: pollers,
	})
	w.RegisterWorkflow(Chain)
	w.RegisterActivity(Step)
	if err := w.Run(worker.InterruptCh()); err != nil {
		return fmt.Errorf("run the worker: %w", err)
	}
	return nil
}

func options(address string) client.Options {
	logs := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})
	return client.Options{HostPort: address, Logger: log.NewStructuredLogger(slog.New(logs))}
}
