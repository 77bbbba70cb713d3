package versions

import "github.com/refitproject/refit/internal/diag"

// EdgeKind says what an edge means for the pairs of versions it speaks of.
type EdgeKind string

// The kinds of edges.
const (
	Upgrade   EdgeKind = "upgrade"
	Waypoint  EdgeKind = "waypoint"
	Migration EdgeKind = "migration"
	Forbidden EdgeKind = "forbidden"
)

// Graph is the version graph of one product. It is safe for concurrent use,
// except that Check must not run beside anything else.
type Graph struct {
	product    string
	scheme     Scheme
	properties []property
	// versions are in ascending order; where names are not ordered, in the
	// order of the file.
	versions []*version
	// byName holds canonical texts and aliases.
	byName map[string]int
	edges  []*edge
	pairs  *relations
	// facts are all mentions of facts, for Check.
	facts []factUse
}

// version is one version with everything the file says of it.
type version struct {
	VersionInfo
	parsed Version
	pos    diag.Position
	// line is the ordinal of the release line among those of the graph.
	line int
}

// edge is one edge with its constraints resolved to sets of versions.
type edge struct {
	Edge
	from, to bitset
	// pairsFrom and pairsTo are the versions that are in at least one pair.
	pairsFrom, pairsTo bitset
	// exact tells that both sides name one version each.
	exact bool
	risks []*Risk
}

// factUse is one place of the file that names a fact.
type factUse struct {
	requirement, fact string
	pos               diag.Position
}

// VersionInfo describes one version of a Graph.
type VersionInfo struct {
	Version    string         `json:"version"`
	Released   string         `json:"released,omitempty"`
	Aliases    []string       `json:"aliases,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
	Requires   []Requirement  `json:"requires,omitempty"`
	// Line is the release line as text, empty where there are none.
	Line string `json:"line,omitempty"`
	// Waypoint tells that some versions must not jump over this one.
	Waypoint bool `json:"waypoint,omitempty"`
}

// Edge describes one edge of a Graph.
type Edge struct {
	Pos diag.Position `json:"pos"`
	// From and To are the constraints as they were written.
	From       string         `json:"from"`
	To         string         `json:"to"`
	Kind       EdgeKind       `json:"kind"`
	Crosses    string         `json:"crosses,omitempty"`
	Why        string         `json:"why,omitempty"`
	Procedure  string         `json:"procedure,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
	Requires   []Requirement  `json:"requires,omitempty"`
	// Risks are the names of the risks.
	Risks []string `json:"risks,omitempty"`
	// Pairs is how many pairs of versions the edge speaks of.
	Pairs int `json:"pairs"`
	// FromVersions and ToVersions are the versions in these pairs.
	FromVersions []string `json:"fromVersions"`
	ToVersions   []string `json:"toVersions"`
}

// Product returns the name of the product.
func (g *Graph) Product() string { return g.product }

// Scheme returns the scheme of the product.
func (g *Graph) Scheme() Scheme { return g.scheme }

// Versions returns the versions in ascending order; where names are not
// ordered, in the order of the file. The values belong to the Graph and must
// not be changed.
func (g *Graph) Versions() []VersionInfo {
	infos := make([]VersionInfo, len(g.versions))
	for i, v := range g.versions {
		infos[i] = v.VersionInfo
	}
	return infos
}

// Edges returns the edges in the order of the file. The values belong to the
// Graph and must not be changed.
func (g *Graph) Edges() []Edge {
	edges := make([]Edge, len(g.edges))
	for i, e := range g.edges {
		edges[i] = e.Edge
		edges[i].FromVersions, edges[i].ToVersions = g.names(e.pairsFrom), g.names(e.pairsTo)
	}
	return edges
}
