package versions

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// drawDocument draws a small graph. Edges may be empty or contradict each
// other; what remains usable is defined all the same.
func drawDocument(t *rapid.T) *Document {
	text := func(s string) yamldoc.Text { return yamldoc.Text{Value: s, Pos: diag.Position{Line: 1}} }
	node := func(s string) *yamldoc.Node { return &yamldoc.Node{Kind: yamldoc.Scalar, Value: s, Raw: s} }
	doc := &Document{Product: text("P"), Scheme: SchemeDocument{Kind: text(SchemeSemver), Breaking: text("major")}}
	names := []string{"1.0", "1.5", "2.0", "2.5", "3.0", "5.0"}
	constraints := []string{"*", "1.x", "2.x", "<2.0", ">=2.0", "<=2.5", ">1.0", "!=2.0"}
	crosses := []string{"any", "compatible", "breaking", "next"}
	if rapid.Bool().Draw(t, "tracks") {
		doc.Scheme.Kind = text(SchemeTracks)
		names = []string{"d", "b", "f", "a", "e"}
		constraints = []string{"*", "a || b || d", "!=e", "d || f"}
		crosses = []string{"any"}
	}
	names = names[:rapid.IntRange(2, len(names)).Draw(t, "versions")]
	constraints = append(constraints, names...)
	for _, name := range names {
		doc.Versions = append(doc.Versions, VersionDocument{Version: text(name)})
	}
	risk := 0
	for k := range rapid.IntRange(1, 9).Draw(t, "edges") {
		kind := rapid.SampledFrom([]string{"upgrade", "upgrade", "upgrade", "waypoint", "migration", "forbidden"}).Draw(t, "kind")
		to := rapid.SampledFrom(constraints).Draw(t, "to")
		if kind == "waypoint" {
			to = rapid.SampledFrom(names).Draw(t, "waypoint")
		}
		e := EdgeDocument{
			Pos:  diag.Position{Line: k + 1},
			From: node(rapid.SampledFrom(constraints).Draw(t, "from")), To: node(to),
			Kind: text(kind), Why: "w", Crosses: text(rapid.SampledFrom(crosses).Draw(t, "crosses")),
		}
		for range rapid.IntRange(0, 2).Draw(t, "risks") {
			risk++
			e.Risks = append(e.Risks, RiskDocument{Name: text(fmt.Sprintf("r%d", risk)), Summary: "s"})
		}
		doc.Edges = append(doc.Edges, e)
	}
	return doc
}

// oracle answers the questions of the search by trying everything.
type oracle struct {
	scheme Scheme
	names  []string
	edges  []EdgeDocument
}

func (o *oracle) index(name string) int { return slices.Index(o.names, name) }

func (o *oracle) speaksOf(e *EdgeDocument, i, j int) bool {
	ordered := o.scheme.Ordered()
	if i == j || (ordered && j < i) {
		return false
	}
	for side, name := range map[*yamldoc.Node]string{e.From: o.names[i], e.To: o.names[j]} {
		c, err := ParseConstraint(o.scheme, side.Value.(string))
		if err != nil {
			return false
		}
		v, err := o.scheme.Parse(name)
		if err != nil || !c.Match(v) {
			return false
		}
	}
	major := func(i int) int { return int(o.names[i][0] - '0') }
	switch e.Crosses.Value {
	case "compatible":
		return major(i) == major(j)
	case "breaking":
		return major(i) != major(j)
	case "next":
		return major(j) == major(i)+1
	default:
		return true
	}
}

// says tells whether an edge of one of the kinds speaks of the pair.
func (o *oracle) says(i, j int, kinds ...string) bool {
	return slices.ContainsFunc(o.edges, func(e EdgeDocument) bool {
		return slices.Contains(kinds, e.Kind.Value) && o.speaksOf(&e, i, j)
	})
}

func (o *oracle) permitted(i, j int) bool {
	return o.says(i, j, "upgrade", "waypoint") && !o.says(i, j, "forbidden") && !o.says(i, j, "migration")
}

func (o *oracle) beyond(w, y int) bool {
	if o.scheme.Ordered() {
		return y > w
	}
	return y != w && !o.says(y, w, "waypoint") && o.leads(w, y, map[int]bool{})
}

func (o *oracle) leads(x, y int, seen map[int]bool) bool {
	seen[x] = true
	for z := range o.names {
		if o.permitted(x, z) && (z == y || (!seen[z] && o.leads(z, y, seen))) {
			return true
		}
	}
	return false
}

