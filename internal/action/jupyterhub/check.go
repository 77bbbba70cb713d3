package jupyterhub

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/wait"
)

// CheckInput is the input of jupyterhub.check.
type CheckInput struct {
	URL           string           `json:"url,omitempty" doc:"Address of JupyterHub, http or https, as people open it, without /hub; default a port-forward to its Service."`
	Token         action.SecretRef `json:"token,omitempty" refit:"secret" doc:"Token of the API, with the scopes list:users and read:servers; without it only the version is looked at."`
	Namespace     string           `json:"namespace,omitempty" doc:"Without url: namespace of the hub."`
	Service       string           `json:"service,omitempty" doc:"Without url: its Service; default hub."`
	Port          int              `json:"port,omitempty" doc:"Without url: port of the Service; default 8081."`
	BasePath      string           `json:"basePath,omitempty" doc:"Without url: path that JupyterHub is served below; default /."`
	Version       string           `json:"version,omitempty" doc:"Version that the hub must have."`
	UsersDigest   string           `json:"usersDigest,omitempty" doc:"Digest that its users must have, from jupyterhub.users."`
	ServersDigest string           `json:"serversDigest,omitempty" doc:"Digest that its running servers must have, from jupyterhub.users."`
	For           time.Duration    `json:"for,omitempty" doc:"How long is tried until all is as expected; default once."`
}

func (in CheckInput) address() address {
	return address{in.URL, in.Namespace, in.Service, in.Port, in.BasePath, in.Token}
}

// CheckOutput is the output of jupyterhub.check.
type CheckOutput struct {
	Version string `json:"version" doc:"Version that the hub says it has."`
	Users   int    `json:"users" doc:"Number of users; 0 without a token."`
	Running int    `json:"running" doc:"Number of servers that run or are on their way; 0 without a token."`
}

// Check returns the action jupyterhub.check.
func Check(w World) action.Action {
	return action.Define(action.Definition[CheckInput, CheckOutput]{
		Name:    "jupyterhub.check",
		Version: 1,
		Summary: "Check that a JupyterHub answers, has a version and a token, and the users that it had.",
		Effect:  action.ReadOnly,
		Targets: targets(),
		Check: func(in CheckInput) error {
			digest := regexp.MustCompile(`^([0-9a-f]{64})?$`)
			switch {
			case in.For < 0:
				return errors.New("field \"for\" must not be negative")
			case !digest.MatchString(in.UsersDigest) || !digest.MatchString(in.ServersDigest):
				return errors.New("fields \"usersDigest\" and \"serversDigest\" are 64 hexadecimal digits")
			case in.Token == nil && in.UsersDigest+in.ServersDigest != "":
				return errors.New("field \"token\" is missing: the users of a hub are not told to everybody")
			}
			return in.address().check()
		},
		Preview: func(_ context.Context, _ action.Env, in CheckInput) (action.Preview, error) {
			text := "check that " + in.address().name() + " answers"
			if in.Version != "" {
				text += " with the version " + in.Version
			}
			return action.Preview{Summary: text}, nil
		},
		Observe: func(ctx context.Context, env action.Env, in CheckInput) (action.Observed[CheckOutput], error) {
			return w.check(ctx, env, in)
		},
		Access: action.NoAccess[CheckInput], // it asks the hub, not its cluster
	})
}

func (w World) check(ctx context.Context, env action.Env, in CheckInput) (action.Observed[CheckOutput], error) {
	window, cancel := context.WithTimeout(ctx, max(in.For, answerTime))
	defer cancel()
	until := env.Now().Add(in.For)
	for {
		out, wrong, err := w.look(window, env, in)
		if err == nil && wrong == "" {
			return action.Saw(out), nil
		}
		reason := action.ReasonOf(err)
		isFinal := err != nil && reason != reasonUnavailable && reason != reasonInterrupted && reason != reasonRefused
		if isFinal || ctx.Err() != nil {
			return action.Observed[CheckOutput]{}, err
		}
		if err != nil {
			wrong = err.Error()
		}
		env.Report(action.Progress{Note: wrong})
		if !env.Now().Before(until) || wait.For(window, time.Second) != nil {
			if ctx.Err() != nil {
				return action.Observed[CheckOutput]{}, &action.Error{
					Reason: reasonInterrupted, Retryable: true, Effect: action.ExtentNone,
					Err: fmt.Errorf("check %s: %w, at last: %s", in.address().name(), context.Cause(ctx), wrong),
				}
			}
			return action.Observed[CheckOutput]{Status: action.Failed, Reason: wrong}, nil
		}
	}
}

// look asks once and says what is not as expected.
func (w World) look(ctx context.Context, env action.Env, in CheckInput) (out CheckOutput, wrong string, err error) {
	h, done, err := w.connect(ctx, env, in.address())
	if err != nil {
		return out, "", err
	}
	defer done()
	if out.Version, err = h.version(ctx); err != nil {
		return out, "", err
	}
	var differs []string
	if in.Version != "" && out.Version != in.Version {
		differs = append(differs, fmt.Sprintf("its version must be %s, is %s", in.Version, out.Version))
	}
	if in.Token != nil {
		users, err := h.users(ctx)
		if err != nil {
			return out, "", err
		}
		seen := count(users)
		out.Users, out.Running = seen.Users, seen.Running
		if in.UsersDigest != "" && seen.UsersDigest != in.UsersDigest {
			differs = append(differs, fmt.Sprintf("its %d users are not those from before", seen.Users))
		}
		if in.ServersDigest != "" && seen.ServersDigest != in.ServersDigest {
			differs = append(differs, fmt.Sprintf("its %d running servers are not those from before", seen.Running))
		}
	}
	if len(differs) > 0 {
		wrong = h.name + ": " + strings.Join(differs, "; ")
	}
	return out, wrong, nil
}
