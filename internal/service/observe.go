package service

import (
	"context"
	"errors"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/plan"
)

// world asks actions and targets what is true now, on behalf of one platform,
// and tells people about it.
type world struct {
	*observe.World
	s *Service
}

// newWorld returns the world of a platform whose file is in dir.
func (s *Service) newWorld(dir string, targets []plan.Target) *world {
	return &world{s: s, World: observe.New(observe.Options{
		Registry: s.o.Registry, Now: s.o.Now, Keyed: s.keyed,
		Secrets: func(dir string) action.Secrets { return s.o.Secrets.In(dir) },
	}, dir, targets)}
}

// secrets returns what resolves references to secrets outside of the steps of a
// platform with these targets whose file is in dir.
func (s *Service) secrets(dir string, targets []plan.Target) action.Secrets {
	return s.o.Secrets.In(dir).At(observe.ActionTargets(targets), "")
}

// identifyAll returns targets with the identities that were observed, and the
// errors of those that could not be identified.
func (w *world) identifyAll(ctx context.Context, targets []plan.Target) ([]plan.Target, error) {
	var out []plan.Target
	var errs []error
	for i, t := range targets {
		w.s.o.Progress(Note{Text: "identifying target " + t.Name, Done: i + 1, Total: len(targets)})
		identity, err := w.Identify(ctx, t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		t.Identity = identity
		w.Know(t)
		out = append(out, t)
	}
	return out, errors.Join(errs...)
}
