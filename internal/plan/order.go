package plan

import (
	"container/heap"
	"fmt"
	"slices"
)

// phaseIndex is the place of a phase in the order of phases.
func phaseIndex(p Phase) int { return slices.Index(Phases(), p) }

// stepIndex maps the ids of steps to their places.
func stepIndex(steps []Step) map[string]int {
	index := make(map[string]int, len(steps))
	for i := range steps {
		index[steps[i].ID] = i
	}
	return index
}

// order returns steps in an order in which they could be carried out one by
// one: every step behind all that it needs, phases in their order, else as
// the author wrote them. The error names a step that can never start.
func order(steps []Step) ([]Step, error) {
	dependents, waiting, err := needGraph(steps)
	if err != nil {
		return nil, err
	}
	queue := &stepQueue{rank: effectivePhases(steps, dependents)}
	for i := range steps {
		if waiting[i] == 0 {
			queue.items = append(queue.items, i)
		}
	}
	heap.Init(queue)
	out := make([]Step, 0, len(steps))
	latest := 0
	for queue.Len() > 0 {
		i, _ := heap.Pop(queue).(int)
		if !steps[i].Free {
			phase := phaseIndex(steps[i].Phase)
			if phase < latest {
				return nil, fmt.Errorf("step %q of phase %s waits for a step of phase %s, which comes later",
					steps[i].ID, steps[i].Phase, Phases()[latest])
			}
			latest = phase
		}
		out = append(out, steps[i])
		for _, d := range dependents[i] {
			if waiting[d]--; waiting[d] == 0 {
				heap.Push(queue, d)
			}
		}
	}
	if len(out) < len(steps) {
		return nil, fmt.Errorf("steps need each other in a circle: %s", stuck(steps, waiting))
	}
	return out, checksFirst(out)
}

// checksFirst refuses a check of preflight that waits for a change: nothing but
// prepare changes anything before all checks are over, so neither would begin.
func checksFirst(steps []Step) error {
	q := newSequence(steps)
	for i := range steps {
		if steps[i].Phase != Preflight {
			continue
		}
		for j := range steps {
			if steps[j].Effect == "mutating" && steps[j].Phase != Prepare && q.startsAfter(i, j) {
				return fmt.Errorf("step %q of phase preflight waits for %q, which changes something: "+
					"that begins only when all checks are over", steps[i].ID, steps[j].ID)
			}
		}
	}
	return nil
}

// needGraph returns for every step the steps that need it, and how many it
// needs itself.
func needGraph(steps []Step) (dependents [][]int, waiting []int, err error) {
	index := make(map[string]int, len(steps))
	for i := range steps {
		if _, taken := index[steps[i].ID]; taken {
			return nil, nil, fmt.Errorf("two steps are called %q", steps[i].ID)
		}
		index[steps[i].ID] = i
	}
	dependents, waiting = make([][]int, len(steps)), make([]int, len(steps))
	for i := range steps {
		for _, need := range steps[i].Needs {
			j, ok := index[need]
			if !ok {
				return nil, nil, fmt.Errorf("step %q needs %q, which is not a step of the stage", steps[i].ID, need)
			}
			dependents[j] = append(dependents[j], i)
			waiting[i]++
		}
	}
	return dependents, waiting, nil
}

// effectivePhases returns for every step the phase in which it has to be
// ordered: its own, or for a free step the earliest of those that need it.
func effectivePhases(steps []Step, dependents [][]int) []int {
	rank := make([]int, len(steps))
	for i := range steps {
		rank[i] = phaseIndex(steps[i].Phase)
	}
	// A step's dependents may be anywhere in the file, so repeat until nothing
	// moves; ranks only fall, and only free steps move.
	for moved := true; moved; {
		moved = false
		for i := range steps {
			if !steps[i].Free {
				continue
			}
			for _, d := range dependents[i] {
				if rank[d] < rank[i] {
					rank[i], moved = rank[d], true
				}
			}
		}
	}
	return rank
}

// stuck names the steps that wait for each other.
func stuck(steps []Step, waiting []int) string {
	var ids []string
	for i := range steps {
		if waiting[i] > 0 {
			ids = append(ids, steps[i].ID)
		}
	}
	const most = 8
	if len(ids) > most {
		return fmt.Sprintf("%q and %d more", ids[:most], len(ids)-most)
	}
	return fmt.Sprintf("%q", ids)
}

