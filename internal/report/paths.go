package report

import (
	"errors"

	"github.com/refitproject/refit/internal/versions"
)

// PathsOf returns what versions.Graph.Paths answered as it is shown. An error
// of another kind than *versions.NoPathError is returned as it is.
func PathsOf(g *versions.Graph, from, to string, paths []versions.Path, err error) (Paths, error) {
	out := Paths{Product: g.Product(), From: from, To: to, Paths: []VersionPath{}}
	var none *versions.NoPathError
	switch {
	case errors.As(err, &none):
		out.NoPath, out.Nearest, out.Procedure = none.Error(), none.Nearest, none.Procedure
	case err != nil:
		return Paths{}, err
	}
	for _, path := range paths {
		hops := make([]PathHop, 0, len(path.Hops))
		for i := range path.Hops {
			hops = append(hops, hopOf(&path.Hops[i]))
		}
		out.Paths = append(out.Paths, VersionPath{Hops: hops})
	}
	return out, nil
}

func hopOf(h *versions.Hop) PathHop {
	out := PathHop{From: h.From, To: h.To, Kind: EdgeKind(h.Kind)}
	for _, r := range h.Risks {
		out.Risks = append(out.Risks, PathRisk{Name: r.Name, Summary: r.Summary, URL: r.URL, Remedy: r.Remedy})
	}
	for _, r := range h.Requires {
		out.Requires = append(out.Requires, PathRequirement{
			Name: r.Name, Fact: r.Fact, Constraint: r.Constraint, Owner: r.Owner,
		})
	}
	return out
}
