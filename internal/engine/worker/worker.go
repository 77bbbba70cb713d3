package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/run"
)

// Options are what a Worker is built from. All fields are required.
type Options struct {
	// Registry holds the actions and kinds of target.
	Registry *action.Registry
	// Secrets returns what resolves references to secrets for the platform
	// whose file is in the folder dir.
	Secrets func(dir string) action.Secrets
	// Now gives the time.
	Now func() time.Time
	// Keyed returns the keyed hash of a sensitive text.
	Keyed func(text string) (string, error)
}

// Worker carries out commands of the core. It is safe for concurrent use.
type Worker struct {
	o   Options
	env *expr.Env

	mu sync.Mutex
	// guards are the runs whose targets are held, by their holder.
	guards map[action.Holder]*guard
}

var _ engine.Worker = (*Worker)(nil)

// New returns a Worker. It contacts nothing.
func New(o Options) (*Worker, error) {
	if o.Registry == nil || o.Secrets == nil || o.Now == nil || o.Keyed == nil {
		return nil, errors.New("build worker: an option is missing")
	}
	env, err := newEnv()
	if err != nil {
		return nil, fmt.Errorf("build worker: %w", err)
	}
	return &Worker{o: o, env: env, guards: map[action.Holder]*guard{}}, nil
}

// Carry implements engine.Worker.
func (w *Worker) Carry(ctx context.Context, a engine.Assignment) (run.Body, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	body, err := w.newJob(a).carry(ctx)
	if err != nil {
		return nil, fmt.Errorf("run %q: carry out %q: %w", a.Run, a.Command.ID(), err)
	}
	if _, ended := body.(*run.OperationEnded); !ended && ctx.Err() != nil {
		// What was asked for half is no answer.
		return nil, ctx.Err()
	}
	return body, nil
}

// job is one command that is carried out.
type job struct {
	engine.Assignment
	w     *Worker
	world *observe.World
}

func (w *Worker) newJob(a engine.Assignment) *job {
	return &job{Assignment: a, w: w, world: observe.New(observe.Options{
		Registry: w.o.Registry, Secrets: w.o.Secrets, Now: w.o.Now, Keyed: w.o.Keyed,
	}, a.Dir, a.Plan.Targets)}
}

func (j *job) carry(ctx context.Context) (run.Body, error) {
	switch c := j.Command.(type) {
	case run.CheckStage:
		return j.checkStage(ctx, c)
	case run.AskWindow:
		return j.askWindow(c)
	case run.Resolve:
		return j.resolve(c)
	case run.ObserveOperation:
		return j.observe(ctx, c)
	case run.PerformOperation:
		return j.perform(ctx, c)
	case run.MatchIssues:
		return j.matchIssues(ctx, c)
	case run.EvaluateCondition:
		return j.condition(ctx, c)
	case run.ObserveSoak:
		return j.soak(ctx, c)
	case run.StartOperation, run.Timer:
	}
	return nil, errors.New("a host answers this command itself")
}

func (j *job) askWindow(c run.AskWindow) (run.Body, error) {
	s, err := j.scene(c.Stage)
	if err != nil {
		return nil, err
	}
	o := askWindows(s.stage.Windows, j.w.o.Now())
	return &run.WindowAnswered{
		Stage: c.Stage, Turn: c.Turn, Open: o.open, OpensAt: o.opensAt.UTC(), ClosesAt: o.closesAt.UTC(),
		OnClose: o.onClose, Never: o.never,
	}, nil
}
