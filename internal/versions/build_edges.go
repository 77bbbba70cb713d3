package versions

import (
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// edges reads the edges. An edge with a broken side is left out.
func (b *builder) edges(docs []EdgeDocument) {
	for i := range docs {
		doc := &docs[i]
		e := &edge{Edge: Edge{
			Pos: doc.Pos, Kind: EdgeKind(doc.Kind.Value), Crosses: doc.Crosses.Value,
			Why: strings.Join(strings.Fields(doc.Why), " "), Procedure: doc.Procedure.Value,
			Properties: b.values(doc.Properties), Requires: b.requirements(doc.Requires),
		}}
		b.risks(e, doc.Risks)
		b.checkKind(e, doc)
		from, fromOK := b.side(doc.From)
		to, toOK := b.side(doc.To)
		if !fromOK || !toOK || !validKind(e.Kind) {
			continue
		}
		e.From, e.To = from.String(), to.String()
		e.from, e.to = b.matching(from, doc.From), b.matching(to, doc.To)
		_, fromExact := from.exact()
		_, toExact := to.exact()
		e.exact = fromExact && toExact && e.from.count() == 1 && e.to.count() == 1
		if e.Kind == Waypoint && e.to.count() > 1 {
			b.ds.Errorf(CodeInvalidEdge, doc.To.Pos, "a waypoint is one version, %q matches %d", e.To, e.to.count()).
				Suggest("write the version that must be visited, or kind: upgrade")
		}
		b.g.edges = append(b.g.edges, e)
	}
}

func validKind(kind EdgeKind) bool {
	return kind == Upgrade || kind == Waypoint || kind == Migration || kind == Forbidden
}

// checkKind refuses keys that mean nothing for the kind of the edge.
func (b *builder) checkKind(e *edge, doc *EdgeDocument) {
	barrier := e.Kind == Migration || e.Kind == Forbidden
	if barrier && e.Why == "" {
		b.ds.Errorf(CodeMissingWhy, doc.Pos, "a %s edge needs why", e.Kind).
			Suggest("say in one sentence what whoever is stopped here must know")
	}
	if barrier && len(doc.Properties)+len(doc.Requires)+len(doc.Risks) > 0 {
		b.ds.Errorf(CodeInvalidEdge, doc.Pos,
			"a %s edge is never taken, so it has no properties, requires or risks", e.Kind).
			Suggest("remove them")
	}
	if doc.Procedure.IsSet() && e.Kind != Migration {
		b.ds.Errorf(CodeInvalidEdge, doc.Procedure.Pos,
			"procedure belongs to a migration, the edge is of kind %s", e.Kind).
			Suggest("remove it, or write kind: migration")
	}
	if crosses := doc.Crosses; crosses.IsSet() && crosses.Value != "any" && !b.g.scheme.Ordered() {
		b.ds.Errorf(CodeInvalidEdge, crosses.Pos,
			"crosses means nothing here: %s have no release lines", b.g.scheme.Name()).
			Suggest("name the versions in from and to")
	}
}

// side reads one side of an edge: a constraint, or a list of alternatives.
func (b *builder) side(n *yamldoc.Node) (*Constraint, bool) {
	if n == nil || n.Kind == yamldoc.Invalid {
		return nil, false // The parser or decoder has said what is wrong.
	}
	if n.Kind != yamldoc.Sequence {
		return b.constraint(n)
	}
	all := &Constraint{scheme: b.g.scheme}
	texts, ok := make([]string, len(n.Items)), len(n.Items) > 0
	if !ok {
		b.ds.Errorf(CodeInvalidConstraint, n.Pos, "the list of versions is empty")
	}
	for i, item := range n.Items {
		one, good := b.constraint(item)
		if ok = ok && good; ok {
			all.alternatives = append(all.alternatives, one.alternatives...)
			texts[i] = one.text
		}
	}
	all.text = strings.Join(texts, " || ")
	return all, ok
}

func (b *builder) constraint(n *yamldoc.Node) (*Constraint, bool) {
	text, isText := n.Value.(string)
	switch {
	case n.Kind == yamldoc.Invalid:
		return nil, false
	case n.Kind == yamldoc.Scalar && !isText:
		b.ds.Errorf(CodeInvalidConstraint, n.Pos, "%s is a number here, not a version", n.Raw).
			Suggest("put it in quotes: %q", n.Raw)
		return nil, false
	case n.Kind != yamldoc.Scalar:
		b.ds.Errorf(CodeInvalidConstraint, n.Pos, "a constraint or a version is needed, this is a %s", n.Kind)
		return nil, false
	}
	c, err := ParseConstraint(b.g.scheme, text)
	if err != nil {
		b.ds.Errorf(CodeInvalidConstraint, n.Pos, "%v", err)
		return nil, false
	}
	return c, true
}

// matching returns the versions that c matches. A version that is named and
// that the graph does not have is a mistake even when others match.
func (b *builder) matching(c *Constraint, n *yamldoc.Node) bitset {
	set := newBitset(len(b.g.versions))
	unknown := false
	for k := range c.alternatives {
		one := &Constraint{scheme: c.scheme, alternatives: c.alternatives[k : k+1]}
		found := false
		for i, v := range b.g.versions {
			if one.Match(v.parsed) {
				set.set(i)
				found = true
			}
		}
		if bound, ok := one.exact(); ok && !found && !b.partial {
			unknown = true
			b.ds.Errorf(CodeUnknownVersion, alternativePos(c, n, k), "the graph has no version %q", bound.text).
				Suggest("%s", b.g.suggest(bound.text))
		}
	}
	if set.first() < 0 && !unknown && !b.partial {
		b.ds.Errorf(CodeUnknownVersion, n.Pos, "%q matches no version of the graph", c.text)
	}
	return set
}

// alternativePos returns the place of an alternative: its own where it is a
// member of a list.
func alternativePos(c *Constraint, n *yamldoc.Node, k int) diag.Position {
	if n.Kind == yamldoc.Sequence && len(n.Items) == len(c.alternatives) {
		return n.Items[k].Pos
	}
	return n.Pos
}
