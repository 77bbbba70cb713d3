package service

import (
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/versions"
	"github.com/refitproject/refit/internal/yamldoc"
)

// graphOf describes a version graph as it is drawn: each version with the
// edges that leave it. Of a pair that several edges speak of, the strongest
// one is drawn: forbidden, migration, waypoint, upgrade.
func graphOf(g *versions.Graph) report.Graph {
	infos := g.Versions()
	out := report.Graph{
		Product: g.Product(), Scheme: g.Scheme().Name(), Ordered: g.Scheme().Ordered(),
		Versions: make([]report.GraphVersion, len(infos)),
	}
	d := newDrawing(g)
	for i, v := range infos {
		out.Versions[i] = report.GraphVersion{
			Version: v.Version, Released: v.Released, Waypoint: v.Waypoint, Properties: v.Properties,
		}
		for j := range infos {
			if edge, ok := d.pair(i, j); ok {
				out.Versions[i].Edges = append(out.Versions[i].Edges, edge)
			}
		}
	}
	return out
}

// drawing finds what the edges of a graph say of pairs of versions, which are
// given by their places.
type drawing struct {
	graph *versions.Graph
	infos []versions.VersionInfo
	lines []versions.Line
	// edges has the edges that speak of a pair, by the places of its versions.
	edges map[[2]int][]versions.Edge
}

func newDrawing(g *versions.Graph) *drawing {
	d := &drawing{graph: g, infos: g.Versions(), edges: map[[2]int][]versions.Edge{}}
	at := make(map[string]int, len(d.infos))
	d.lines = make([]versions.Line, len(d.infos))
	for i, v := range d.infos {
		at[v.Version] = i
		// The graph has parsed all its versions before.
		if parsed, err := g.Scheme().Parse(v.Version); err == nil {
			d.lines[i] = g.Scheme().Line(parsed)
		}
	}
	for _, e := range g.Edges() {
		for _, from := range e.FromVersions {
			for _, to := range e.ToVersions {
				if pair := [2]int{at[from], at[to]}; d.speaks(e, pair) {
					d.edges[pair] = append(d.edges[pair], e)
				}
			}
		}
	}
	return d
}

// speaks tells whether an edge speaks of a pair of versions that its two
// constraints match.
func (d *drawing) speaks(e versions.Edge, pair [2]int) bool {
	if pair[0] == pair[1] || d.graph.Scheme().Ordered() && pair[0] > pair[1] {
		return false
	}
	from, to := d.lines[pair[0]], d.lines[pair[1]]
	switch e.Crosses {
	case "compatible":
		return from == to
	case "breaking":
		return from != to
	case "next":
		return d.graph.Scheme().Next(from, to)
	default:
		return true
	}
}

// pair returns what is drawn between two versions.
func (d *drawing) pair(i, j int) (report.GraphEdge, bool) {
	strength := map[versions.EdgeKind]int{
		versions.Upgrade: 1, versions.Waypoint: 2, versions.Migration: 3, versions.Forbidden: 4,
	}
	out := report.GraphEdge{To: d.infos[j].Version}
	for _, e := range d.edges[[2]int{i, j}] {
		if strength[e.Kind] > strength[versions.EdgeKind(out.Kind)] {
			out.Kind, out.Why, out.Procedure = report.EdgeKind(e.Kind), e.Why, e.Procedure
		}
		out.Risks = append(out.Risks, e.Risks...)
		for _, r := range e.Requires {
			out.Requires = append(out.Requires, r.Name)
		}
	}
	if out.Kind == report.EdgeUpgrade && d.jumps(i, j) {
		return out, false
	}
	return out, out.Kind != ""
}

// jumps tells whether an upgrade would jump over a waypoint.
func (d *drawing) jumps(i, j int) bool {
	if !d.graph.Scheme().Ordered() {
		return false
	}
	for w := i + 1; w < j; w++ {
		for _, e := range d.edges[[2]int{i, w}] {
			if e.Kind == versions.Waypoint {
				return true
			}
		}
	}
	return false
}

// nodeText returns the text of a scalar as it was written, "" for nothing.
func nodeText(n *yamldoc.Node) string {
	if n == nil {
		return ""
	}
	text, _ := n.Value.(string)
	return text
}
