package versions

import "maps"

// Path is a way from one version to another. It has no hops when both are the
// same.
type Path struct {
	From string `json:"from"`
	To   string `json:"to"`
	Hops []Hop  `json:"hops"`
}

// Risks returns how many declared risks the hops of p have in all.
func (p Path) Risks() int {
	n := 0
	for _, h := range p.Hops {
		n += len(h.Risks)
	}
	return n
}

// Hop is one step of a Path.
type Hop struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Kind is Waypoint when the hop ends at one, else Upgrade.
	Kind EdgeKind `json:"kind"`
	// Properties are the values of the edges, else those of the version To,
	// else the defaults.
	Properties map[string]any `json:"properties,omitempty"`
	// Previous are the values of the version From, else the defaults.
	Previous map[string]any `json:"previous,omitempty"`
	// Requires is what must be met before the hop: the needs of its edges and
	// of the version To.
	Requires []Requirement `json:"requires,omitempty"`
	// StillRequires is what the version From needs as long as it runs. It is
	// not a condition of the hop; it is for whoever has to meet Requires.
	StillRequires []Requirement `json:"stillRequires,omitempty"`
	Risks         []*Risk       `json:"risks,omitempty"`
}

// Value returns h as expressions see it, of the type Graph.HopType. The outer
// maps are fresh; the values of properties are shared and must not be changed.
func (h Hop) Value() map[string]any {
	value := make(map[string]any, len(h.Properties)+reservedFields)
	maps.Copy(value, h.Properties)
	previous := maps.Clone(h.Previous)
	if previous == nil {
		previous = map[string]any{}
	}
	value[fieldFrom], value[fieldTo], value[fieldKind] = h.From, h.To, string(h.Kind)
	value[fieldPrevious] = previous
	return value
}

// hop puts together what the file says of the usable pair (i, j).
func (g *Graph) hop(i, j int) Hop {
	from, to := g.versions[i], g.versions[j]
	h := Hop{
		From: from.Version, To: to.Version, Kind: Upgrade,
		Properties: g.defaults(), Previous: g.defaults(), StillRequires: from.Requires,
	}
	maps.Copy(h.Properties, to.Properties)
	maps.Copy(h.Previous, from.Properties)
	var risks []*Risk
	for _, e := range g.edges {
		if !g.speaksOf(e, i, j) {
			continue
		}
		if e.Kind == Waypoint {
			h.Kind = Waypoint
		}
		maps.Copy(h.Properties, e.Properties)
		h.Requires = mergeRequirements(h.Requires, e.Requires)
		risks = append(risks, e.risks...)
	}
	h.Requires = mergeRequirements(h.Requires, to.Requires)
	value := h.Value()
	for _, r := range risks {
		h.Risks = append(h.Risks, r.on(value))
	}
	return h
}

// path turns a trail of versions into a Path.
func (g *Graph) path(trail []int) Path {
	p := Path{From: g.name(trail[0]), To: g.name(trail[len(trail)-1]), Hops: []Hop{}}
	for k := 1; k < len(trail); k++ {
		p.Hops = append(p.Hops, g.hop(trail[k-1], trail[k]))
	}
	return p
}
