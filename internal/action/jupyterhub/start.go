package jupyterhub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// StartInput is the input of jupyterhub.start-servers.
type StartInput struct {
	URL       string           `json:"url,omitempty" doc:"Address of JupyterHub, http or https, as people open it, without /hub; default a port-forward to its Service."`
	Token     action.SecretRef `json:"token" refit:"secret" doc:"Token of the API, with the scopes list:users, read:servers, servers, and delete:servers for the way back."`
	Namespace string           `json:"namespace,omitempty" doc:"Without url: namespace of the hub."`
	Service   string           `json:"service,omitempty" doc:"Without url: its Service; default hub."`
	Port      int              `json:"port,omitempty" doc:"Without url: port of the Service; default 8081."`
	BasePath  string           `json:"basePath,omitempty" doc:"Without url: path that JupyterHub is served below; default /."`
	Servers   []string         `json:"servers" doc:"Servers to start, as USER or USER/SERVER, as jupyterhub.stop-servers gives them."`
	Patience  time.Duration    `json:"patience,omitempty" doc:"How long all servers may take; default 15m."`
	MayFail   int              `json:"mayFail,omitempty" doc:"How many of the servers may fail to start; default 0."`
}

func (in StartInput) address() address {
	return address{in.URL, in.Namespace, in.Service, in.Port, in.BasePath, in.Token}
}

// StartOutput is the output of jupyterhub.start-servers.
type StartOutput struct {
	Running int      `json:"running" doc:"Number of the servers that run."`
	Gone    []string `json:"gone" doc:"Servers whose users have been deleted since."`
	Failed  []string `json:"failed" doc:"Servers that do not run and were permitted to fail."`
}

// StartServers returns the action jupyterhub.start-servers.
func StartServers(w World) action.Action {
	s := starter{w}
	return action.Define(action.Definition[StartInput, StartOutput]{
		Name:      "jupyterhub.start-servers",
		Version:   1,
		Summary:   "Start servers of the users of a JupyterHub that ran before.",
		Effect:    action.Mutating,
		Resumable: true,
		Targets:   targets(),
		Typical:   time.Minute,
		Worst:     usualPatience,
		Check: func(in StartInput) error {
			if in.Patience < 0 || in.MayFail < 0 {
				return errors.New("fields \"patience\" and \"mayFail\" must not be negative")
			}
			for i, key := range in.Servers {
				if _, err := readRef(key); err != nil {
					return fmt.Errorf("field \"servers[%d]\": %w", i, err)
				}
			}
			return in.address().check()
		},
		Preview: func(_ context.Context, _ action.Env, in StartInput) (action.Preview, error) {
			summary := fmt.Sprintf("start %d servers of %s", len(in.Servers), in.address().name())
			return action.Preview{Summary: summary}, nil
		},
		Observe: s.observe,
		Run:     s.run,
		Undo:    s.undo,
		Access:  action.NoAccess[StartInput], // it asks the hub, not its cluster
	})
}

// starter carries out jupyterhub.start-servers.
type starter struct{ world World }

// found is what is seen of the servers that are to run.
type found struct {
	running, starting, gone, down []string
}

func (s starter) find(ctx context.Context, env action.Env, in StartInput) (found, error) {
	h, done, err := s.world.connect(ctx, env, in.address())
	if err != nil {
		return found{}, err
	}
	defer done()
	users, err := h.users(ctx)
	if err != nil {
		return found{}, err
	}
	var out found
	for _, key := range in.Servers {
		r, err := readRef(key)
		if err != nil {
			return found{}, err
		}
		i := slices.IndexFunc(users, func(u user) bool { return u.Name == r.user })
		if i < 0 {
			out.gone = append(out.gone, key)
			continue
		}
		switch server := users[i].Servers[r.name]; {
		case server.Ready && server.Pending == "":
			out.running = append(out.running, key)
		case server.Pending == "spawn":
			out.starting = append(out.starting, key)
		default:
			out.down = append(out.down, key)
		}
	}
	return out, nil
}

func (f found) output() *StartOutput {
	out := &StartOutput{Running: len(f.running), Gone: []string{}, Failed: []string{}}
	out.Gone = append(out.Gone, f.gone...)
	out.Failed = append(append(out.Failed, f.down...), f.starting...)
	return out
}

func (s starter) observe(ctx context.Context, env action.Env, in StartInput) (action.Observed[StartOutput], error) {
	f, err := s.find(ctx, env, in)
	if err != nil {
		return action.Observed[StartOutput]{}, err
	}
	ran := []any{}
	for _, key := range append(slices.Clone(f.running), f.starting...) {
		ran = append(ran, key)
	}
	seen := action.Observed[StartOutput]{
		Status: action.NotStarted, Before: map[string]any{"ran": ran},
		Reason: fmt.Sprintf("%d of %d servers run, users of %d are gone", len(f.running), len(in.Servers), len(f.gone)),
	}
	switch {
	case len(f.down) == 0 && len(f.starting) == 0:
		seen.Status, seen.Output = action.Done, f.output()
	case len(f.down) == 0:
		seen.Status = action.InProgress
	case env.Attempted && len(f.running)+len(f.starting) > 0:
		seen.Status = action.Partial
	}
	return seen, nil
}

func (s starter) run(ctx context.Context, env action.Env, in StartInput, _ map[string]any) (StartOutput, error) {
	err := s.world.settleAll(ctx, env, in.address(), task{
		servers: in.Servers, running: true, patience: in.Patience, mayFail: in.MayFail,
	})
	if err != nil {
		return StartOutput{}, err
	}
	f, err := s.find(ctx, env, in)
	if err != nil {
		return StartOutput{}, action.WithExtent(err, action.ExtentDone)
	}
	return *f.output(), nil
}

// undo stops what did not run before.
func (s starter) undo(ctx context.Context, env action.Env, in StartInput, before map[string]any) error {
	ran, _ := before["ran"].([]any)
	mine := slices.DeleteFunc(slices.Clone(in.Servers), func(key string) bool { return slices.Contains(ran, any(key)) })
	return s.world.settleAll(ctx, env, in.address(), task{servers: mine, running: false, patience: in.Patience})
}
