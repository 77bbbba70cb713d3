package versions

import "fmt"

// checkEdges reports edges that say nothing.
func (b *builder) checkEdges() {
	for _, e := range b.g.edges {
		if e.Pairs > 0 || b.partial || e.from.first() < 0 || e.to.first() < 0 {
			continue
		}
		d := b.ds.Errorf(CodeEmptyEdge, e.Pos, "the edge from %q to %q matches no pair of versions", e.From, e.To)
		switch {
		case b.g.scheme.Ordered() && e.from.first() >= e.to.last():
			d.Suggest("an edge leads from an older version to a newer one")
		case e.Crosses != "" && e.Crosses != "any":
			d.Suggest("no such pair has crosses: %s", e.Crosses)
		}
	}
}

// checkContradictions reports edges that cannot both be true of a pair: an
// upgrade and a migration of a pair that is not forbidden, and what names
// exactly the two versions that another edge forbids.
func (b *builder) checkContradictions() {
	r := b.g.pairs
	for _, e := range b.g.edges {
		if e.Kind == Forbidden {
			continue
		}
		exact, forbidden := b.exactlyForbidden(e), r.forbidden
		if exact != nil {
			b.contradiction(e, exact, e.from.first(), e.to.first(), 1)
			forbidden = nil // it does not settle which of the others is right
		}
		if e.Kind == Migration {
			continue
		}
		if i, j, count := b.g.overlap(e, r.migration, forbidden); count > 0 {
			other := b.g.edgeOf(i, j, func(o *edge) bool { return o.Kind == Migration })
			b.contradiction(e, other, i, j, count)
		}
	}
}

// exactlyForbidden returns the edge that forbids exactly the pair that e names,
// nil when there is none or e is about more than one pair.
func (b *builder) exactlyForbidden(e *edge) *edge {
	i, j := e.from.first(), e.to.first()
	if !e.exact || e.Pairs != 1 || !b.g.pairs.forbidden.has(i, j) {
		return nil
	}
	return b.g.edgeOf(i, j, func(o *edge) bool { return o.Kind == Forbidden && o.exact })
}

func (b *builder) contradiction(e, other *edge, i, j, count int) {
	first, second := e, other
	if second.Pos.Line < first.Pos.Line {
		first, second = second, first
	}
	more := ""
	if count > 1 {
		more = fmt.Sprintf(" (and %d more pairs)", count-1)
	}
	b.ds.Errorf(CodeContradiction, second.Pos, "the pair %q to %q%s is of kind %s here and of kind %s on line %d",
		b.g.name(i), b.g.name(j), more, second.Kind, first.Kind, first.Pos.Line).
		Suggest("narrow one of the edges")
}

// overlap counts the pairs of e that are in the set and not in except, and
// returns the first of them.
func (g *Graph) overlap(e *edge, set, except pairSet) (i, j, count int) {
	row := newBitset(len(g.versions))
	for x := range e.from.all() {
		g.targets(e, x, row)
		row.and(set[x])
		if except != nil {
			row.andNot(except[x])
		}
		if n := row.count(); n > 0 {
			if count == 0 {
				i, j = x, row.first()
			}
			count += n
		}
	}
	return i, j, count
}

// add puts the pairs of e into the set.
func (g *Graph) add(e *edge, set pairSet) {
	row := newBitset(len(g.versions))
	for x := range e.from.all() {
		g.targets(e, x, row)
		set[x].or(row)
	}
}

// edgeOf returns the first edge that speaks of the pair and satisfies want, nil
// for none.
func (g *Graph) edgeOf(i, j int, want func(*edge) bool) *edge {
	for _, e := range g.edges {
		if want(e) && g.speaksOf(e, i, j) {
			return e
		}
	}
	return nil
}
