package sheet

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// RateUnit is the measure that a benchmark of Refit must report.
const RateUnit = "steps/s"

// Units of the measures that a benchmark of Refit may report beside it.
const (
	p50Unit = "p50-ns/step"
	p95Unit = "p95-ns/step"
)

// Result is one line of a Go benchmark.
type Result struct {
	Iterations int
	Values     map[string]float64
}

// Steps is how many steps the benchmark did while it was measured.
func (r Result) Steps() float64 {
	return r.Values[RateUnit] * float64(r.Iterations) * r.Values["ns/op"] / float64(time.Second)
}

// ParseGoBench reads what a test program prints under -test.bench: the lines of
// each benchmark, by name, without the -8 that stands for GOMAXPROCS.
func ParseGoBench(r io.Reader) (map[string][]Result, error) {
	results := map[string][]Result{}
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		fields := strings.Fields(sc.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			continue // A line that a benchmark logged.
		}
		res := Result{Iterations: n, Values: map[string]float64{}}
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("read the benchmark line %q: %w", sc.Text(), err)
			}
			res.Values[fields[i+1]] = v
		}
		name := withoutProcs(fields[0])
		results[name] = append(results[name], res)
	}
	return results, sc.Err()
}

func withoutProcs(name string) string {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name
	}
	if _, err := strconv.Atoi(name[i+1:]); err != nil {
		return name
	}
	return name[:i]
}

// RateOf gives the fastest round of one benchmark. It is an error if that
// benchmark did not run, or does not report how many steps it does a second.
func RateOf(results map[string][]Result, name string) (Rate, error) {
	if len(results[name]) == 0 {
		return Rate{}, fmt.Errorf("%s did not run", name)
	}
	var rounds []Rate
	for _, res := range results[name] {
		steps, ok := res.Values[RateUnit]
		if !ok || steps <= 0 {
			return Rate{}, fmt.Errorf("%s does not report %s", name, RateUnit)
		}
		rounds = append(rounds, Rate{
			PerSecond: steps,
			P50:       time.Duration(res.Values[p50Unit]),
			P95:       time.Duration(res.Values[p95Unit]),
		})
	}
	return Fastest(rounds), nil
}
