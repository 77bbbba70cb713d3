package versions

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"slices"
)

// maxPartialPaths bounds the work and memory of one search.
const maxPartialPaths = 300_000

// cost orders paths: fewest risks first, then fewest hops.
type cost int64

const (
	oneHop      cost = 1
	oneRisk     cost = 1 << 20
	unreachable cost = math.MaxInt64
)

func (g *Graph) hopCost(i, j int) cost {
	return oneHop + oneRisk*cost(g.pairs.risks.at(i, j))
}

// Paths returns up to limit paths from one version to another (at least one is
// looked for): safest first, that is with the fewest risks, then with the
// fewest hops, then with the newest versions in between; where names are not
// ordered, those later in the file count as newer. The order is always the
// same. The path to the same version has no hops.
//
// It fails with *UnknownVersionError, with *NoPathError, or with an error that
// wraps ErrTooManyWays.
func (g *Graph) Paths(from, to string, limit int) ([]Path, error) {
	i, err := g.resolve(from)
	if err != nil {
		return nil, err
	}
	j, err := g.resolve(to)
	if err != nil {
		return nil, err
	}
	trails, err := g.trails(i, j, max(limit, 1))
	if err != nil {
		return nil, err
	}
	paths := make([]Path, len(trails))
	for k, trail := range trails {
		paths[k] = g.path(trail)
	}
	return paths, nil
}

// trails returns the best trails from one version to another.
func (g *Graph) trails(from, to, limit int) ([][]int, error) {
	// In an ordered scheme no version comes twice, so the limit best ways to a
	// situation are all that the limit best paths can use. Where paths might
	// run in circles this holds for the single best one only.
	visits := limit
	if !g.scheme.Ordered() {
		visits = maxPartialPaths
	}
	trails, complete := g.search(from, to, limit, visits)
	if len(trails) == 0 && !complete {
		trails, complete = g.search(from, to, 1, 1)
	}
	switch {
	case len(trails) > 0:
		return trails, nil
	case complete || !g.reachable(from).has(to):
		return nil, g.explain(from, to)
	default:
		return nil, fmt.Errorf("search for a path from %q to %q: %w", g.name(from), g.name(to), ErrTooManyWays)
	}
}

// partial is the beginning of a path.
type partial struct {
	trail []int
	// set is the number of the waypoints still owed.
	set  int
	cost cost
	// estimate is cost plus the least that the rest can cost.
	estimate cost
}

func (p *partial) node() int { return p.trail[len(p.trail)-1] }

// frontier is a heap of partial paths, best first.
type frontier struct{ paths []*partial }

// Len implements heap.Interface.
func (f *frontier) Len() int { return len(f.paths) }

// Swap implements heap.Interface.
func (f *frontier) Swap(a, b int) { f.paths[a], f.paths[b] = f.paths[b], f.paths[a] }

// Push implements heap.Interface; only partial paths are pushed.
func (f *frontier) Push(x any) {
	if p, ok := x.(*partial); ok {
		f.paths = append(f.paths, p)
	}
}

// Pop implements heap.Interface.
func (f *frontier) Pop() any {
	last := len(f.paths) - 1
	p := f.paths[last]
	f.paths[last] = nil
	f.paths = f.paths[:last]
	return p
}

// next removes and returns the best path, nil when there is none.
func (f *frontier) next() *partial {
	if len(f.paths) == 0 {
		return nil
	}
	p := f.paths[0]
	heap.Pop(f)
	return p
}

// Less implements heap.Interface. Among equal estimates the newer versions come
// first, compared from the start; every extension of a path comes after it, so
// complete paths leave the heap in their final order.
func (f *frontier) Less(a, b int) bool {
	p, q := f.paths[a], f.paths[b]
	if p.estimate != q.estimate {
		return p.estimate < q.estimate
	}
	return slices.CompareFunc(p.trail, q.trail, func(s, t int) int { return cmp.Compare(t, s) }) < 0
}

// search finds the best trails by a best-first search. The estimate of what is
// left is never too high, which makes the first complete trail the best one.
// Every situation (a version with the waypoints still owed) is gone on from at
// most the given number of times. The search is not complete when it was given
// up; what it has found is right all the same.
func (g *Graph) search(from, to, limit, visits int) (found [][]int, complete bool) {
	rest := g.costsTo(from, to)
	if rest[from] == unreachable {
		return nil, true
	}
	book := newObligations(g.pairs, len(g.versions), g.relevantWaypoints(to))
	start := &partial{trail: []int{from}, set: book.arrive(0, from), estimate: rest[from]}
	queue := &frontier{paths: []*partial{start}}
	visited := map[[2]int]int{}
	row := newBitset(len(g.versions))
	pushed := 1
	for p := queue.next(); p != nil && len(found) < limit; p = queue.next() {
		x := p.node()
		if x == to {
			found = append(found, p.trail)
			continue
		}
		situation := [2]int{x, p.set}
		if visited[situation]++; visited[situation] > visits {
			continue
		}
		book.onward(p.set, x, row)
		for y := range row.all() {
			if rest[y] == unreachable || slices.Contains(p.trail, y) {
				continue
			}
			if pushed++; pushed > maxPartialPaths {
				return found, false
			}
			heap.Push(queue, g.extend(p, y, book, rest[y]))
		}
	}
	return found, true
}

func (g *Graph) extend(p *partial, y int, book *obligations, rest cost) *partial {
	trail := make([]int, len(p.trail)+1)
	copy(trail, p.trail)
	trail[len(p.trail)] = y
	soFar := p.cost + g.hopCost(p.node(), y)
	return &partial{trail: trail, set: book.arrive(p.set, y), cost: soFar, estimate: soFar + rest}
}

// relevantWaypoints returns the waypoints that a path to the given version can
// owe. In an ordered scheme a path never comes to anything beyond the later ones.
func (g *Graph) relevantWaypoints(to int) bitset {
	relevant := newBitset(len(g.versions))
	for w := range g.pairs.beyond {
		if !g.scheme.Ordered() || w < to {
			relevant.set(w)
		}
	}
	return relevant
}

// costsTo returns the least cost from every version to the given one: Dijkstra's
// algorithm over the dense set of pairs. Of the waypoints it regards only those
// that the start of the path owes, so it may be too low but never too high.
func (g *Graph) costsTo(from, to int) []cost {
	costs := slices.Repeat([]cost{unreachable}, len(g.versions))
	costs[to] = 0
	stops := g.stops(from)
	open := make([]int, len(g.versions))
	for i := range open {
		open[i] = i
	}
	for len(open) > 0 {
		k := 0
		for c := range open {
			if costs[open[c]] < costs[open[k]] {
				k = c
			}
		}
		y := open[k]
		if costs[y] == unreachable {
			break
		}
		open[k] = open[len(open)-1]
		open = open[:len(open)-1]
		for _, x := range open {
			if g.pairs.usable.has(x, y) && y <= stops[x] {
				costs[x] = min(costs[x], costs[y]+g.hopCost(x, y))
			}
		}
	}
	return costs
}

// stops returns for every version the last one to which a hop of a path from
// the given version may lead: the next waypoint that the start owes. Where
// nothing is ordered there is no such bound.
func (g *Graph) stops(from int) []int {
	stops := make([]int, len(g.versions))
	next := len(g.versions) - 1
	for x := len(g.versions) - 1; x >= 0; x-- {
		stops[x] = next
		if g.scheme.Ordered() && g.pairs.waypoint.has(from, x) {
			next = x
		}
	}
	return stops
}
