package main

import (
	"slices"
	"strings"
	"testing"
)

const output = `goos: linux
pkg: example.test/plan
BenchmarkBuild/10k-2         10    250000000 ns/op   1048576 B/op   42 allocs/op
BenchmarkMemory-2             1   3000000000 ns/op       450.5 peak-MB
BenchmarkOther                5          900 ns/op
PASS
`

func TestCompare(t *testing.T) {
	cases := map[string]struct {
		reason  string
		targets string
		want    string
		bad     int
	}{
		"Reached":     {"within the limit", "BenchmarkBuild/10k | ns/op | 300ms | build", "BenchmarkBuild/10k 300ms 250ms ok build", 0},
		"Missed":      {"beyond the limit", "BenchmarkBuild/10k | ns/op | 200ms | build", "BenchmarkBuild/10k 200ms 250ms MISSED build", 1},
		"OtherUnit":   {"a measure of its own", "BenchmarkMemory | peak-MB | 400 | memory", "BenchmarkMemory 400 peak-MB 450.5 peak-MB MISSED memory", 1},
		"NoBenchmark": {"a benchmark that was renamed is noticed", "BenchmarkGone | ns/op | 1s | gone", "BenchmarkGone 1s - NOT MEASURED gone", 1},
		"NoMeasure":   {"a measure that is not reported is noticed", "BenchmarkOther | peak-MB | 1 | memory", "BenchmarkOther 1 peak-MB - NOT MEASURED memory", 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			targets, err := parseTargets("# comment\n\n" + tc.targets)
			if err != nil {
				t.Fatal(err)
			}
			results, err := parseResults(strings.NewReader(output))
			if err != nil {
				t.Fatal(err)
			}
			rows, bad := compare(targets, results)
			if got := strings.Join(rows[1], " "); got != tc.want || bad != tc.bad {
				t.Errorf("%s: row %q, bad %d; want %q, %d", tc.reason, got, bad, tc.want, tc.bad)
			}
			untargeted := slices.ContainsFunc(rows, func(r []string) bool { return len(r) == 5 && r[1] == "900ns" })
			if !untargeted && !strings.Contains(tc.targets, "BenchmarkOther") {
				t.Errorf("%s: benchmarks without a target are not shown", tc.reason)
			}
		})
	}
}

func TestTheFastestRunCounts(t *testing.T) {
	results, err := parseResults(strings.NewReader("pkg: p\n" +
		"BenchmarkA-2 1 30 ns/op 7 MB-memory 3 x-rows\nBenchmarkA-2 1 20 ns/op 9 MB-memory 1 x-rows\n" +
		"BenchmarkA-2 1 25 ns/op 8 MB-memory 2 x-rows\nBenchmarkB-2 1 5 ns/op 1 B/op\n"))
	if err != nil || len(results) != 2 {
		t.Fatalf("got %v, %v", results, err)
	}
	if a := results[0].Values; a["ns/op"] != 20 || a["MB-memory"] != 9 || a["x-rows"] != 2 {
		t.Errorf("the fastest time, the largest memory and the middle ratio count: got %v", a)
	}
}

func TestParseTargetsRefuses(t *testing.T) {
	for _, text := range []string{"BenchmarkA | ns/op | 1s", "BenchmarkA | ns/op | fast | x", "BenchmarkA | MB | many | x"} {
		if _, err := parseTargets(text); err == nil || !strings.Contains(err.Error(), "targets.txt:1") {
			t.Errorf("parseTargets(%q): error %v, want one that names the line", text, err)
		}
	}
}

func TestTargetsFile(t *testing.T) {
	targets, err := parseTargets(targetsFile)
	if err != nil || len(targets) == 0 {
		t.Errorf("targets.txt: %d targets, error %v", len(targets), err)
	}
}