// fault says what is wrong with a trail, "" for nothing.
func (o *oracle) fault(trail []int) string {
	for k := 1; k < len(trail); k++ {
		if !o.permitted(trail[k-1], trail[k]) {
			return fmt.Sprintf("the pair %s to %s is not permitted", o.names[trail[k-1]], o.names[trail[k]])
		}
	}
	for k, a := range trail {
		for w := range o.names {
			if !o.says(a, w, "waypoint") {
				continue
			}
			for _, y := range trail[k+1:] {
				if y == w {
					break
				}
				if o.beyond(w, y) {
					return fmt.Sprintf("%s is reached from %s without the waypoint %s", o.names[y], o.names[a], o.names[w])
				}
			}
		}
	}
	return ""
}

// all returns every trail without fault, best first.
func (o *oracle) all(from, to int) [][]int {
	var found [][]int
	var walk func(trail []int)
	walk = func(trail []int) {
		if trail[len(trail)-1] == to {
			if o.fault(trail) == "" {
				found = append(found, slices.Clone(trail))
			}
			return
		}
		for y := range o.names {
			if !slices.Contains(trail, y) && o.permitted(trail[len(trail)-1], y) {
				walk(append(slices.Clone(trail), y))
			}
		}
	}
	walk([]int{from})
	slices.SortFunc(found, func(a, b []int) int {
		newest := slices.CompareFunc(a, b, func(x, y int) int { return y - x })
		return cmp.Or(o.risks(a)-o.risks(b), len(a)-len(b), newest)
	})
	return found
}

func (o *oracle) risks(trail []int) int {
	n := 0
	for k := 1; k < len(trail); k++ {
		for i := range o.edges {
			if o.speaksOf(&o.edges[i], trail[k-1], trail[k]) {
				n += len(o.edges[i].Risks)
			}
		}
	}
	return n
}

// reachable tells whether some version can be reached.
func (o *oracle) reachable(from, to int) bool { return len(o.all(from, to)) > 0 }

// TestPathsProperty compares the search with one that tries everything: the
// same paths in the same order, none over a pair that is forbidden or a
// migration, none past a waypoint; and when there is none, an error whose
// nearest version can be reached.
func TestPathsProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := drawDocument(t)
		var ds diag.Diagnostics
		g := Build(doc, &ds)
		if g == nil {
			t.Fatalf("Build(…): %v", ds)
		}
		o := &oracle{scheme: g.scheme, edges: doc.Edges}
		for _, v := range g.Versions() {
			o.names = append(o.names, v.Version)
		}
		from := rapid.IntRange(0, len(o.names)-1).Draw(t, "from")
		to := rapid.IntRange(0, len(o.names)-1).Draw(t, "to")
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		want := o.all(from, to)
		paths, err := g.Paths(o.names[from], o.names[to], limit)
		if len(want) == 0 {
			checkNoPath(t, o, err, from)
			return
		}
		if err != nil {
			t.Fatalf("Paths(%q, %q): %v, but %v leads there", o.names[from], o.names[to], err, want[0])
		}
		var got [][]int
		for _, p := range paths {
			trail := []int{o.index(p.From)}
			for _, h := range p.Hops {
				trail = append(trail, o.index(h.To))
			}
			if fault := o.fault(trail); fault != "" {
				t.Fatalf("Paths(%q, %q): %s", o.names[from], o.names[to], fault)
			}
			if p.Risks() != o.risks(trail) {
				t.Fatalf("the path %v has %d risks, want %d", trail, p.Risks(), o.risks(trail))
			}
			got = append(got, trail)
		}
		if diff := gocmp.Diff(want[:min(limit, len(want))], got); diff != "" {
			t.Fatalf("Paths(%q, %q, %d): -want +got:\n%s", o.names[from], o.names[to], limit, diff)
		}
	})
}

func checkNoPath(t *rapid.T, o *oracle, err error, from int) {
	var noPath *NoPathError
	if !errors.As(err, &noPath) {
		t.Fatalf("Paths(…): error %v, want *NoPathError", err)
	}
	if strings.Contains(noPath.Error(), "\n") {
		t.Fatalf("the error %q has more than one line", noPath)
	}
	if noPath.Back {
		return
	}
	if nearest := o.index(noPath.Nearest); nearest < 0 || !o.reachable(from, nearest) {
		t.Fatalf("%q cannot be reached: %v", noPath.Nearest, noPath)
	}
	if noPath.Kind == "" {
		return
	}
	x, y := o.index(noPath.Between[0]), o.index(noPath.Between[1])
	if !o.reachable(from, x) {
		t.Fatalf("%q cannot be reached: %v", noPath.Between[0], noPath)
	}
	if kind := string(noPath.Kind); kind != "waypoint" && !o.says(x, y, kind) {
		t.Fatalf("no edge says what the error says: %v", noPath)
	}
}
