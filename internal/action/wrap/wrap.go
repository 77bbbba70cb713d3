package wrap

import (
	"context"
	"log/slog"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// Options say how All wraps an action.
type Options struct {
	// Ask is how long a question may take: see Timeout. 0 means without end.
	Ask time.Duration
	// Retry says how questions are repeated.
	Retry Backoff
	// Limiter is shared by all actions that are to share it; nil for no limit.
	Limiter *Limiter
	// DryRun makes Run and Undo say what they would do.
	DryRun bool
	// LargeOutputs leaves outputs that are larger than MaxBytes to the caller,
	// who keeps them elsewhere. What was before an effect is bounded all the
	// same.
	LargeOutputs bool
	// Log takes a line for each call; nil for none.
	Log *slog.Logger
}

// All wraps a with everything. From the outside to the inside:
//
//   - Log sees the whole call, and only what has passed the others;
//   - Progress holds back reports that nobody could read so fast;
//   - Bound measures what really leaves;
//   - Redact cleans what the world answered, over all tries;
//   - DryRun stands before anything that costs time or a place;
//   - Retry gives its place back while it waits;
//   - Limit waits before the clock of Timeout starts;
//   - Timeout holds for one try.
func All(a action.Action, o Options) action.Action {
	a = Timeout(a, o.Ask)
	a = Limit(a, o.Limiter)
	a = Retry(a, o.Retry)
	if o.DryRun {
		a = DryRun(a)
	}
	return Log(Progress(bounded{passing{Redact(a)}, !o.LargeOutputs}), o.Log)
}

// passing hands everything to an action; the wrappers override what they
// change.
type passing struct{ action.Action }

var (
	_ action.Checker  = passing{}
	_ action.Accessor = passing{}
)

// Check implements action.Checker.
func (p passing) Check(in map[string]any) error {
	if c, ok := p.Action.(action.Checker); ok {
		return c.Check(in)
	}
	return nil
}

// Access implements action.Accessor.
func (p passing) Access(
	ctx context.Context, env action.Env, in map[string]any,
) ([]action.Access, bool, error) {
	if a, ok := p.Action.(action.Accessor); ok {
		return a.Access(ctx, env, in)
	}
	return nil, false, nil
}

// name is an action as messages name it.
func name(a action.Action) string { return a.Spec().Name }
