package sim

import (
	"io"
	"runtime/debug"
	"testing"
	"time"
)

// BenchmarkSimulator simulates 500 seeds on all cores. An event is one that is
// offered to the core and judged, also when the core refuses it.
func BenchmarkSimulator(b *testing.B) {
	const seeds = 500
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // As make sim does.
	events, steps := 0, 0
	for b.Loop() {
		r := Many(5_000_000, seeds, Mixed, io.Discard, time.Now)
		if len(r.Failures) > 0 {
			b.Fatalf("seed %d: %v", r.Failures[0].Case.Seed, r.Failures[0].Result.Err)
		}
		events += r.Judged
		steps = r.Median
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(events), "us/event")
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(steps), "median-steps")
}
