package sim

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/run"
)

// Failure is a case that violates an invariant.
type Failure struct {
	Case   Case
	Result Result
}

// Report is what many simulations have come to.
type Report struct {
	Cases, Events, Crashes, Stale, Late, Refused, Foreign int
	// Judged counts Events and those that the core has refused.
	Judged int
	// Median is that of the numbers of steps of the plans.
	Median int
	Ends   map[run.Status]int
	// Years is the virtual time; all of it together is more than a Duration holds.
	Years    float64
	Took     time.Duration
	Seen     Coverage
	Failures []Failure

	steps []int
}

// Many simulates the seeds from first on, on all cores, and tells to out how it
// goes. It stops early when enough cases have failed. clock gives the real time.
func Many(first uint64, count int, mode Mode, out io.Writer, clock func() time.Time) *Report {
	r := &Report{Ends: map[run.Status]int{}}
	began := clock()
	told := began
	var mu sync.Mutex
	next := first
	take := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next >= first+uint64(count) || len(r.Failures) >= 10 {
			return 0, false
		}
		next++
		return next - 1, true
	}
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			var seen Coverage
			for {
				seed, more := take()
				if !more {
					break
				}
				c := NewCase(seed, mode)
				result := Run(c, &seen)
				mu.Lock()
				if r.add(c, result); result.Err != nil {
					_, _ = fmt.Fprintf(out, "sim: seed %d: %v\n", seed, result.Err)
				}
				if now := clock(); now.Sub(told) > 5*time.Second {
					told = now
					r.progress(out, count, now.Sub(began))
				}
				mu.Unlock()
			}
			mu.Lock()
			r.Seen.Add(&seen)
			mu.Unlock()
		})
	}
	all.Wait()
	r.Took = clock().Sub(began)
	r.progress(out, count, r.Took)
	return r
}

func (r *Report) add(c Case, result Result) {
	r.Cases++
	r.Events += result.Events
	r.Judged += result.Judged
	r.Crashes += result.Crashes
	r.Stale += result.Stale
	r.Late += result.Late
	r.Refused += result.Refused
	r.Foreign += result.Foreign
	const hoursOfYear = 24 * 365
	r.Years += result.Virtual.Hours() / hoursOfYear
	r.Ends[result.End]++
	r.steps = append(r.steps, result.Steps)
	if result.Err != nil {
		r.Failures = append(r.Failures, Failure{Case: c, Result: result})
	}
}

func (r *Report) progress(out io.Writer, count int, took time.Duration) {
	seconds := max(took.Seconds(), 0.001)
	steps := slices.Sorted(slices.Values(r.steps))
	if len(steps) > 0 {
		r.Median = steps[len(steps)/2]
	}
	_, _ = fmt.Fprintf(out, "sim: %d of %d seeds, %.0f seeds/s, %.0f events/s, %.0f of them in histories, "+
		"median plan %d steps, %d crashes, %d stale, %d late, %d refused, %d foreign changes, %d failures\n",
		r.Cases, count, float64(r.Cases)/seconds, float64(r.Judged)/seconds, float64(r.Events)/seconds, r.Median,
		r.Crashes, r.Stale, r.Late, r.Refused, r.Foreign, len(r.Failures))
}
