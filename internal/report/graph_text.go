package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// GraphText draws g: versions from the oldest to the newest, the edges that
// leave each of them, waypoints as ◆, and a broken line where no upgrade leads
// on. The error is that of w.
func GraphText(w io.Writer, g Graph, opts TextOptions) error {
	t := graphText{
		page: newPage(w, opts), graph: g,
		position: make(map[string]int, len(g.Versions)), told: map[string]bool{},
	}
	for i := range g.Versions {
		t.position[g.Versions[i].Version] = i
	}
	size := fmt.Sprintf(" (%s, scheme %s)", count(len(g.Versions), "version"), g.Scheme)
	t.para(0, 2, in(Heading, "Versions of "+g.Product), in(Muted, size))
	t.blank()
	hidden := t.hidden()
	for i := range g.Versions {
		if hidden > 0 && i == shownVersions {
			t.para(2, 4, in(Muted, more(hidden, "version")))
		}
		if hidden == 0 || i < shownVersions || i >= shownVersions+hidden {
			t.version(i)
		}
	}
	t.graphLegend()
	return t.close()
}

// Graphs with at most twice so many versions are drawn whole; of larger ones
// the oldest and the newest are.
const shownVersions = 30

// graphText is one rendering of a Graph.
type graphText struct {
	*page
	graph    Graph
	position map[string]int
	told     map[string]bool // reasons that were given once, which is enough
}

// hidden returns how many versions in the middle are left out.
func (t *graphText) hidden() int {
	if t.opts.Full {
		return 0
	}
	return max(0, len(t.graph.Versions)-2*shownVersions)
}

// version draws one version with its edges and the line to the next one.
func (t *graphText) version(i int) {
	v := &t.graph.Versions[i]
	sign, role := "● ", Text
	if v.Waypoint {
		sign, role = "◆ ", Warn
	}
	spans := []span{in(role, sign), in(Strong, v.Version)}
	if v.Released != "" {
		spans = append(spans, in(Muted, "  "+v.Released))
	}
	if v.Waypoint {
		spans = append(spans, in(Warn, "  waypoint"))
	}
	for _, key := range sortedKeys(v.Properties) {
		spans = append(spans, in(Muted, "  "+nonBreaking(key+" "+shortValue(v.Properties[key]))))
	}
	t.para(2, 8, spans...)
	line := t.connector(i)
	for _, group := range groupEdges(v.Edges) {
		t.edge(line, group)
	}
	if len(v.Edges) == 0 && line.text != " " && i < len(t.graph.Versions)-1 {
		t.para(2, 2, line)
	}
}

// connector returns the line from version i to the next one: drawn through
// when an upgrade leads over the gap, broken when only a migration does.
func (t *graphText) connector(i int) span {
	if !t.graph.Ordered {
		return plain(" ")
	}
	broken := false
	for j := range i + 1 {
		for _, e := range t.graph.Versions[j].Edges {
			if t.position[e.To] <= i {
				continue
			}
			if e.Kind.usable() {
				return in(Muted, "│")
			}
			broken = broken || e.Kind == EdgeMigration
		}
	}
	if broken {
		return in(Danger, "┆")
	}
	return plain(" ")
}

// edgeGroup is edges from one version that differ in their ends only.
type edgeGroup struct {
	edge GraphEdge
	to   []string
}

func groupEdges(edges []GraphEdge) []edgeGroup {
	var groups []edgeGroup
	for _, e := range edges {
		at := slices.IndexFunc(groups, func(g edgeGroup) bool {
			return g.edge.Kind == e.Kind && g.edge.Why == e.Why && g.edge.Procedure == e.Procedure &&
				slices.Equal(g.edge.Risks, e.Risks) && slices.Equal(g.edge.Requires, e.Requires)
		})
		if at < 0 {
			groups = append(groups, edgeGroup{edge: e})
			at = len(groups) - 1
		}
		groups[at].to = append(groups[at].to, e.To)
	}
	return groups
}

// edge draws a group of edges beside the line to the next version.
func (t *graphText) edge(line span, g edgeGroup) {
	e := &g.edge
	limit := 6
	if t.opts.Full {
		limit = 0
	}
	to := list(g.to, limit)
	var spans []span
	switch e.Kind {
	case EdgeUpgrade, EdgeWaypoint:
		spans = []span{in(Good, "→ "), plain(to)}
	case EdgeMigration:
		spans = []span{in(Danger, "✗ migration"), plain(" to " + to)}
	case EdgeForbidden:
		spans = []span{in(Danger, "✗ forbidden"), plain(" to go to " + to)}
	}
	if e.Procedure != "" {
		spans = append(spans, plain(", use the procedure "), in(Strong, e.Procedure))
	}
	if e.Why != "" && !t.told[e.Why] {
		t.told[e.Why] = true
		spans = append(spans, in(Muted, ": "+e.Why))
	}
	if len(e.Risks) > 0 {
		spans = append(spans, in(Warn, "  ! "+strings.Join(e.Risks, ", ")))
	}
	if len(e.Requires) > 0 {
		spans = append(spans, in(Muted, "  needs "+strings.Join(e.Requires, ", ")))
	}
	t.beside(line, spans)
}

// beside writes spans to the right of the line between two versions, which
// goes on beside every line of text.
func (t *graphText) beside(line span, spans []span) {
	const indent, gap, hang = 2, 4, 2
	lines := layout(t.clean(spans), t.width-indent-gap, t.width-indent-gap-hang)
	line.text = padRight(t.cleanText(line.text), gap)
	for i, text := range lines {
		if i == 1 {
			line.text += strings.Repeat(" ", hang)
		}
		t.line(indent, append([]span{line}, text...))
	}
}

// graphLegend explains the signs that were used.
func (t *graphText) graphLegend() {
	var spans []span
	if slices.ContainsFunc(t.graph.Versions, func(v GraphVersion) bool { return v.Waypoint }) {
		spans = append(spans, in(Warn, nonBreaking("◆ cannot be skipped")), plain("   "))
	}
	uses := func(is func(GraphEdge) bool) bool {
		return slices.ContainsFunc(t.graph.Versions, func(v GraphVersion) bool {
			return slices.ContainsFunc(v.Edges, is)
		})
	}
	if uses(func(e GraphEdge) bool { return e.Kind.usable() }) {
		spans = append(spans, in(Good, nonBreaking("→ upgrade")), plain("   "))
	}
	if uses(func(e GraphEdge) bool { return !e.Kind.usable() }) {
		spans = append(spans, in(Danger, nonBreaking("✗ no upgrade")), plain("   "))
	}
	if uses(func(e GraphEdge) bool { return len(e.Risks) > 0 }) {
		spans = append(spans, in(Warn, nonBreaking("! risk")))
	}
	if len(spans) > 0 {
		t.blank()
		t.para(2, 2, spans...)
	}
}
