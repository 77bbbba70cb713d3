package report

// Graph is a version graph as it is drawn.
type Graph struct {
	Product string `json:"product"`
	// Scheme says in words how versions compare: "semver".
	Scheme string `json:"scheme"`
	// Ordered is false for named tracks, which no version is newer than.
	Ordered  bool           `json:"ordered"`
	Versions []GraphVersion `json:"versions"`
}

// GraphVersion is one version with the edges that leave it. Versions are in
// the order of the product, the oldest first.
type GraphVersion struct {
	Version  string `json:"version"`
	Released string `json:"released,omitempty"` // 2024-11-07
	// Waypoint tells that no path may jump over the version.
	Waypoint   bool           `json:"waypoint,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
	Edges      []GraphEdge    `json:"edges,omitempty"`
}

// EdgeKind says what an edge permits.
type EdgeKind string

// The kinds. EdgeUpgrade and EdgeWaypoint can be used; EdgeMigration needs
// another procedure; EdgeForbidden must not be used at all.
const (
	EdgeUpgrade   EdgeKind = "upgrade"
	EdgeWaypoint  EdgeKind = "waypoint"
	EdgeMigration EdgeKind = "migration"
	EdgeForbidden EdgeKind = "forbidden"
)

// usable tells whether a path may use an edge of the kind.
func (k EdgeKind) usable() bool { return k == EdgeUpgrade || k == EdgeWaypoint }

// GraphEdge is one edge, from the version that holds it.
type GraphEdge struct {
	To   string   `json:"to"`
	Kind EdgeKind `json:"kind"`
	// Why is given for migrations and forbidden edges.
	Why string `json:"why,omitempty"`
	// Procedure is the procedure to use instead, for migrations.
	Procedure string `json:"procedure,omitempty"`
	// Risks and Requires are names.
	Risks    []string `json:"risks,omitempty"`
	Requires []string `json:"requires,omitempty"`
}

// Paths is the answer to the question how to get from one version to another:
// the paths, the best one first, or the reason why there is none.
type Paths struct {
	Product string        `json:"product"`
	From    string        `json:"from"`
	To      string        `json:"to"`
	Paths   []VersionPath `json:"paths"`
	// NoPath says in one line why there is no path; empty when there is one.
	NoPath string `json:"noPath,omitempty"`
	// Nearest is the reachable version that comes closest, and Procedure the
	// one that crosses what stands in the way; both may be empty.
	Nearest   string `json:"nearest,omitempty"`
	Procedure string `json:"procedure,omitempty"`
}

// VersionPath is one path.
type VersionPath struct {
	Hops []PathHop `json:"hops"`
}

// PathHop is one hop of a path.
type PathHop struct {
	From     string            `json:"from"`
	To       string            `json:"to"`
	Kind     EdgeKind          `json:"kind"`
	Risks    []PathRisk        `json:"risks,omitempty"`
	Requires []PathRequirement `json:"requires,omitempty"`
}

// PathRisk is a risk of a hop. Whether it applies is known only when planning.
type PathRisk struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	URL     string `json:"url,omitempty"`
	Remedy  string `json:"remedy,omitempty"`
}

// PathRequirement is what must be true before a hop starts.
type PathRequirement struct {
	Name       string `json:"name"`
	Fact       string `json:"fact"`
	Constraint string `json:"constraint"`
	Owner      string `json:"owner,omitempty"`
}