// stepQueue gives the startable step of the earliest phase, then the one that
// the author wrote first.
type stepQueue struct {
	items []int
	rank  []int
}

func (q *stepQueue) Len() int { return len(q.items) }

func (q *stepQueue) Less(a, b int) bool {
	i, j := q.items[a], q.items[b]
	if q.rank[i] != q.rank[j] {
		return q.rank[i] < q.rank[j]
	}
	return i < j
}

func (q *stepQueue) Swap(a, b int) { q.items[a], q.items[b] = q.items[b], q.items[a] }

// Push implements heap.Interface.
func (q *stepQueue) Push(x any) {
	if i, ok := x.(int); ok {
		q.items = append(q.items, i)
	}
}

// Pop implements heap.Interface.
func (q *stepQueue) Pop() any {
	last := q.items[len(q.items)-1]
	q.items = q.items[:len(q.items)-1]
	return last
}

// sequence answers which steps of a stage are certain to have ended before
// others start.
type sequence struct {
	steps             []Step
	index             map[string]int
	phase             []int // places of the steps' phases
	needs, dependents [][]int
	// after and required hold answers that were given before, by step.
	after, prior, required map[int][]bool
}

func newSequence(steps []Step) *sequence {
	q := &sequence{
		steps: steps, index: stepIndex(steps), phase: make([]int, len(steps)),
		needs: make([][]int, len(steps)), dependents: make([][]int, len(steps)),
		after: map[int][]bool{}, prior: map[int][]bool{}, required: map[int][]bool{},
	}
	for i := range steps {
		q.phase[i] = phaseIndex(steps[i].Phase)
		for _, need := range steps[i].Needs {
			if j, ok := q.index[need]; ok {
				q.needs[i] = append(q.needs[i], j)
				q.dependents[j] = append(q.dependents[j], i)
			}
		}
	}
	return q
}

// before tells whether step a has ended, on every possible course of the
// stage, before step b starts. It is quick for few different a.
func (q *sequence) before(a, b int) bool {
	if a == b || q.earlierPhase(a, b) {
		return a != b
	}
	if q.after[a] == nil {
		q.after[a] = q.reach(a, walk{next: q.dependents, barrier: func(from, to int) bool { return to > from }})
	}
	return q.after[a][b]
}

// startsAfter is before with its arguments turned round. It is quick for few
// different b.
func (q *sequence) startsAfter(b, a int) bool {
	if a == b || q.earlierPhase(a, b) {
		return a != b
	}
	if q.prior[b] == nil {
		q.prior[b] = q.reach(b, walk{next: q.needs, barrier: func(from, to int) bool { return to < from }})
	}
	return q.prior[b][a]
}

// requires tells whether step b cannot start unless step a ended well: it needs
// it, directly or through others.
func (q *sequence) requires(b, a int) bool {
	if q.required[a] == nil {
		q.required[a] = q.reach(a, walk{next: q.dependents})
	}
	return q.required[a][b]
}

// earlierPhase tells whether the phase barrier alone puts a before b.
func (q *sequence) earlierPhase(a, b int) bool {
	return !q.steps[a].Free && !q.steps[b].Free && q.phase[a] < q.phase[b]
}

// walk says where reach goes on from a step: to its neighbours, and over the
// barriers of phases when there are any.
type walk struct {
	next    [][]int
	barrier func(from, to int) bool
}

// reach returns the steps that a walk leads to from start, in any number of
// moves.
func (q *sequence) reach(start int, w walk) []bool {
	seen := make([]bool, len(q.steps))
	queue := []int{start}
	add := func(j int) {
		if !seen[j] {
			seen[j] = true
			queue = append(queue, j)
		}
	}
	// Steps beyond the barrier of one phase lie beyond all barriers between, so
	// each barrier has to be followed only once.
	followed := make([]bool, len(Phases()))
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, j := range w.next[at] {
			add(j)
		}
		if w.barrier == nil || q.steps[at].Free || followed[q.phase[at]] {
			continue
		}
		followed[q.phase[at]] = true
		for j := range q.steps {
			if !q.steps[j].Free && w.barrier(q.phase[at], q.phase[j]) {
				add(j)
			}
		}
	}
	return seen
}
