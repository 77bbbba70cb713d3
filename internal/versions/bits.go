package versions

import (
	"iter"
	"math/bits"
	"slices"
)

const wordBits = 64

// bitset is a set of versions, by index.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+wordBits-1)/wordBits) }

func (b bitset) set(i int)      { b[i/wordBits] |= 1 << (i % wordBits) }
func (b bitset) clear(i int)    { b[i/wordBits] &^= 1 << (i % wordBits) }
func (b bitset) has(i int) bool { return b[i/wordBits]&(1<<(i%wordBits)) != 0 }

// or adds the members of o.
func (b bitset) or(o bitset) {
	for w := range b {
		b[w] |= o[w]
	}
}

// and keeps the members that o has too.
func (b bitset) and(o bitset) {
	for w := range b {
		b[w] &= o[w]
	}
}

// andNot drops the members of o.
func (b bitset) andNot(o bitset) {
	for w := range b {
		b[w] &^= o[w]
	}
}

func (b bitset) count() int {
	n := 0
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// first returns the smallest member, -1 when there is none.
func (b bitset) first() int {
	for w, word := range b {
		if word != 0 {
			return w*wordBits + bits.TrailingZeros64(word)
		}
	}
	return -1
}

// last returns the greatest member, -1 when there is none.
func (b bitset) last() int {
	for w, word := range slices.Backward(b) {
		if word != 0 {
			return w*wordBits + bits.Len64(word) - 1
		}
	}
	return -1
}

// all yields the members in ascending order. The set must not change meanwhile.
func (b bitset) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for w, word := range b {
			for ; word != 0; word &= word - 1 {
				if !yield(w*wordBits + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}

// pairSet is a set of pairs of versions, one row of second members for each
// first member.
type pairSet []bitset

func newPairSet(n int) pairSet {
	words := len(newBitset(n))
	cells := make(bitset, n*words)
	rows := make(pairSet, n)
	for i := range rows {
		rows[i] = cells[i*words : (i+1)*words]
	}
	return rows
}

func (p pairSet) has(i, j int) bool { return p[i].has(j) }
