package wrap

import (
	"context"
	"fmt"
	"sync"

	"github.com/refitproject/refit/internal/action"
)

// ReasonInterrupted is the reason of errors about calls that ended before they
// began.
const ReasonInterrupted = "Interrupted"

// Limiter bounds how many calls go on at once. What looks (Preview and
// Observe) and what changes (Run and Undo) is counted apart, so that a check is
// not kept waiting for an effect that takes an hour. It is safe for concurrent
// use.
type Limiter struct {
	perTarget, perAction int

	mu     sync.Mutex
	places map[place]chan struct{}
}

// place is what calls queue for.
type place struct {
	kind, name string
	changes    bool
}

// NewLimiter returns a Limiter that admits as many calls of each sort for one
// target, and for one action, as it is told; 0 means any number.
func NewLimiter(perTarget, perAction int) *Limiter {
	return &Limiter{perTarget: perTarget, perAction: perAction, places: map[place]chan struct{}{}}
}

// enter waits for a place and returns what gives it back. All callers queue for
// the action first and for the target second, so none waits for another in a
// circle.
func (l *Limiter) enter(ctx context.Context, action, target string, changes bool) (leave func(), err error) {
	var taken []chan struct{}
	leave = func() {
		for _, t := range taken {
			<-t
		}
	}
	for _, queue := range []struct {
		place
		limit int
	}{{place{"action", action, changes}, l.perAction}, {place{"target", target, changes}, l.perTarget}} {
		if queue.limit <= 0 || queue.name == "" {
			continue
		}
		slots := l.slots(queue.place, queue.limit)
		select {
		case slots <- struct{}{}:
			taken = append(taken, slots)
		case <-ctx.Done():
			leave()
			return nil, context.Cause(ctx)
		}
	}
	return leave, nil
}

func (l *Limiter) slots(p place, limit int) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.places[p] == nil {
		l.places[p] = make(chan struct{}, limit)
	}
	return l.places[p]
}

// Limit lets each call of a wait for a place in l; nil means at once. A call
// that is cancelled while it waits has changed nothing.
func Limit(a action.Action, l *Limiter) action.Action {
	if l == nil {
		return a
	}
	return limited{passing{a}, l}
}

type limited struct {
	passing
	limiter *Limiter
}

func (l limited) enter(ctx context.Context, env action.Env, changes bool) (func(), error) {
	leave, err := l.limiter.enter(ctx, name(l), env.Target.Name, changes)
	if err != nil {
		return nil, &action.Error{
			Reason: ReasonInterrupted, Retryable: true, Effect: action.ExtentNone,
			Err: fmt.Errorf("%s was not begun, because others go on: %w", name(l), err),
		}
	}
	return leave, nil
}

// Preview implements action.Action.
func (l limited) Preview(ctx context.Context, env action.Env, in map[string]any) (action.Preview, error) {
	leave, err := l.enter(ctx, env, false)
	if err != nil {
		return action.Preview{}, err
	}
	defer leave()
	return l.Action.Preview(ctx, env, in)
}

// Observe implements action.Action.
func (l limited) Observe(ctx context.Context, env action.Env, in map[string]any) (action.Observation, error) {
	leave, err := l.enter(ctx, env, false)
	if err != nil {
		return action.Observation{}, err
	}
	defer leave()
	return l.Action.Observe(ctx, env, in)
}

// Run implements action.Action.
func (l limited) Run(ctx context.Context, env action.Env, in, before map[string]any) (map[string]any, error) {
	leave, err := l.enter(ctx, env, true)
	if err != nil {
		return nil, err
	}
	defer leave()
	return l.Action.Run(ctx, env, in, before)
}

// Undo implements action.Action.
func (l limited) Undo(ctx context.Context, env action.Env, in, before map[string]any) error {
	leave, err := l.enter(ctx, env, true)
	if err != nil {
		return err
	}
	defer leave()
	return l.Action.Undo(ctx, env, in, before)
}
