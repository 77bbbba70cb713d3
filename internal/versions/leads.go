package versions

// Lead is what all edges together say of one pair of versions.
type Lead struct {
	To string `json:"to"`
	// Kind is Upgrade or Waypoint for a hop that a path may use, else Migration
	// or Forbidden.
	Kind EdgeKind `json:"kind"`
	// Why is the reason of a Migration or of what is Forbidden; Procedure is
	// the one to use instead, for a Migration.
	Why       string `json:"why,omitempty"`
	Procedure string `json:"procedure,omitempty"`
	// Risks and Requires are names, for a hop that a path may use.
	Risks    []string `json:"risks,omitempty"`
	Requires []string `json:"requires,omitempty"`
}

// Leads returns where the edges lead from a version, in the order of Versions:
// the hops that a path may use, the migrations and what is forbidden. A hop
// that would jump over a waypoint is left out. It returns nil for a version
// that the graph does not know.
func (g *Graph) Leads(from string) []Lead {
	i := g.index(from)
	if i < 0 {
		return nil
	}
	var leads []Lead
	for j := range g.versions {
		switch {
		case g.pairs.usable.has(i, j):
			leads = append(leads, usableLead(g.hop(i, j)))
		case g.pairs.forbidden.has(i, j):
			leads = append(leads, g.stopLead(Forbidden, i, j))
		case g.pairs.migration.has(i, j):
			leads = append(leads, g.stopLead(Migration, i, j))
		}
	}
	return leads
}

func usableLead(h Hop) Lead {
	lead := Lead{To: h.To, Kind: h.Kind}
	for _, r := range h.Risks {
		lead.Risks = append(lead.Risks, r.Name)
	}
	for _, r := range h.Requires {
		lead.Requires = append(lead.Requires, r.Name)
	}
	return lead
}

// stopLead describes the pair (i, j) by the first edge of the kind.
func (g *Graph) stopLead(kind EdgeKind, i, j int) Lead {
	lead := Lead{To: g.name(j), Kind: kind}
	for _, e := range g.edges {
		if e.Kind == kind && g.speaksOf(e, i, j) {
			lead.Why, lead.Procedure = e.Why, e.Procedure
			break
		}
	}
	return lead
}
