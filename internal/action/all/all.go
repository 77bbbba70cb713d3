package all

import (
	"fmt"
	nethttp "net/http"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/action/file"
	"github.com/refitproject/refit/internal/action/gate"
	"github.com/refitproject/refit/internal/action/http"
	"github.com/refitproject/refit/internal/action/manual"
	"github.com/refitproject/refit/internal/action/target"
)

// Clients are how actions reach the world. Tests put their own in their place.
type Clients struct {
	HTTP     *nethttp.Client
	Programs *exec.Runner
	Host     target.HostSource
}

// NewClients returns the real clients. Programs get the environment environ,
// as "NAME=value".
func NewClients(environ []string) Clients {
	return Clients{
		HTTP:     &nethttp.Client{Transport: http.Transport()},
		Programs: exec.NewRunner(environ),
		Host:     target.ThisHost(),
	}
}

// Actions returns all actions, in the order of their names.
func Actions(c Clients) []action.Action {
	return []action.Action{
		exec.Command(c.Programs),
		exec.Observe(c.Programs),
		exec.Shell(c.Programs),
		file.Copy(file.System{}),
		file.EditYAML(file.System{}),
		file.Read(),
		gate.Approval(),
		gate.Condition(),
		gate.Soak(),
		http.Check(c.HTTP),
		http.Get(c.HTTP),
		http.Request(c.HTTP),
		manual.Do(),
	}
}

// TargetKinds returns all kinds of target, in the order of their names.
func TargetKinds(c Clients) []action.TargetKind {
	return []action.TargetKind{
		target.Directory(),
		target.Git(c.Programs),
		target.Host(c.Host),
	}
}

// NewRegistry returns the registry of everything in this package.
func NewRegistry(c Clients) (*action.Registry, error) {
	registry, err := action.NewRegistry(Actions(c), TargetKinds(c))
	if err != nil {
		return nil, fmt.Errorf("register the actions: %w", err)
	}
	return registry, nil
}
