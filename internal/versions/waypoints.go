package versions

import "encoding/binary"

// obligations keeps the sets of waypoints that a path has taken on and not yet
// visited. A set is known by its number, so that two partial paths in the same
// situation are recognised; number 0 is the empty set.
type obligations struct {
	pairs *relations
	size  int
	// relevant are the waypoints that can matter: something beyond them is wanted.
	relevant bitset
	sets     []bitset
	blocked  []bitset
	numbers  map[string]int
	arrivals map[[2]int]int
}

// newObligations returns the book for paths among n versions. Only waypoints
// in relevant are kept.
func newObligations(pairs *relations, n int, relevant bitset) *obligations {
	o := &obligations{
		pairs: pairs, size: n, relevant: relevant,
		numbers: map[string]int{}, arrivals: map[[2]int]int{},
	}
	o.number(newBitset(n))
	return o
}

// arrive returns the set after a path with the given set has come to x.
func (o *obligations) arrive(set, x int) int {
	key := [2]int{set, x}
	if number, ok := o.arrivals[key]; ok {
		return number
	}
	next := newBitset(o.size)
	next.or(o.pairs.waypoint[x])
	next.and(o.relevant)
	next.or(o.sets[set])
	next.clear(x)
	number := o.number(next)
	o.arrivals[key] = number
	return number
}

// onward writes into row the versions to which a path at x may go on.
func (o *obligations) onward(set, x int, row bitset) {
	copy(row, o.pairs.usable[x])
	row.andNot(o.blocked[set])
}

func (o *obligations) number(set bitset) int {
	key := make([]byte, 0, len(set)*wordBits/8)
	for _, word := range set {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	if number, ok := o.numbers[string(key)]; ok {
		return number
	}
	blocked := newBitset(o.size)
	for w := range set.all() {
		blocked.or(o.pairs.beyond[w])
	}
	number := len(o.sets)
	o.sets, o.blocked = append(o.sets, set), append(o.blocked, blocked)
	o.numbers[string(key)] = number
	return number
}
