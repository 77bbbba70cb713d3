package sheet

import (
	"strings"
	"testing"
	"time"
)

const printed = `goos: linux
pkg: example.test/local
BenchmarkChain-2          	    1200	    500000 ns/op	      2000 steps/s
BenchmarkChain-2          	    1500	    400000 ns/op	      2500 steps/s	    390000 p50-ns/step	    900000 p95-ns/step
BenchmarkParallel/many-2  	    1200	    500000 ns/op	      9000 steps/s
BenchmarkRows-2           	    1200	    500000 ns/op
BenchmarkNoted a word that it logged
PASS
`

func TestRateOf(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason, name string
		want         Rate
		err          string
	}{
		"Fastest": {
			"of several rounds the fastest counts, with its own percentiles", "BenchmarkChain",
			Rate{2500, 390 * time.Microsecond, 900 * time.Microsecond},
			"",
		},
		"NoPercentiles": {"percentiles may be missing", "BenchmarkParallel/many", Rate{PerSecond: 9000}, ""},
		"Gone":          {"a benchmark that was renamed is noticed", "BenchmarkParallel", Rate{}, "BenchmarkParallel did not run"},
		"NoRate":        {"a benchmark without steps is noticed", "BenchmarkRows", Rate{}, "does not report steps/s"},
	}
	results, err := ParseGoBench(strings.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := RateOf(results, tc.name)
			if got != tc.want || (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("%s: got %v, error %v; want %v, %q", tc.reason, got, err, tc.want, tc.err)
			}
		})
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	// 100 iterations of 5 ms, at 2,000 steps/s.
	res := Result{Iterations: 100, Values: map[string]float64{"ns/op": 5e6, RateUnit: 2000}}
	if got := res.Steps(); got != 1000 {
		t.Errorf("got %v steps, want 1000", got)
	}
}

func TestParseGoBenchRefuses(t *testing.T) {
	t.Parallel()
	if _, err := ParseGoBench(strings.NewReader("BenchmarkChain-2 10 fast ns/op\n")); err == nil {
		t.Error("a value that is no number is taken")
	}
}

func TestRateFrom(t *testing.T) {
	t.Parallel()
	at := func(millis ...int) []time.Time {
		var ts []time.Time
		for _, ms := range millis {
			ts = append(ts, time.UnixMilli(int64(ms)))
		}
		return ts
	}
	cases := map[string]struct {
		reason string
		took   time.Duration
		chains [][]time.Time
		want   Rate
	}{
		"Two": {
			"gaps of all chains count, never a gap between chains", 2 * time.Second,
			[][]time.Time{at(0, 10, 20), at(1000, 1010, 1100)},
			Rate{3, 10 * time.Millisecond, 90 * time.Millisecond},
		},
		"One":  {"a single step has no gap", time.Second, [][]time.Time{at(5)}, Rate{PerSecond: 1}},
		"None": {"no time, no rate", 0, nil, Rate{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := RateFrom(tc.took, tc.chains); got != tc.want {
				t.Errorf("%s: got %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	if a, b := percentile(hundred, 50), percentile(hundred, 95); a != 50 || b != 95 {
		t.Errorf("p50 and p95 of 1 to 100: %d and %d", a, b)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	columns := []Column{
		{
			Name: "Refit", Load: 0.25, Disk: 2100, Chain: Rate{1234.5, ms / 2, 2 * ms}, Parallel: Rate{PerSecond: 6000},
			Syncs: 2, WorkerBytes: 40e6,
		},
		{
			Name: "Peer", Load: 1.5, Disk: 1900, Chain: Rate{12.34, 80 * ms, 120 * ms}, Parallel: Rate{30, 900 * ms, 1500 * ms},
			LocalChain: Rate{500, ms / 10, ms / 4}, Syncs: 7.25, ServerBytes: 160e6, WorkerBytes: 30e6,
		},
	}
	var got strings.Builder
	if err := Write(&got, columns, 64); err != nil {
		t.Fatal(err)
	}
	want := `WHAT                                              REFIT  PEER     UNIT
load of the machine before                        0.2    1.5      
disk alone, 4 KiB and a sync                      2100   1900     per s
one chain                                         1234   12.3     steps/s
one chain: a step, p50                            0.50   80.00    ms
one chain: a step, p95                            2.00   120.00   ms
64 chains at once                                 6000   30.0     steps/s
64 chains at once: a step, p50                    -      900.00   ms
64 chains at once: a step, p95                    -      1500.00  ms
one chain, local activities                       -      500      steps/s
one chain, local activities: a step, p50          -      0.10     ms
one chain, local activities: a step, p95          -      0.25     ms
64 chains at once, local activities               -      -        steps/s
64 chains at once, local activities: a step, p50  -      -        ms
64 chains at once, local activities: a step, p95  -      -        ms
one chain: syncs of the disk                      2.00   7.25     per step
most memory, server                               -      160      MB
most memory, worker or program                    40     30       MB
most memory, together                             40     190      MB
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
