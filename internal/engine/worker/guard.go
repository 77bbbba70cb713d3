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
	"github.com/refitproject/refit/internal/wait"
)

var _ engine.Guard = (*Worker)(nil)

const (
	// lockPatience is how long taking a lock may take, which looks whether another's
	// is renewed, and renewPatience how long renewing it may.
	lockPatience  = 2 * action.LockTime
	renewPatience = action.LockEvery
	// reasonNotHeld: the lock of a target could not be taken yet.
	reasonNotHeld = "TargetNotHeld"
)

// guard holds the targets of one run.
type guard struct {
	w      *Worker
	holder action.Holder
	locks  []*lock
	lost   func(error)
}

// lock is one target that is held, or is to be.
type lock struct {
	kind action.Locker
	env  action.Env
	// names are the targets of the plan that it stands for: several may be one
	// place.
	names []string

	mu sync.Mutex
	// until is until when it is certainly held; zero while it never was.
	until time.Time
	// err is why it could not be taken or renewed the last time.
	err error
}

// Guard implements engine.Guard.
func (w *Worker) Guard(ctx context.Context, watch engine.Watch) (func(), error) {
	g := &guard{
		w: w, lost: watch.Lost,
		holder: action.Holder{Run: watch.Run, Origin: watch.Origin, By: watch.By, Host: watch.Host},
	}
	world := observe.New(observe.Options{
		Registry: w.o.Registry, Secrets: w.o.Secrets, Now: w.o.Now, Keyed: w.o.Keyed,
	}, watch.Dir, watch.Plan.Targets)
	same := map[string]*lock{}
	for _, t := range watch.Plan.Targets {
		kind, _ := w.o.Registry.TargetKind(t.Kind)
		locker, ok := kind.(action.Locker)
		if !ok {
			continue
		}
		place := t.Kind + " " + t.Identity
		if l := same[place]; l != nil && t.Identity != "" {
			l.names = append(l.names, t.Name)
			continue
		}
		same[place] = &lock{kind: locker, env: world.Env(t.Name), names: []string{t.Name}}
		g.locks = append(g.locks, same[place])
	}
	if len(g.locks) == 0 {
		return func() {}, nil
	}
	for _, l := range g.locks {
		if err := g.take(ctx, l); action.ReasonOf(err) == action.ReasonTargetLocked {
			g.giveBack(ctx)
			return nil, err
		}
	}
	return g.keep(ctx), nil
}

// keep renews the locks until the function that it returns is called.
func (g *guard) keep(ctx context.Context) func() {
	key := action.Holder{Run: g.holder.Run, Origin: g.holder.Origin}
	g.w.mu.Lock()
	g.w.guards[key] = g
	g.w.mu.Unlock()
	// They are held until they are given back, also while what is under way is
	// brought to its end.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var renewing sync.WaitGroup
	for _, l := range g.locks {
		renewing.Go(func() { g.renew(ctx, l) })
	}
	return sync.OnceFunc(func() {
		cancel()
		renewing.Wait()
		g.w.mu.Lock()
		delete(g.w.guards, key)
		g.w.mu.Unlock()
		g.giveBack(ctx)
	})
}

// renew keeps one lock, and takes it where it could not be had at first.
func (g *guard) renew(ctx context.Context, l *lock) {
	for wait.For(ctx, action.LockEvery) == nil {
		var err error
		if l.had() {
			err = g.ask(ctx, l, renewPatience, l.kind.Renew)
		} else {
			err = g.take(ctx, l)
		}
		if action.ReasonOf(err) == action.ReasonTargetLocked && ctx.Err() == nil {
			g.lost(err)
			return
		}
	}
}

func (g *guard) take(ctx context.Context, l *lock) error {
	return g.ask(ctx, l, lockPatience, l.kind.Lock)
}

// ask takes or renews a lock, and notes until when it is held then: it counts from
// before the question.
func (g *guard) ask(
	ctx context.Context, l *lock, limit time.Duration,
	how func(context.Context, action.Env, action.Holder) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := g.w.o.Now()
	err := guarded(func() error { return how(ctx, l.env, g.holder) })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	if err == nil {
		l.until = began.Add(action.LockTime)
	}
	return err
}

func (l *lock) had() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.until.IsZero()
}

// giveBack gives back what is held. What cannot be given back now runs out.
func (g *guard) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewPatience)
	defer cancel()
	for _, l := range g.locks {
		if l.had() {
			_ = guarded(func() error { return l.kind.Unlock(ctx, l.env, g.holder) })
		}
	}
}

// held says why an effect must wait for the lock of its target; nil when it is held,
// or when nobody guards the run.
func (e *effect) held() error {
	if e.spec.Effect == action.ReadOnly {
		return nil
	}
	w := e.j.w
	w.mu.Lock()
	g := w.guards[action.Holder{Run: e.j.Run, Origin: e.j.Origin}]
	w.mu.Unlock()
	if g == nil {
		return nil
	}
	for _, l := range g.locks {
		for _, name := range l.names {
			if name == e.step.Target {
				return l.now(name, w.o.Now())
			}
		}
	}
	return nil
}

// now says why the lock is not held at a time.
func (l *lock) now(name string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.until) {
		return nil
	}
	err := l.err
	if err == nil {
		err = errors.New("it was not renewed in time")
	}
	out := &action.Error{
		Reason: reasonNotHeld, Retryable: true, Effect: action.ExtentNone,
		Err: fmt.Errorf("hold target %q: %w", name, err),
	}
	if failed, ok := errors.AsType[*action.Error](err); ok {
		// Whether credentials are waited for or the target.
		out.Reason, out.Remedy = failed.Reason, failed.Remedy
		out.Err = fmt.Errorf("hold target %q: %w", name, failed.Err)
	}
	return out
}
