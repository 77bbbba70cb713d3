package jupyterhub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/refitproject/refit/internal/action"
)

const (
	// atOnce is how many servers are stopped or started at the same time.
	atOnce = 8
	// usualPatience is how long the servers of one step may take.
	usualPatience = 15 * time.Minute
)

// StopInput is the input of jupyterhub.stop-servers.
type StopInput struct {
	URL       string           `json:"url,omitempty" doc:"Address of JupyterHub, http or https, as people open it, without /hub; default a port-forward to its Service."`
	Token     action.SecretRef `json:"token" refit:"secret" doc:"Token of the API, with the scopes list:users, read:servers, delete:servers, and servers for the way back."`
	Namespace string           `json:"namespace,omitempty" doc:"Without url: namespace of the hub."`
	Service   string           `json:"service,omitempty" doc:"Without url: its Service; default hub."`
	Port      int              `json:"port,omitempty" doc:"Without url: port of the Service; default 8081."`
	BasePath  string           `json:"basePath,omitempty" doc:"Without url: path that JupyterHub is served below; default /."`
	Users     []string         `json:"users,omitempty" doc:"Names of users whose servers are stopped, with * for any text; default all."`
	Patience  time.Duration    `json:"patience,omitempty" doc:"How long all servers may take; default 15m."`
}

func (in StopInput) address() address {
	return address{in.URL, in.Namespace, in.Service, in.Port, in.BasePath, in.Token}
}

// StopOutput is the output of jupyterhub.stop-servers.
type StopOutput struct {
	Stopped []string `json:"stopped" doc:"Servers that were stopped, as USER or USER/SERVER, sorted: the input of jupyterhub.start-servers."`
}

// StopServers returns the action jupyterhub.stop-servers.
func StopServers(w World) action.Action {
	s := stopper{w}
	return action.Define(action.Definition[StopInput, StopOutput]{
		Name:      "jupyterhub.stop-servers",
		Version:   1,
		Summary:   "Stop servers of the users of a JupyterHub, and remember which ran.",
		Effect:    action.Mutating,
		CanLease:  true,
		Resumable: true,
		Selects:   true,
		Targets:   targets(),
		Typical:   time.Minute,
		Worst:     usualPatience,
		Check: func(in StopInput) error {
			if in.Patience < 0 {
				return errors.New("field \"patience\" must not be negative")
			}
			if err := checkPatterns(in.Users); err != nil {
				return err
			}
			return in.address().check()
		},
		Preview: func(_ context.Context, _ action.Env, in StopInput) (action.Preview, error) {
			whose := "all users"
			if in.Users != nil {
				whose = "the users " + strings.Join(in.Users, ", ")
			}
			return action.Preview{Summary: fmt.Sprintf("stop the servers of %s of %s", whose, in.address().name())}, nil
		},
		Observe: s.observe,
		Run:     s.run,
		Undo:    s.undo,
		Access:  action.NoAccess[StopInput], // it asks the hub, not its cluster
	})
}

// stopper carries out jupyterhub.stop-servers.
type stopper struct{ world World }

func (s stopper) observe(ctx context.Context, env action.Env, in StopInput) (action.Observed[StopOutput], error) {
	h, done, err := s.world.connect(ctx, env, in.address())
	if err != nil {
		return action.Observed[StopOutput]{}, err
	}
	defer done()
	users, err := h.users(ctx)
	if err != nil {
		return action.Observed[StopOutput]{}, err
	}
	running := active(selected(users, in.Users))
	seen := action.Observed[StopOutput]{Status: action.NotStarted, Before: map[string]any{"servers": stamp(running)}}
	if !env.Attempted && env.Members == nil {
		for _, r := range running {
			seen.Members = append(seen.Members, action.Member{Key: r.ref.key()})
		}
		seen.Reason = fmt.Sprintf("%d servers run", len(running))
		return seen, nil
	}
	stopping := 0
	for _, m := range env.Members {
		i := slices.IndexFunc(running, func(r runningServer) bool { return r.ref.key() == m.Key })
		if i < 0 {
			continue
		}
		seen.Members = append(seen.Members, m)
		if running[i].Pending == "stop" {
			stopping++
		}
	}
	seen.Reason = fmt.Sprintf("%d of %d servers run", len(seen.Members), len(env.Members))
	switch {
	case len(seen.Members) == 0:
		out := stopped(env.Members)
		seen.Status, seen.Output = action.Done, &out
	case stopping == len(seen.Members):
		seen.Status = action.InProgress
	case len(seen.Members) < len(env.Members):
		seen.Status = action.Partial
	}
	return seen, nil
}

// runningServer is a server that runs.
type runningServer struct {
	ref ref
	server
}

