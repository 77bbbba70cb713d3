package wrap

import (
	"context"
	"errors"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/wait"
)

// Backoff says how often a question is asked in all, and how long is waited
// in between: First after the first failure, then twice as long each time, at
// most Most (0 means a minute). The zero Backoff asks once.
type Backoff struct {
	Attempts    int
	First, Most time.Duration
}

// Retry repeats Preview and Observe when they could not ask and their error
// says that it may go better later. Run and Undo pass through: they are
// repeated by the core alone, after an observation.
func Retry(a action.Action, b Backoff) action.Action {
	if b.Attempts <= 1 {
		return a
	}
	if b.Most <= 0 {
		b.Most = time.Minute
	}
	return retried{passing{a}, b}
}

type retried struct {
	passing
	backoff Backoff
}

// Preview implements action.Action.
func (r retried) Preview(ctx context.Context, env action.Env, in map[string]any) (p action.Preview, err error) {
	err = r.repeat(ctx, func() error {
		p, err = r.Action.Preview(ctx, env, in)
		return err
	})
	return p, err
}

// Observe implements action.Action.
func (r retried) Observe(ctx context.Context, env action.Env, in map[string]any) (obs action.Observation, err error) {
	err = r.repeat(ctx, func() error {
		obs, err = r.Action.Observe(ctx, env, in)
		return err
	})
	return obs, err
}

// repeat calls ask until it succeeds or there is no use in it. What ask said
// last is returned, not that the time for more is over.
func (r retried) repeat(ctx context.Context, ask func() error) error {
	pause := r.backoff.First
	for left := r.backoff.Attempts; ; left-- {
		err := ask()
		failure, ok := errors.AsType[*action.Error](err)
		if !ok || !failure.Retryable || left <= 1 || ctx.Err() != nil {
			return err
		}
		if wait.For(ctx, min(pause, r.backoff.Most)) != nil {
			return err
		}
		pause *= 2
	}
}
