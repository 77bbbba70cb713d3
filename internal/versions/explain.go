package versions

import "slices"

// explain says why no path leads from one version to another.
func (g *Graph) explain(from, to int) *NoPathError {
	e := &NoPathError{From: g.name(from), To: g.name(to), Nearest: g.name(from)}
	if g.scheme.Ordered() && from > to {
		e.Back = true
		return e
	}
	reached := g.reachable(from)
	nearest := g.nearest(reached, from, to)
	e.Nearest = g.name(nearest)
	// What the author says of the whole way comes first, then what stands
	// behind the nearest version, then any other way out of what was reached.
	if g.pairs.forbidden.has(from, to) || g.pairs.migration.has(from, to) {
		g.stop(e, from, to, reached)
		return e
	}
	if g.stopBehind(e, nearest, reached, to) {
		return e
	}
	for x := range slices.Backward(g.versions) {
		if reached.has(x) && g.stopBehind(e, x, reached, to) {
			return e
		}
	}
	return e
}

// stopBehind looks for what stops the way from x to the goal or to anything
// new on this side of it, migrations first because they say what to do.
func (g *Graph) stopBehind(e *NoPathError, x int, reached bitset, to int) bool {
	if g.stop(e, x, to, reached) {
		return true
	}
	last := len(g.versions) - 1
	if g.scheme.Ordered() {
		last = to - 1
	}
	for _, stops := range []pairSet{g.pairs.migration, g.pairs.forbidden, g.pairs.upgrade, g.pairs.waypoint} {
		for y := last; y >= 0; y-- {
			if stops.has(x, y) && !reached.has(y) && g.stop(e, x, y, reached) {
				return true
			}
		}
	}
	return false
}

// stop fills in e from what stops the pair (x, y), if anything does.
func (g *Graph) stop(e *NoPathError, x, y int, reached bitset) bool {
	r := g.pairs
	var kind EdgeKind
	switch {
	case r.forbidden.has(x, y):
		kind = Forbidden
	case r.migration.has(x, y):
		kind = Migration
	case (r.upgrade.has(x, y) || r.waypoint.has(x, y)) && g.jumped(x, y, reached) >= 0:
		kind = Waypoint
		e.Waypoint = g.name(g.jumped(x, y, reached))
	default:
		return false
	}
	e.Kind, e.Between = kind, [2]string{g.name(x), g.name(y)}
	for _, edge := range g.edges {
		if edge.Kind == kind && kind != Waypoint && g.speaksOf(edge, x, y) {
			e.Why, e.Procedure = edge.Why, edge.Procedure
			break
		}
	}
	return true
}

// jumped returns the waypoint that the pair (x, y) jumps over, -1 for none. One
// that can be reached is not what stops the way: what stands behind it is.
func (g *Graph) jumped(x, y int, reached bitset) int {
	for w := range g.pairs.waypoint[x].all() {
		if g.pairs.beyond[w].has(y) && !reached.has(w) {
			return w
		}
	}
	return -1
}

// reachable returns the versions to which a path leads, waypoints observed.
func (g *Graph) reachable(from int) bitset {
	n := len(g.versions)
	everything := newBitset(n)
	for w := range g.pairs.beyond {
		everything.set(w)
	}
	book := newObligations(g.pairs, n, everything)
	reached, row := newBitset(n), newBitset(n)
	first := [2]int{from, book.arrive(0, from)}
	seen := map[[2]int]bool{first: true}
	queue := [][2]int{first}
	// The bound keeps odd graphs from exploding; it only makes the message
	// name a version that is less near.
	for len(queue) > 0 && len(seen) < maxPartialPaths/wordBits {
		x, set := queue[0][0], queue[0][1]
		queue = queue[1:]
		reached.set(x)
		book.onward(set, x, row)
		for y := range row.all() {
			state := [2]int{y, book.arrive(set, y)}
			if !seen[state] {
				seen[state] = true
				queue = append(queue, state)
			}
		}
	}
	return reached
}

// nearest returns the member of reached that is closest to the goal: in an
// ordered scheme the newest one before it, else the one with the fewest edges
// of any kind in between, or the start when no edges lead there at all.
func (g *Graph) nearest(reached bitset, from, to int) int {
	if g.scheme.Ordered() {
		nearest := from
		for x := range reached.all() {
			if x < to {
				nearest = x
			}
		}
		return nearest
	}
	seen := newBitset(len(g.versions))
	seen.set(to)
	for layer := []int{to}; len(layer) > 0; {
		var before []int
		for x := range slices.Backward(g.versions) {
			if !seen.has(x) && g.leadsToAny(x, layer) {
				before = append(before, x)
			}
		}
		for _, x := range before {
			if reached.has(x) {
				return x
			}
			seen.set(x)
		}
		layer = before
	}
	return from
}

// leadsToAny tells whether an edge of any kind leads from x to a member of layer.
func (g *Graph) leadsToAny(x int, layer []int) bool {
	r := g.pairs
	for _, y := range layer {
		if r.upgrade.has(x, y) || r.waypoint.has(x, y) || r.migration.has(x, y) || r.forbidden.has(x, y) {
			return true
		}
	}
	return false
}
