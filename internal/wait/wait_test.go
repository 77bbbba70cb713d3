package wait

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestFor(t *testing.T) {
	t.Parallel()
	if err := For(t.Context(), time.Millisecond); err != nil {
		t.Errorf("the time has passed: %v", err)
	}
	why := errors.New("the terminal went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := For(ctx, time.Hour); !errors.Is(err, why) {
		t.Errorf("nobody waits any more: %v", err)
	}
}
