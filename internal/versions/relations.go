package versions

// relations are what all edges together say of the pairs of versions.
type relations struct {
	upgrade, waypoint, migration, forbidden pairSet
	// usable are the pairs that a path may use.
	usable pairSet
	// beyond holds, for each version that is a waypoint of some other, what
	// must not be reached without it.
	beyond map[int]bitset
	// risks counts the declared risks of each usable pair.
	risks *counter
	// after holds the versions that a hop from each version may lead to at all.
	after pairSet
	// sameLine holds, for each version, those of its release line; nextLine
	// those of the line directly after.
	sameLine, nextLine pairSet
}

// relate resolves the edges of g into pairs.
func (g *Graph) relate() {
	n := len(g.versions)
	r := &relations{
		upgrade: newPairSet(n), waypoint: newPairSet(n), migration: newPairSet(n), forbidden: newPairSet(n),
		usable: newPairSet(n), beyond: map[int]bitset{}, risks: &counter{size: n},
	}
	g.pairs = r
	g.relateLines()
	for _, e := range g.edges {
		g.relateEdge(e)
	}
	for i, row := range r.usable {
		row.or(r.upgrade[i])
		row.or(r.waypoint[i])
		row.andNot(r.forbidden[i])
		row.andNot(r.migration[i])
	}
	g.relateWaypoints()
	g.countRisks()
}

// relateLines finds the pairs that lead onwards and groups the versions by
// release line.
func (g *Graph) relateLines() {
	n, ordered := len(g.versions), g.scheme.Ordered()
	after, same, next := newPairSet(n), newPairSet(n), newPairSet(n)
	for i, a := range g.versions {
		for j, b := range g.versions {
			if i == j || (ordered && j < i) {
				continue
			}
			after[i].set(j)
			if !ordered {
				continue
			}
			switch {
			case a.line == b.line:
				same[i].set(j)
			case a.line+1 == b.line && g.scheme.Next(g.scheme.Line(a.parsed), g.scheme.Line(b.parsed)):
				next[i].set(j)
			}
		}
	}
	g.pairs.after, g.pairs.sameLine, g.pairs.nextLine = after, same, next
}

// relateEdge adds the pairs of one edge and fills in what Edge tells of them.
func (g *Graph) relateEdge(e *edge) {
	target := map[EdgeKind]pairSet{
		Upgrade: g.pairs.upgrade, Waypoint: g.pairs.waypoint,
		Migration: g.pairs.migration, Forbidden: g.pairs.forbidden,
	}[e.Kind]
	n := len(g.versions)
	e.pairsFrom, e.pairsTo = newBitset(n), newBitset(n)
	row := newBitset(n)
	for i := range e.from.all() {
		g.targets(e, i, row)
		if row.first() < 0 {
			continue
		}
		e.Pairs += row.count()
		e.pairsFrom.set(i)
		e.pairsTo.or(row)
		target[i].or(row)
	}
	if e.Kind == Waypoint {
		for w := range e.pairsTo.all() {
			g.versions[w].Waypoint = true
		}
	}
}

// targets writes into row the second members of the pairs of e that start at i,
// which must be in e.from.
func (g *Graph) targets(e *edge, i int, row bitset) {
	copy(row, e.to)
	row.and(g.pairs.after[i])
	switch e.Crosses {
	case crossesCompatible:
		row.and(g.pairs.sameLine[i])
	case crossesBreaking:
		row.andNot(g.pairs.sameLine[i])
	case crossesNext:
		row.and(g.pairs.nextLine[i])
	}
}

// speaksOf tells whether the pair (i, j) is among those of e.
func (g *Graph) speaksOf(e *edge, i, j int) bool {
	if !e.from.has(i) || !e.to.has(j) || !g.pairs.after.has(i, j) {
		return false
	}
	switch e.Crosses {
	case crossesCompatible:
		return g.pairs.sameLine.has(i, j)
	case crossesBreaking:
		return !g.pairs.sameLine.has(i, j)
	case crossesNext:
		return g.pairs.nextLine.has(i, j)
	default:
		return true
	}
}

// relateWaypoints finds what lies beyond each waypoint and drops the pairs that
// jump over one.
func (g *Graph) relateWaypoints() {
	r := g.pairs
	for _, row := range r.waypoint {
		for w := range row.all() {
			if _, ok := r.beyond[w]; !ok {
				r.beyond[w] = g.beyondOf(w)
			}
		}
	}
	for i, row := range r.waypoint {
		for w := range row.all() {
			r.usable[i].andNot(r.beyond[w])
		}
	}
}

// beyondOf returns what must not be reached past w without visiting w. Where
// nothing is ordered that is what w leads to, except the versions that w is a
// waypoint of: a way back does not turn them into later ones.
func (g *Graph) beyondOf(w int) bitset {
	r := g.pairs
	beyond := newBitset(len(g.versions))
	if g.scheme.Ordered() {
		beyond.or(r.after[w])
		return beyond
	}
	queue := []int{w}
	for len(queue) > 0 {
		x := queue[0]
		queue = queue[1:]
		for y := range r.usable[x].all() {
			if y != w && !beyond.has(y) {
				beyond.set(y)
				queue = append(queue, y)
			}
		}
	}
	for i, row := range r.waypoint {
		if row.has(w) {
			beyond.clear(i)
		}
	}
	return beyond
}

func (g *Graph) countRisks() {
	row := newBitset(len(g.versions))
	for _, e := range g.edges {
		if len(e.risks) == 0 {
			continue
		}
		for i := range e.from.all() {
			g.targets(e, i, row)
			row.and(g.pairs.usable[i])
			g.pairs.risks.add(i, row, len(e.risks))
		}
	}
}
