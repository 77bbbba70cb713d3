package wrap

import (
	"context"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// reportEvery is the shortest time between two reports of progress.
const reportEvery = 200 * time.Millisecond

// Progress lets at most one report of progress through in 200 ms of Env.Now,
// and the last one of a call in any case. Without Env.Now all of them pass.
func Progress(a action.Action) action.Action { return throttled{passing{a}} }

type throttled struct{ passing }

// Preview implements action.Action.
func (t throttled) Preview(ctx context.Context, env action.Env, in map[string]any) (action.Preview, error) {
	env, flush := throttle(env)
	defer flush()
	return t.Action.Preview(ctx, env, in)
}

// Observe implements action.Action.
func (t throttled) Observe(ctx context.Context, env action.Env, in map[string]any) (action.Observation, error) {
	env, flush := throttle(env)
	defer flush()
	return t.Action.Observe(ctx, env, in)
}

// Run implements action.Action.
func (t throttled) Run(ctx context.Context, env action.Env, in, before map[string]any) (map[string]any, error) {
	env, flush := throttle(env)
	defer flush()
	return t.Action.Run(ctx, env, in, before)
}

// Undo implements action.Action.
func (t throttled) Undo(ctx context.Context, env action.Env, in, before map[string]any) error {
	env, flush := throttle(env)
	defer flush()
	return t.Action.Undo(ctx, env, in, before)
}

// throttle returns env with a Progress that lets few reports through, and what
// hands out the last one that was held back.
func throttle(env action.Env) (action.Env, func()) {
	if env.Progress == nil || env.Now == nil {
		return env, func() {}
	}
	r := &reports{show: env.Progress, now: env.Now}
	env.Progress = r.add
	return env, r.flush
}

// reports are those of one call.
type reports struct {
	show func(action.Progress)
	now  func() time.Time

	mu    sync.Mutex
	shown time.Time
	held  *action.Progress
	over  bool
}

func (r *reports) add(p action.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	// A clock that was set back must not silence the reports.
	if wait := now.Sub(r.shown); r.over || (!r.shown.IsZero() && wait >= 0 && wait < reportEvery) {
		r.held = &p
		return
	}
	r.shown, r.held = now, nil
	r.show(p)
}

// flush shows the last report. What comes later belongs to no call.
func (r *reports) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held != nil && !r.over {
		r.show(*r.held)
	}
	r.held, r.over = nil, true
}
