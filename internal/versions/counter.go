package versions

// counter counts something for each pair of versions. It holds one set of
// pairs for each binary digit of the numbers, so that a whole row of pairs is
// counted with a few operations: edges may speak of hundreds of thousands of
// pairs.
type counter struct {
	size   int
	digits []pairSet
	carry  bitset // for add
}

// add counts the pairs of i with the members of row, n times.
func (c *counter) add(i int, row bitset, n int) {
	if c.carry == nil {
		c.carry = newBitset(c.size)
	}
	for digit := 0; n>>digit > 0; digit++ {
		if n>>digit&1 == 1 {
			copy(c.carry, row)
			c.addDigit(i, c.carry, digit)
		}
	}
}

// addDigit adds carry, which it overwrites, to the given digit and those above.
func (c *counter) addDigit(i int, carry bitset, digit int) {
	for ; carry.first() >= 0; digit++ {
		for digit >= len(c.digits) {
			c.digits = append(c.digits, newPairSet(c.size))
		}
		row := c.digits[digit][i]
		for w := range row {
			row[w], carry[w] = row[w]^carry[w], row[w]&carry[w]
		}
	}
}

// at returns the number of the pair.
func (c *counter) at(i, j int) int {
	n := 0
	for digit, set := range c.digits {
		if set.has(i, j) {
			n |= 1 << digit
		}
	}
	return n
}
