package wrap

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// Log writes a line to logger when a call starts and one when it has ended;
// nil means none. Looking is of level Debug, changing of level Info, failures
// of both are warnings. A line names the action, the target, the key of the
// effect, how long it took, and how it ended; never an input or an output.
func Log(a action.Action, logger *slog.Logger) action.Action {
	if logger == nil {
		return a
	}
	return logged{passing{a}, logger}
}

type logged struct {
	passing
	logger *slog.Logger
}

// call is one call that is logged.
type call struct {
	logger *slog.Logger
	level  slog.Level
	env    action.Env
	start  time.Time
}

func (l logged) begin(ctx context.Context, env action.Env, function string, level slog.Level) call {
	attrs := []any{slog.String("action", l.Spec().ID()), slog.String("function", function)}
	if env.Target.Name != "" {
		attrs = append(attrs, slog.String("target", env.Target.Name))
	}
	if env.Key != "" {
		attrs = append(attrs, slog.String("key", env.Key))
	}
	c := call{logger: l.logger.With(attrs...), level: level, env: env}
	if env.Now != nil {
		c.start = env.Now()
	}
	c.logger.Log(ctx, level, "action starts")
	return c
}

func (c call) end(ctx context.Context, err error, attrs ...any) {
	if c.env.Now != nil {
		// The clock of Env may be set back meanwhile.
		attrs = append(attrs, slog.Duration("duration", max(c.env.Now().Sub(c.start), 0)))
	}
	if err == nil {
		c.logger.Log(ctx, c.level, "action ended", attrs...)
		return
	}
	if failure, ok := errors.AsType[*action.Error](err); ok {
		attrs = append(attrs, slog.String("reason", failure.Reason), slog.String("extent", string(failure.Effect)))
	}
	attrs = append(attrs, slog.String("error", err.Error()))
	c.logger.Log(ctx, max(c.level, slog.LevelWarn), "action failed", attrs...)
}

// Preview implements action.Action.
func (l logged) Preview(ctx context.Context, env action.Env, in map[string]any) (action.Preview, error) {
	c := l.begin(ctx, env, "preview", slog.LevelDebug)
	p, err := l.Action.Preview(ctx, env, in)
	c.end(ctx, err)
	return p, err
}

// Observe implements action.Action.
func (l logged) Observe(ctx context.Context, env action.Env, in map[string]any) (action.Observation, error) {
	c := l.begin(ctx, env, "observe", slog.LevelDebug)
	obs, err := l.Action.Observe(ctx, env, in)
	if err != nil {
		c.end(ctx, err)
		return obs, err
	}
	c.end(ctx, nil, slog.String("status", string(obs.Status)), slog.String("because", obs.Reason))
	return obs, nil
}

// Run implements action.Action.
func (l logged) Run(ctx context.Context, env action.Env, in, before map[string]any) (map[string]any, error) {
	c := l.begin(ctx, env, "run", slog.LevelInfo)
	out, err := l.Action.Run(ctx, env, in, before)
	c.end(ctx, err)
	return out, err
}

// Undo implements action.Action.
func (l logged) Undo(ctx context.Context, env action.Env, in, before map[string]any) error {
	c := l.begin(ctx, env, "undo", slog.LevelInfo)
	err := l.Action.Undo(ctx, env, in, before)
	c.end(ctx, err)
	return err
}
