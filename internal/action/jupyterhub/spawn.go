package jupyterhub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// SpawnInput is the input of jupyterhub.spawn.
type SpawnInput struct {
	URL       string           `json:"url,omitempty" doc:"Address of JupyterHub, http or https, as people open it, without /hub; default a port-forward to its Service."`
	Token     action.SecretRef `json:"token" refit:"secret" doc:"Token of the API, with the scopes admin:users, servers, delete:servers and read:servers."`
	Namespace string           `json:"namespace,omitempty" doc:"Without url: namespace of the hub."`
	Service   string           `json:"service,omitempty" doc:"Without url: its Service; default hub."`
	Port      int              `json:"port,omitempty" doc:"Without url: port of the Service; default 8081."`
	BasePath  string           `json:"basePath,omitempty" doc:"Without url: path that JupyterHub is served below; default /."`
	Options   map[string]any   `json:"options,omitempty" doc:"Options of the server, as the form of the hub would give them, such as profile."`
	Patience  time.Duration    `json:"patience,omitempty" doc:"How long the server may take to start; default 10m."`
}

func (in SpawnInput) address() address {
	return address{in.URL, in.Namespace, in.Service, in.Port, in.BasePath, in.Token}
}

// SpawnOutput is the output of jupyterhub.spawn.
type SpawnOutput struct {
	User    string `json:"user" doc:"Name of the user that was made for it, and deleted."`
	Seconds int    `json:"seconds" doc:"How long the server took to start, in seconds."`
}

const spawnPatience = 10 * time.Minute

// Spawn returns the action jupyterhub.spawn.
func Spawn(w World) action.Action {
	s := spawner{w}
	return action.Define(action.Definition[SpawnInput, SpawnOutput]{
		Name:      "jupyterhub.spawn",
		Version:   1,
		Summary:   "Prove that a JupyterHub starts servers: start one for a user of its own, and delete both.",
		Effect:    action.Scratch,
		Resumable: true,
		Targets:   targets(),
		Typical:   time.Minute,
		Worst:     spawnPatience + cleanPatience,
		Check: func(in SpawnInput) error {
			if in.Patience < 0 {
				return errors.New("field \"patience\" must not be negative")
			}
			return in.address().check()
		},
		Preview: func(_ context.Context, _ action.Env, in SpawnInput) (action.Preview, error) {
			summary := "start a server for a user of its own on " + in.address().name() + ", and delete both"
			return action.Preview{Summary: summary}, nil
		},
		Observe: s.observe,
		Run:     s.run,
		Undo:    s.undo,
		Access:  action.NoAccess[SpawnInput], // it asks the hub, not its cluster
	})
}

// spawner carries out jupyterhub.spawn.
type spawner struct{ world World }

// scratchUser is the user of a step; nobody else has such a name.
func scratchUser(env action.Env) string {
	sum := sha256.Sum256([]byte(env.Key + "\x00" + env.Origin))
	return "refit-check-" + hex.EncodeToString(sum[:6])
}

func (s spawner) observe(ctx context.Context, env action.Env, in SpawnInput) (action.Observed[SpawnOutput], error) {
	var seen action.Observed[SpawnOutput]
	out, known, err := s.world.Done.find(env.Key)
	if err != nil {
		return seen, notRemembered(err)
	}
	if known {
		return action.Saw(out), nil
	}
	h, done, err := s.world.connect(ctx, env, in.address())
	if err != nil {
		return seen, err
	}
	defer done()
	_, there, err := h.find(ctx, scratchUser(env))
	switch {
	case err != nil:
		return seen, err
	case there:
		seen.Status, seen.Reason = action.Partial, "the user of an attempt is there"
	default:
		seen.Status, seen.Reason = action.NotStarted, "no server was tried"
	}
	return seen, nil
}

func notRemembered(err error) error {
	return &action.Error{
		Reason: reasonNotRemembered, Retryable: true, Effect: action.ExtentNone, Remedy: "check the state folder",
		Err: fmt.Errorf("remember that a server was tried: %w", err),
	}
}

func (s spawner) run(
	ctx context.Context, env action.Env, in SpawnInput, _ map[string]any,
) (out SpawnOutput, err error) {
	h, done, err := s.world.connect(ctx, env, in.address())
	if err != nil {
		return out, err
	}
	defer done()
	name := scratchUser(env)
	if known, is, err := s.world.Done.find(env.Key); err == nil && is {
		return known, nil
	}
	if err := h.clear(ctx, name); err != nil { // an earlier attempt may have ended in the middle
		return out, h.interrupted(ctx, err)
	}
	defer func() {
		if err = h.cleanUp(ctx, name, err); err != nil {
			return
		}
		if failed := s.world.Done.add(env.Key, out); failed != nil {
			err = notRemembered(failed)
		}
	}()
	return h.spawn(ctx, env, in, name)
}

