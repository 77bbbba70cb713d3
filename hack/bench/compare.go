package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// target is one line of targets.txt: what a measure of a benchmark may be at
// most.
type target struct {
	Name, Unit, Text, What string
	Max                    float64
}

// result is one benchmark, or one command, with its measures by unit.
type result struct {
	Package, Name string
	Values        map[string]float64
	// ratios are those of all runs, by unit.
	ratios map[string][]float64
}

// parseTargets reads lines of four columns that are separated by " | ": name,
// unit, highest value, what it is about. A highest value in ns/op is written as
// a Go duration.
func parseTargets(text string) ([]target, error) {
	var targets []target
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			return nil, fmt.Errorf("targets.txt:%d: %d columns, want 4: name | unit | at most | what", n+1, len(cells))
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		most, err := parseMax(cells[1], cells[2])
		if err != nil {
			return nil, fmt.Errorf("targets.txt:%d: %w", n+1, err)
		}
		targets = append(targets, target{Name: cells[0], Unit: cells[1], Text: cells[2], What: cells[3], Max: most})
	}
	return targets, nil
}

func parseMax(unit, text string) (float64, error) {
	if unit == "ns/op" {
		d, err := time.ParseDuration(text)
		return float64(d), err
	}
	return strconv.ParseFloat(text, 64)
}

// parseResults reads what go test -bench prints.
func parseResults(r io.Reader) ([]result, error) {
	var results []result
	pkg := ""
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		fields := strings.Fields(sc.Text())
		if len(fields) == 2 && fields[0] == "pkg:" {
			pkg = fields[1]
		}
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		res := result{Package: pkg, Name: withoutProcs(fields[0]), Values: map[string]float64{}}
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("read %q: %w", sc.Text(), err)
			}
			res.Values[fields[i+1]] = v
		}
		results = merge(results, res)
	}
	return results, sc.Err()
}

// merge adds one run of a benchmark. Of several runs the fastest counts, since
// other work on the machine only makes them slower, and the largest memory. Of a
// ratio, "x-" something, the median does: other work may slow down either side.
func merge(results []result, run result) []result {
	i := slices.IndexFunc(results, func(r result) bool { return r.Package == run.Package && r.Name == run.Name })
	if i < 0 {
		run.ratios = map[string][]float64{}
		results, i = append(results, run), len(results)
	}
	r := results[i]
	for unit, v := range run.Values {
		switch {
		case strings.HasPrefix(unit, "x-"):
			r.ratios[unit] = append(r.ratios[unit], v)
			sorted := slices.Sorted(slices.Values(r.ratios[unit]))
			r.Values[unit] = sorted[len(sorted)/2]
		case strings.HasPrefix(unit, "ns/"), strings.HasPrefix(unit, "us/"), strings.HasPrefix(unit, "ms/"):
			r.Values[unit] = min(r.Values[unit], v)
		default:
			r.Values[unit] = max(r.Values[unit], v)
		}
	}
	return results
}

// withoutProcs drops the -8 that go test adds for GOMAXPROCS.
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

// compare gives the rows of the table, first the targets and then what has
// none, and how many targets were missed or not measured.
func compare(targets []target, results []result) (rows [][]string, bad int) {
	rows = [][]string{{"TARGET", "AT MOST", "MEASURED", "", "WHAT"}}
	named := map[string]bool{}
	for _, t := range targets {
		named[t.Name] = true
		measured, verdict := "-", "NOT MEASURED"
		for _, r := range results {
			v, ok := r.Values[t.Unit]
			if r.Name != t.Name || !ok {
				continue
			}
			measured, verdict = format(t.Unit, v), "ok"
			if v > t.Max {
				verdict = "MISSED"
			}
		}
		if verdict != "ok" {
			bad++
		}
		rows = append(rows, []string{t.Name, t.Text + suffix(t.Unit), measured, verdict, t.What})
	}
	rows = append(rows, []string{}, []string{"OTHER BENCHMARK", "TIME", "MEMORY", "ALLOCS", "PACKAGE"})
	for _, r := range results {
		if named[r.Name] {
			continue
		}
		rows = append(rows, []string{
			r.Name, format("ns/op", r.Values["ns/op"]), format("B/op", r.Values["B/op"]),
			format("", r.Values["allocs/op"]), r.Package,
		})
	}
	return rows, bad
}

func format(unit string, v float64) string {
	switch unit {
	case "ns/op":
		d := time.Duration(v)
		for _, step := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
			if d >= step {
				return d.Round(step / 100).String()
			}
		}
		return d.String()
	case "B/op":
		const mega = 1 << 20
		if v >= mega {
			return fmt.Sprintf("%.1f MiB", v/mega)
		}
		return fmt.Sprintf("%.0f B", v)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") + suffix(unit)
}

func suffix(unit string) string {
	if unit == "" || unit == "ns/op" {
		return ""
	}
	return " " + unit
}
