package procedure

import "slices"

// node is one step as far as the order of steps goes. A step that uses a
// sub-procedure spans the phases of its steps.
type node struct {
	needs []int
	// lo and hi are the first and the last phase, as an index of the list of
	// phases.
	lo, hi int
	// free steps wait for their needs only.
	free bool
}

// order answers which of a list of steps end before which others start: those
// that they need, and without order: free those of earlier phases.
type order struct {
	nodes []node
	memo  map[int]ancestors
}

// ancestors is a set of indices.
type ancestors []uint64

func (a ancestors) has(i int) bool { return a[i/64]&(1<<(i%64)) != 0 }
func (a ancestors) add(i int)      { a[i/64] |= 1 << (i % 64) }

func newOrder(nodes []node) *order { return &order{nodes: nodes, memo: map[int]ancestors{}} }

// before tells whether i has ended when j starts, whatever else happens.
func (o *order) before(i, j int) bool { return o.ancestors(j).has(i) }

// ancestors returns all that has ended when j starts. It contains j itself
// when j waits for itself.
func (o *order) ancestors(j int) ancestors {
	if set, ok := o.memo[j]; ok {
		return set
	}
	set := make(ancestors, len(o.nodes)/64+1)
	work := []int{}
	visit := func(i int) {
		if !set.has(i) {
			set.add(i)
			work = append(work, i)
		}
	}
	level := 0 // all steps of phases before this one are in set
	expand := func(k int) {
		n := o.nodes[k]
		for _, i := range n.needs {
			visit(i)
		}
		if n.free || n.lo <= level {
			return
		}
		for i := range o.nodes {
			if !o.nodes[i].free && o.nodes[i].hi < n.lo {
				visit(i)
			}
		}
		level = n.lo
	}
	for expand(j); len(work) > 0; {
		k := work[len(work)-1]
		work = work[:len(work)-1]
		expand(k)
	}
	o.memo[j] = set
	return set
}

// cycles returns the cycles of needs, each once: every member needs the next
// one, and the last the first. It removes one need of each from the nodes, so
// that the rest can still be checked. It must be called before all others.
func (o *order) cycles() [][]int {
	f := cycleFinder{nodes: o.nodes, state: make([]visit, len(o.nodes))}
	for i := range o.nodes {
		f.visit(i)
	}
	return f.found
}

// visit is how far cycleFinder is with a node.
type visit uint8

const (
	visitOpen visit = iota + 1
	visitDone
)

// cycleFinder walks the needs depth first.
type cycleFinder struct {
	nodes []node
	state []visit
	path  []int
	found [][]int
}

func (f *cycleFinder) visit(i int) {
	if f.state[i] == visitDone {
		return
	}
	f.state[i] = visitOpen
	f.path = append(f.path, i)
	kept := make([]int, 0, len(f.nodes[i].needs))
	for _, next := range f.nodes[i].needs {
		if f.state[next] == visitOpen {
			f.found = append(f.found, slices.Clone(f.path[slices.Index(f.path, next):]))
			continue
		}
		kept = append(kept, next)
		f.visit(next)
	}
	f.nodes[i].needs = kept
	f.path = f.path[:len(f.path)-1]
	f.state[i] = visitDone
}
