package observe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/schema"
)

// Timeout is how long one observation of a fact or of a target may take.
const Timeout = time.Minute

// Options are what asking needs. All fields are required.
type Options struct {
	// Registry holds the actions and kinds of target.
	Registry *action.Registry
	// Secrets returns what resolves references to secrets for the platform
	// whose file is in the folder dir.
	Secrets func(dir string) action.Secrets
	// Now gives the time.
	Now func() time.Time
	// Keyed returns the keyed hash of a text. It is called only when there is
	// something to hash; the error says why there is no key.
	Keyed func(text string) (string, error)
}

// World asks actions and targets on behalf of one platform. It is safe for
// concurrent use, except for Know.
type World struct {
	o Options
	// dir is the absolute folder of the platform file.
	dir     string
	targets map[string]plan.Target
}

// ActionTargets returns targets as actions see them.
func ActionTargets(targets []plan.Target) []action.Target {
	out := make([]action.Target, 0, len(targets))
	for _, t := range targets {
		out = append(out, actionTarget(t))
	}
	return out
}

// actionTarget is a target as actions see it.
func actionTarget(t plan.Target) action.Target {
	return action.Target{Name: t.Name, Kind: t.Kind, Config: t.Config, Identity: t.Identity}
}

// secrets returns what resolves references of a step on the target called name.
func (w *World) secrets(name string) action.Secrets {
	secrets := w.o.Secrets(w.dir)
	at, ok := secrets.(action.TargetSecrets)
	if !ok {
		return secrets
	}
	var targets []plan.Target
	for _, key := range slices.Sorted(maps.Keys(w.targets)) {
		targets = append(targets, w.targets[key])
	}
	return at.At(ActionTargets(targets), name)
}

// New returns the world of a platform with these targets whose file is in the
// absolute folder dir.
func New(o Options, dir string, targets []plan.Target) *World {
	w := &World{o: o, dir: dir, targets: make(map[string]plan.Target, len(targets))}
	for _, t := range targets {
		w.targets[t.Name] = t
	}
	return w
}

// Know takes over what is known of a target now, such as its identity.
func (w *World) Know(t plan.Target) { w.targets[t.Name] = t }

// Env returns what an action is given that acts on the target called name.
func (w *World) Env(name string) action.Env {
	env := action.Env{Dir: w.dir, Secrets: w.secrets(name), Now: w.o.Now}
	if t, ok := w.targets[name]; ok {
		env.Target = actionTarget(t)
	}
	return env
}

// Identify reads the identity of one target.
func (w *World) Identify(ctx context.Context, t plan.Target) (string, error) {
	kind, ok := w.o.Registry.TargetKind(t.Kind)
	if !ok {
		return "", fmt.Errorf("identify target %q: %w", t.Name, &AnswerError{
			fmt.Sprintf("this program knows no targets of kind %q, only %s",
				t.Kind, strings.Join(w.o.Registry.TargetKinds(), ", ")),
		})
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	identity, err := kind.Identify(ctx, w.Env(t.Name))
	if err != nil {
		return "", fmt.Errorf("identify target %q: %w", t.Name, TimeoutError(ctx, err, Timeout))
	}
	if identity == "" {
		return "", fmt.Errorf("identify target %q: %w", t.Name,
			&AnswerError{"it has no identity by which it could be told from another"})
	}
	return identity, nil
}

// Fact observes one entry of the observe block. Sensitive members of the
// result are keyed hashes.
func (w *World) Fact(ctx context.Context, o plan.Observe) (map[string]any, error) {
	act, ok := w.o.Registry.Action(o.Action)
	if !ok {
		return nil, fmt.Errorf("observe fact %q: %w", o.Name,
			&AnswerError{fmt.Sprintf("this program has no action %q", o.Action)})
	}
	obs, err := w.Ask(ctx, act, o.Target, o.With, Timeout)
	if err != nil {
		return nil, fmt.Errorf("observe fact %q with %s: %w", o.Name, o.Action, err)
	}
	if obs.Status != action.Done {
		return nil, fmt.Errorf("observe fact %q with %s: %w", o.Name, o.Action, answer(obs))
	}
	return w.Redact(act.Spec().Output, obs.Output)
}

// AnswerError is what came back instead of a fact or an identity. It was
// possible to ask, and to ask again brings nothing new until somebody changes
// something.
type AnswerError struct{ text string }

// Error implements error.
func (e *AnswerError) Error() string { return e.text }

// answer is the error about an observation that is not a fact.
func answer(obs action.Observation) error {
	if obs.Status == action.InProgress {
		return errors.New(StatusText(obs))
	}
	return &AnswerError{StatusText(obs)}
}

// Ask asks one action, within a timeout.
func (w *World) Ask(
	ctx context.Context, act action.Action, target string, with map[string]any, timeout time.Duration,
) (action.Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	obs, err := act.Observe(ctx, w.Env(target), with)
	if err != nil {
		return action.Observation{}, TimeoutError(ctx, err, timeout)
	}
	return obs, nil
}

// Redact returns the output of an action with its sensitive members replaced
// by keyed hashes.
func (w *World) Redact(t schema.Type, output map[string]any) (map[string]any, error) {
	var failed error
	out, ok := schema.Redact(t, output, func(text string) string {
		keyed, err := w.o.Keyed(text)
		if err != nil {
			failed = err
		}
		return keyed
	}).(map[string]any)
	if failed != nil {
		return nil, failed
	}
	if !ok {
		return nil, errors.New("the output of the action does not have the declared shape")
	}
	return out, nil
}

// TimeoutError says plainly that the time was up, whatever the action made of
// it.
func TimeoutError(ctx context.Context, err error, timeout time.Duration) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s: %w", timeout, err)
	}
	return err
}

// StatusText says in words what an observation found.
func StatusText(obs action.Observation) string {
	if obs.Reason != "" {
		return obs.Reason
	}
	return fmt.Sprintf("the observation ended as %q", obs.Status)
}
