package sim

import "time"

// dice decides by chance, the same for the same seed (splitmix64).
type dice struct{ state uint64 }

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int { return int(d.next() % uint64(n)) }

// oneIn is true once in n times; never for 0.
func (d *dice) oneIn(n int) bool { return n > 0 && d.below(n) == 0 }

// span returns a duration between two others.
func (d *dice) span(from, to time.Duration) time.Duration {
	return from + time.Duration(d.next()%uint64(to-from+1))
}

func pick[T any](d *dice, options ...T) T { return options[d.below(len(options))] }
