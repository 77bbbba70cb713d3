package jupyterhub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// UsersInput is the input of jupyterhub.users.
type UsersInput struct {
	URL       string           `json:"url,omitempty" doc:"Address of JupyterHub, http or https, as people open it, without /hub; default a port-forward to its Service."`
	Token     action.SecretRef `json:"token" refit:"secret" doc:"Token of the API, with the scopes list:users and read:servers."`
	Namespace string           `json:"namespace,omitempty" doc:"Without url: namespace of the hub."`
	Service   string           `json:"service,omitempty" doc:"Without url: its Service; default hub."`
	Port      int              `json:"port,omitempty" doc:"Without url: port of the Service; default 8081."`
	BasePath  string           `json:"basePath,omitempty" doc:"Without url: path that JupyterHub is served below; default /."`
	Users     []string         `json:"users,omitempty" doc:"Names of users to look at, with * for any text; default all."`
}

func (in UsersInput) address() address {
	return address{in.URL, in.Namespace, in.Service, in.Port, in.BasePath, in.Token}
}

// UsersOutput is the output of jupyterhub.users.
type UsersOutput struct {
	Version       string   `json:"version" doc:"Version that the hub says it has."`
	Users         int      `json:"users" doc:"Number of users."`
	Admins        int      `json:"admins" doc:"Number of those that are administrators."`
	Running       int      `json:"running" doc:"Number of servers that run or are on their way."`
	Ready         int      `json:"ready" doc:"Number of servers that can be used."`
	Pending       int      `json:"pending" doc:"Number of servers that start or stop."`
	Names         []string `json:"names" doc:"Names of the users, sorted, as many as fit into 8 KiB."`
	Servers       []string `json:"servers" doc:"Servers that run or are on their way, as USER or USER/SERVER, sorted, as many as fit into 16 KiB."`
	Truncated     bool     `json:"truncated" doc:"Tells that names or servers are not all of them."`
	UsersDigest   string   `json:"usersDigest" doc:"Digest of the names of all users and of who is an administrator, 64 hexadecimal digits."`
	ServersDigest string   `json:"serversDigest" doc:"Digest of all servers that run or are on their way, 64 hexadecimal digits."`
}

// How much of names and of servers is kept, in bytes.
const (
	maxNames   = 8 << 10
	maxServers = 16 << 10
)

// Users returns the action jupyterhub.users.
func Users(w World) action.Action {
	return action.Define(action.Definition[UsersInput, UsersOutput]{
		Name:    "jupyterhub.users",
		Version: 1,
		Summary: "Read the users of a JupyterHub and which of their servers run.",
		Effect:  action.ReadOnly,
		Targets: targets(),
		Check: func(in UsersInput) error {
			if err := checkPatterns(in.Users); err != nil {
				return err
			}
			return in.address().check()
		},
		Preview: func(_ context.Context, _ action.Env, in UsersInput) (action.Preview, error) {
			return action.Preview{Summary: "read the users of " + in.address().name()}, nil
		},
		Observe: func(ctx context.Context, env action.Env, in UsersInput) (action.Observed[UsersOutput], error) {
			h, done, err := w.connect(ctx, env, in.address())
			if err != nil {
				return action.Observed[UsersOutput]{}, err
			}
			defer done()
			version, err := h.version(ctx)
			if err != nil {
				return action.Observed[UsersOutput]{}, err
			}
			users, err := h.users(ctx)
			if err != nil {
				return action.Observed[UsersOutput]{}, err
			}
			out := count(selected(users, in.Users))
			out.Version = version
			return action.Saw(out), nil
		},
		Access: action.NoAccess[UsersInput], // it asks the hub, not its cluster
	})
}

// targets are the kinds of target of all actions of this package.
func targets() []string { return []string{"kubernetes"} }

func checkPatterns(patterns []string) error {
	for i, pattern := range patterns {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return fmt.Errorf("field \"users[%d]\" is %q, which is no name and no pattern such as ada*", i, pattern)
		}
	}
	return nil
}

// selected returns the users whose names one of the patterns matches.
func selected(users []user, patterns []string) []user {
	if patterns == nil {
		return users
	}
	return slices.DeleteFunc(slices.Clone(users), func(u user) bool {
		return !slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, err := path.Match(pattern, u.Name)
			return err == nil && ok || pattern == u.Name
		})
	})
}

// count makes the output of a list of users.
func count(users []user) UsersOutput {
	out := UsersOutput{Users: len(users), Names: []string{}, Servers: []string{}}
	var names, servers []string
	people := sha256.New()
	for _, u := range users {
		_, _ = fmt.Fprintf(people, "%q %t\n", u.Name, u.Admin)
		names = append(names, u.Name)
		if u.Admin {
			out.Admins++
		}
		for _, name := range slices.Sorted(maps.Keys(u.Servers)) {
			s := u.Servers[name]
			if !s.active() {
				continue
			}
			servers = append(servers, ref{u.Name, name}.key())
			out.Running++
			if s.Pending != "" {
				out.Pending++
			} else {
				out.Ready++
			}
		}
	}
	out.UsersDigest = hex.EncodeToString(people.Sum(nil))
	running := sha256.Sum256([]byte(strings.Join(servers, "\n")))
	out.ServersDigest = hex.EncodeToString(running[:])
	var less bool
	out.Names, less = bounded(names, maxNames)
	out.Servers, out.Truncated = bounded(servers, maxServers)
	out.Truncated = out.Truncated || less
	return out
}

// bounded returns as many members of a list as fit.
func bounded(list []string, limit int) (kept []string, less bool) {
	kept = []string{}
	for _, member := range list {
		if limit -= len(member) + 3; limit < 0 {
			return kept, true
		}
		kept = append(kept, member)
	}
	return kept, false
}