// active lists the servers that run or are on their way, in a fixed order.
func active(users []user) []runningServer {
	var all []runningServer
	for _, u := range users {
		for _, name := range slices.Sorted(maps.Keys(u.Servers)) {
			if s := u.Servers[name]; s.active() {
				all = append(all, runningServer{ref{u.Name, name}, s})
			}
		}
	}
	return all
}

// stamp is a digest of which servers run and since when: a server that somebody has
// started again is another one.
func stamp(all []runningServer) string {
	sum := sha256.New()
	for _, r := range all {
		_, _ = fmt.Fprintf(sum, "%s %s\n", r.ref.key(), r.Started)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func stopped(members []action.Member) StopOutput {
	out := StopOutput{Stopped: []string{}}
	for _, m := range members {
		out.Stopped = append(out.Stopped, m.Key)
	}
	return out
}

func (s stopper) run(ctx context.Context, env action.Env, in StopInput, _ map[string]any) (StopOutput, error) {
	err := s.world.settleAll(ctx, env, in.address(), task{
		servers: keysOf(env.Members), running: false, patience: in.Patience,
	})
	if err != nil {
		return StopOutput{}, err
	}
	return stopped(env.Members), nil
}

func (s stopper) undo(ctx context.Context, env action.Env, in StopInput, _ map[string]any) error {
	return s.world.settleAll(ctx, env, in.address(), task{
		servers: keysOf(env.Members), running: true, patience: in.Patience,
	})
}

func keysOf(members []action.Member) []string {
	var keys []string
	for _, m := range members {
		keys = append(keys, m.Key)
	}
	return keys
}

// task says which servers are to be brought to which state.
type task struct {
	servers  []string
	running  bool
	patience time.Duration
	// mayFail is how many servers may fail.
	mayFail int
}

// settleAll brings servers to a state, several at once, and waits until it is so.
// The error is an *action.Error and names the first servers that failed.
func (w World) settleAll(ctx context.Context, env action.Env, at address, t task) error {
	h, done, err := w.connect(ctx, env, at)
	if err != nil {
		return err
	}
	defer done()
	if t.patience == 0 {
		t.patience = usualPatience
	}
	limited, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	var (
		mu     sync.Mutex
		failed = map[string]error{}
		ready  int
	)
	group := errgroup.Group{}
	group.SetLimit(atOnce)
	for _, key := range t.servers {
		group.Go(func() error {
			r, err := readRef(key)
			if err == nil {
				_, err = h.settle(limited, r, t.running)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed[key] = err
				return nil
			}
			ready++
			env.Report(action.Progress{Done: int64(ready), Total: int64(len(t.servers)), Unit: "servers", Note: key})
			return nil
		})
	}
	_ = group.Wait() // what failed is in the map
	if len(failed) <= t.mayFail && ctx.Err() == nil {
		return nil
	}
	return h.explain(ctx, limited, t, failed)
}

// explain makes one error of those of several servers.
func (h *hub) explain(ctx, limited context.Context, t task, failed map[string]error) error {
	keys := slices.Sorted(maps.Keys(failed))
	if len(keys) == 0 {
		return h.failed(reasonInterrupted, "", context.Cause(ctx))
	}
	first := failed[keys[0]]
	state, reason := "stopped", reasonNotStopped
	if t.running {
		state, reason = "started", reasonNotStarted
	}
	out := h.failed(reason, "look at the log of the hub, then refit retry",
		fmt.Errorf("%d of %d servers are not %s: %s: %w", len(failed), len(t.servers), state, keys[0], inner(first)))
	out.Retryable = true
	switch cause, ok := errors.AsType[*action.Error](first); {
	case ctx.Err() != nil:
		out.Reason, out.Remedy = reasonInterrupted, ""
		out.Err = fmt.Errorf("%s: %d of %d servers are not %s: %w",
			h.name, len(failed), len(t.servers), state, context.Cause(ctx))
	case limited.Err() != nil:
		out.Err = fmt.Errorf("%s: %d of %d servers are not %s within %s, such as %s",
			h.name, len(failed), len(t.servers), state, t.patience, keys[0])
	case ok:
		out.Retryable = cause.Retryable
		if cause.Reason == action.ReasonAccessRefused || cause.Reason == reasonUnavailable {
			out.Reason, out.Remedy = cause.Reason, cause.Remedy
		}
	}
	out.Effect = action.ExtentPartial
	if len(failed) == len(t.servers) && out.Reason == action.ReasonAccessRefused {
		out.Effect = action.ExtentNone
	}
	return out
}

// inner is an error without the name of the hub, which stands before it already, and
// without its remedy.
func inner(err error) error {
	if failed, ok := errors.AsType[*action.Error](err); ok && errors.Unwrap(failed.Err) != nil {
		return errors.Unwrap(failed.Err)
	}
	return err
}
