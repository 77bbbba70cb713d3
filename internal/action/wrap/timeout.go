package wrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// ReasonNoAnswer is the reason of errors about questions that took too long.
const ReasonNoAnswer = "NoAnswer"

// Timeout ends Preview and Observe after limit; 0 means without end. Run and
// Undo keep the context that they get, and so does Observe of a read-only
// action whose context has an end of its own: there the observation is the
// step, which has a timeout in the plan.
func Timeout(a action.Action, limit time.Duration) action.Action {
	if limit <= 0 {
		return a
	}
	return timed{passing{a}, limit}
}

type timed struct {
	passing
	limit time.Duration
}

// Preview implements action.Action.
func (t timed) Preview(ctx context.Context, env action.Env, in map[string]any) (action.Preview, error) {
	var p action.Preview
	err := t.within(ctx, "preview", func(ctx context.Context) (err error) {
		p, err = t.Action.Preview(ctx, env, in)
		return err
	})
	return p, err
}

// Observe implements action.Action.
func (t timed) Observe(ctx context.Context, env action.Env, in map[string]any) (action.Observation, error) {
	if _, ends := ctx.Deadline(); ends && t.Spec().Effect == action.ReadOnly {
		return t.Action.Observe(ctx, env, in)
	}
	var obs action.Observation
	err := t.within(ctx, "observe", func(ctx context.Context) (err error) {
		obs, err = t.Action.Observe(ctx, env, in)
		return err
	})
	return obs, err
}

// within calls f with a context that ends in time, and says so when it did. An
// error about something else is kept: it says more.
func (t timed) within(ctx context.Context, what string, f func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	err := f(limited)
	if err == nil || ctx.Err() != nil || limited.Err() == nil || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &action.Error{
		Reason: ReasonNoAnswer, Retryable: true, Effect: action.ExtentNone,
		Remedy: "check that what it asks is there and answers",
		Err:    fmt.Errorf("%s %s: no answer within %s: %w", what, name(t), t.limit, context.DeadlineExceeded),
	}
}
