package wait

import (
	"context"
	"time"
)

// For waits for d, or until ctx ends; then the error is the cause of that.
func For(ctx context.Context, d time.Duration) error {
	timer, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-timer.Done()
	return context.Cause(ctx)
}
