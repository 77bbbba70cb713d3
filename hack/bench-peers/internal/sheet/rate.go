package sheet

import (
	"slices"
	"time"
)

// Rate is how fast one case did its steps: how many a second, all chains
// together, and how long one step took, its chain alone.
type Rate struct {
	PerSecond float64
	// P50 and P95 are zero if single steps were not timed.
	P50, P95 time.Duration
}

// Fastest gives the round with the highest rate: other work on the machine only
// makes a round slower. Its percentiles come from the same round.
func Fastest(rounds []Rate) Rate {
	var best Rate
	for _, r := range rounds {
		if r.PerSecond > best.PerSecond {
			best = r
		}
	}
	return best
}

// RateFrom computes a rate from the whole time of some chains, and from the
// instants at which each of their steps began.
func RateFrom(took time.Duration, chains [][]time.Time) Rate {
	steps := 0
	var gaps []time.Duration
	for _, begins := range chains {
		steps += len(begins)
		for i := 1; i < len(begins); i++ {
			gaps = append(gaps, begins[i].Sub(begins[i-1]))
		}
	}
	if took <= 0 {
		return Rate{}
	}
	slices.Sort(gaps)
	return Rate{
		PerSecond: float64(steps) / took.Seconds(),
		P50:       percentile(gaps, 50),
		P95:       percentile(gaps, 95),
	}
}

// percentile gives the smallest of the sorted values that p percent of them do
// not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}