// spawn makes a user and waits until its server has started.
func (h *hub) spawn(ctx context.Context, env action.Env, in SpawnInput, name string) (out SpawnOutput, err error) {
	if err := h.create(ctx, name); err != nil {
		return out, err
	}
	began := env.Now()
	if in.Patience == 0 {
		in.Patience = spawnPatience
	}
	limited, cancel := context.WithTimeout(ctx, in.Patience)
	defer cancel()
	server := ref{user: name}
	if in.Options != nil {
		if got, err := h.ask(limited, http.MethodPost, server.path(), in.Options); err != nil || got.status >= 300 {
			return out, h.notSpawned(name, in.Patience, err, got.said)
		}
	}
	there, err := h.settle(limited, server, true)
	switch {
	case err != nil && ctx.Err() != nil:
		return out, h.failed(reasonInterrupted, "", context.Cause(ctx))
	case err != nil || !there:
		return out, h.notSpawned(name, in.Patience, err, "its user is gone")
	}
	return SpawnOutput{User: name, Seconds: int(env.Now().Sub(began).Seconds())}, nil
}

// How long deleting may take: a server may need its time to stop. When a step was
// cancelled it is less than the host waits for it.
const (
	cleanPatience = 5 * time.Minute
	cleanTime     = 6 * time.Second
)

// cleanUp deletes what was made for a step, also when nobody waits for it any more. It
// returns the error that the step ends with.
func (h *hub) cleanUp(ctx context.Context, name string, err error) error {
	limit := cleanPatience
	if ctx.Err() != nil {
		limit = cleanTime
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	switch failed := h.clear(last, name); {
	case failed == nil:
		return action.WithExtent(err, action.ExtentNone)
	case err == nil:
		return h.notCleared(name, limit, failed)
	}
	return err
}

// notCleared says why what was made for a step is left.
func (h *hub) notCleared(name string, limit time.Duration, err error) error {
	if _, ok := errors.AsType[*action.Error](err); ok {
		return err
	}
	out := h.failed(reasonNotStopped, "look at the log of the hub, then refit retry",
		fmt.Errorf("user %q, whose server has started, is not deleted within %s", name, limit))
	out.Retryable, out.Effect = true, action.ExtentPartial
	return out
}

// interrupted makes an error of this package of the end of a context.
func (h *hub) interrupted(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*action.Error](err); ok || ctx.Err() == nil {
		return err
	}
	out := h.failed(reasonInterrupted, "", context.Cause(ctx))
	out.Retryable, out.Effect = true, action.ExtentUnknown
	return out
}

// notSpawned says why no server came up.
func (h *hub) notSpawned(name string, patience time.Duration, err error, said string) error {
	out := h.failed(reasonNotStarted, "look at the log of the hub, and at the events of the pod", nil)
	out.Retryable = true
	switch cause, ok := errors.AsType[*action.Error](err); {
	case errors.Is(err, context.DeadlineExceeded):
		out.Err = fmt.Errorf("%s: the server of user %q did not start within %s", h.name, name, patience)
	case ok && cause.Reason == action.ReasonAccessRefused:
		return cause
	case err != nil:
		out.Err = fmt.Errorf("%s: the server of user %q did not start: %w", h.name, name, inner(err))
	default:
		out.Err = fmt.Errorf("%s: the server of user %q did not start: %s", h.name, name, said)
	}
	return out
}

// create makes a user.
func (h *hub) create(ctx context.Context, name string) error {
	got, err := h.ask(ctx, http.MethodPost, userPath(name), nil)
	if err == nil && got.status >= 300 && got.status != http.StatusConflict {
		err = h.failed(reasonRefused, "", fmt.Errorf("make user %q: %d %s", name, got.status, got.said))
	}
	return err
}

// clear stops the server of a user and deletes the user; that it is not there is
// well.
func (h *hub) clear(ctx context.Context, name string) error {
	there, err := h.settle(ctx, ref{user: name}, false)
	if err != nil || !there {
		return err
	}
	got, err := h.ask(ctx, http.MethodDelete, userPath(name), nil)
	if err == nil && got.status >= 300 && got.status != http.StatusNotFound {
		err = h.failed(reasonRefused, "", fmt.Errorf("delete user %q: %d %s", name, got.status, got.said))
	}
	return err
}

func (s spawner) undo(ctx context.Context, env action.Env, in SpawnInput, _ map[string]any) error {
	h, done, err := s.world.connect(ctx, env, in.address())
	if err != nil {
		return err
	}
	defer done()
	if err := h.clear(ctx, scratchUser(env)); err != nil {
		return h.interrupted(ctx, err)
	}
	if err := s.world.Done.forget(env.Key); err != nil {
		return notRemembered(err)
	}
	return nil
}
