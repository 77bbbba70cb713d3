package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

// world asks actions and targets what is true now, on behalf of one platform.
type world struct {
	s *Service
	// dir is the absolute folder of the platform file.
	dir string
	// targets are the targets of the platform by name.
	targets map[string]plan.Target
}

// newWorld returns the world of a platform whose file is in dir.
func (s *Service) newWorld(dir string, targets []plan.Target) *world {
	w := &world{s: s, dir: dir, targets: make(map[string]plan.Target, len(targets))}
	for _, t := range targets {
		w.targets[t.Name] = t
	}
	return w
}

// env returns what an action is given that acts on the target called name.
func (w *world) env(name string) action.Env {
	env := action.Env{Dir: w.dir, Secrets: w.s.o.Secrets.In(w.dir), Now: w.s.o.Now}
	if t, ok := w.targets[name]; ok {
		env.Target = action.Target{Name: t.Name, Kind: t.Kind, Config: t.Config, Identity: t.Identity}
	}
	return env
}

// identify reads the identity of one target.
func (w *world) identify(ctx context.Context, t plan.Target) (string, error) {
	kind, ok := w.s.o.Registry.TargetKind(t.Kind)
	if !ok {
		return "", fmt.Errorf("identify target %q: this program knows no targets of kind %q, only %s",
			t.Name, t.Kind, strings.Join(w.s.o.Registry.TargetKinds(), ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	identity, err := kind.Identify(ctx, w.env(t.Name))
	if err != nil {
		return "", fmt.Errorf("identify target %q: %w", t.Name, timeoutError(ctx, err, observeTimeout))
	}
	if identity == "" {
		return "", fmt.Errorf("identify target %q: it has no identity by which it could be told from another", t.Name)
	}
	return identity, nil
}

// identifyAll returns targets with the identities that were observed, and the
// errors of those that could not be identified.
func (w *world) identifyAll(ctx context.Context, targets []plan.Target) ([]plan.Target, error) {
	var out []plan.Target
	var errs []error
	for i, t := range targets {
		w.s.o.Progress(Note{Text: "identifying target " + t.Name, Done: i + 1, Total: len(targets)})
		identity, err := w.identify(ctx, t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		t.Identity = identity
		w.targets[t.Name] = t
		out = append(out, t)
	}
	return out, errors.Join(errs...)
}

// fact observes one entry of the observe block. Sensitive members of the
// result are keyed hashes.
func (w *world) fact(ctx context.Context, o plan.Observe) (map[string]any, error) {
	act, ok := w.s.o.Registry.Action(o.Action)
	if !ok {
		return nil, fmt.Errorf("observe fact %q: this program has no action %q", o.Name, o.Action)
	}
	obs, err := w.observe(ctx, act, o.Target, o.With, observeTimeout)
	if err != nil {
		return nil, fmt.Errorf("observe fact %q with %s: %w", o.Name, o.Action, err)
	}
	if obs.Status != action.Done {
		return nil, fmt.Errorf("observe fact %q with %s: %s", o.Name, o.Action, statusText(obs))
	}
	return w.s.redact(act.Spec().Output, obs.Output)
}

// observe asks one action, within a timeout.
func (w *world) observe(
	ctx context.Context, act action.Action, target string, with map[string]any, timeout time.Duration,
) (action.Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	obs, err := act.Observe(ctx, w.env(target), with)
	if err != nil {
		return action.Observation{}, timeoutError(ctx, err, timeout)
	}
	return obs, nil
}

// timeoutError says plainly that the time was up, whatever the action made of
// it.
func timeoutError(ctx context.Context, err error, timeout time.Duration) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s: %w", timeout, err)
	}
	return err
}

// statusText says in words what an observation found.
func statusText(obs action.Observation) string {
	if obs.Reason != "" {
		return obs.Reason
	}
	return fmt.Sprintf("the observation ended as %q", obs.Status)
}
