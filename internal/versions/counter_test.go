package versions

import (
	"testing"

	"pgregory.net/rapid"
)

// TestCounter compares the counter with plain numbers.
func TestCounter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 70).Draw(t, "size")
		c := &counter{size: size}
		want := make(map[[2]int]int)
		for range rapid.IntRange(0, 20).Draw(t, "adds") {
			i, n := rapid.IntRange(0, size-1).Draw(t, "i"), rapid.IntRange(0, 50).Draw(t, "n")
			row := newBitset(size)
			for _, j := range rapid.SliceOf(rapid.IntRange(0, size-1)).Draw(t, "row") {
				row.set(j)
			}
			c.add(i, row, n)
			for j := range row.all() {
				want[[2]int{i, j}] += n
			}
		}
		for i := range size {
			for j := range size {
				if got := c.at(i, j); got != want[[2]int{i, j}] {
					t.Fatalf("at(%d, %d) = %d, want %d", i, j, got, want[[2]int{i, j}])
				}
			}
		}
	})
}
