package service

import (
	"context"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/versions"
)

// Reach is which version of a platform is installed, and where it can go.
type Reach struct {
	Installed string `json:"installed"`
	// Versions are those that can be reached, from the oldest to the newest.
	Versions []Reachable `json:"versions"`
}

// Reachable is a version with the number of hops to it.
type Reachable struct {
	Version string `json:"version"`
	Hops    int    `json:"hops"`
}

// Reach observes which version of a platform is installed and finds the versions
// that can be reached from it; nil for a procedure without a version graph.
func (s *Service) Reach(ctx context.Context, file string) (*Reach, error) {
	l, err := s.loadPlatform(file)
	if err != nil {
		return nil, err
	}
	return s.reach(ctx, l)
}

func (s *Service) reach(ctx context.Context, l *loaded) (*Reach, error) {
	if l.procedure.Graph == nil || l.procedure.From == nil {
		return nil, nil //nolint:nilnil // without a graph there are no versions, which is no error
	}
	seen, err := s.look(ctx, l)
	if err != nil {
		return nil, err
	}
	from, err := installedVersion(l.procedure, expr.Scope{"inputs": l.inputs, "observe": seen.facts})
	if err != nil {
		return nil, l.evalError(err)
	}
	return &Reach{Installed: from, Versions: reachable(l.procedure.Graph, from)}, nil
}

// reachable lists the versions to which a path leads.
func reachable(g *versions.Graph, from string) []Reachable {
	out := []Reachable{}
	for _, v := range g.Versions() {
		if v.Version == from {
			continue
		}
		if paths, err := g.Paths(from, v.Version, 1); err == nil && len(paths) > 0 {
			out = append(out, Reachable{Version: v.Version, Hops: len(paths[0].Hops)})
		}
	}
	return out
}
