package report

import "github.com/refitproject/refit/internal/versions"

// GraphOf returns a version graph as it is drawn.
func GraphOf(g *versions.Graph) Graph {
	out := Graph{Product: g.Product(), Scheme: g.Scheme().Name(), Ordered: g.Scheme().Ordered()}
	for _, v := range g.Versions() {
		version := GraphVersion{
			Version: v.Version, Released: v.Released, Waypoint: v.Waypoint, Properties: v.Properties,
		}
		for _, lead := range g.Leads(v.Version) {
			version.Edges = append(version.Edges, GraphEdge{
				To: lead.To, Kind: EdgeKind(lead.Kind), Why: lead.Why, Procedure: lead.Procedure,
				Risks: lead.Risks, Requires: lead.Requires,
			})
		}
		out.Versions = append(out.Versions, version)
	}
	return out
}
