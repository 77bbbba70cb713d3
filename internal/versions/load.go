package versions

import (
	"regexp"
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// The bounds of one graph. A graph at the bounds takes a few megabytes.
const (
	maxVersions  = 1000
	maxEdges     = 4000
	maxEdgeRisks = 50
)

// Values of crosses; empty and "any" mean all pairs.
const (
	crossesCompatible = "compatible"
	crossesBreaking   = "breaking"
	crossesNext       = "next"
)

var (
	// namePattern is that of risks and requirements.
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	urlPattern  = regexp.MustCompile(`^https?://[^\s]+$`)
)

// Load reads a version graph; file is its name in positions. All mistakes of
// the file come back together. The Graph is nil when there is an Error among
// them.
func Load(file string, data []byte) (*Graph, diag.Diagnostics) {
	node, ds := yamldoc.Parse(file, data, yamldoc.DefaultLimits())
	if node == nil {
		return nil, ds
	}
	var doc Document
	yamldoc.Decode(node, &doc, &ds)
	g := Build(&doc, &ds)
	ds.Sort()
	if ds.HasErrors() {
		return nil, ds
	}
	return g, ds
}

// Build makes a Graph of a Document and adds its mistakes to ds. The Graph is
// nil when it could not be built; it must not be used when ds has errors.
func Build(doc *Document, ds *diag.Diagnostics) *Graph {
	b := &builder{g: &Graph{product: doc.Product.Value, byName: map[string]int{}}, ds: ds}
	if v := doc.APIVersion; v.IsSet() && v.Value != APIVersion {
		ds.Errorf(CodeUnsupportedVersion, v.Pos,
			"apiVersion %q is not read here", v.Value).Suggest("write %s", APIVersion)
	}
	if !b.withinBounds(doc) || !b.scheme(&doc.Scheme) {
		return nil
	}
	b.properties(doc.Properties)
	b.versions(doc.Versions)
	b.edges(doc.Edges)
	b.g.relate()
	b.checkEdges()
	b.checkContradictions()
	b.checkValues()
	return b.g
}

// builder makes a Graph and collects what is wrong on the way.
type builder struct {
	g  *Graph
	ds *diag.Diagnostics
	// partial tells that a version was left out because of a mistake. What
	// only follows from that is not reported.
	partial bool
}

func (b *builder) withinBounds(doc *Document) bool {
	if n := len(doc.Versions); n > maxVersions {
		b.ds.Errorf(CodeTooMany, doc.Versions[maxVersions].Pos,
			"the graph has %d versions, at most %d are read", n, maxVersions).
			Suggest("leave out those from which nobody upgrades any more")
		return false
	}
	if n := len(doc.Edges); n > maxEdges {
		b.ds.Errorf(CodeTooMany, doc.Edges[maxEdges].Pos, "the graph has %d edges, at most %d are read", n, maxEdges).
			Suggest("write constraints instead of single pairs")
		return false
	}
	return true
}

func (b *builder) scheme(doc *SchemeDocument) bool {
	if !slices.Contains(SchemeNames(), doc.Kind.Value) {
		return false // The decoder has said so.
	}
	scheme, err := NewScheme(doc.Kind.Value, SchemeOptions{
		Prefix:      doc.Prefix.Value,
		MinorBreaks: doc.Breaking.Value == "minor",
		BreaksUntil: doc.BreakingUntil.Value,
	})
	if err != nil {
		pos := doc.Kind.Pos
		if doc.BreakingUntil.IsSet() {
			pos = doc.BreakingUntil.Pos
		}
		b.ds.Errorf(CodeInvalidScheme, pos, "%v", err)
		return false
	}
	b.g.scheme = scheme
	return true
}
