package sim

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/run"
)

var (
	seeds = flag.Int("seeds", 0, "how many seeds to simulate in TestMany")
	first = flag.Uint64("first", 1_000_000, "the first seed of TestMany")
	rare  = flag.Bool("rare", false, "list the pairs that TestMany reaches, or offers, less than 40 times")
	mode  = flag.String("mode", string(Mixed), "the mode of TestMany: mixed, small or aborts")
)

// TestSeeds simulates 2,000 seeds.
func TestSeeds(t *testing.T) {
	t.Parallel()
	r := Many(1, 2000, Mixed, io.Discard, time.Now)
	judged(t, r)
	for _, end := range []run.Status{run.Succeeded, run.RolledBack, run.PartlyRolledBack, run.Cancelled, run.Failed} {
		if r.Ends[end] == 0 {
			t.Errorf("no run ended %s: the faults have lost their teeth", end)
		}
	}
	if r.Median < 50 {
		t.Errorf("the median plan has %d steps, it should have 50", r.Median)
	}
	t.Logf("%d events in %s, ends %v", r.Events, r.Took, r.Ends)
}

// TestAborts asks for the author's way back at a random moment.
func TestAborts(t *testing.T) {
	t.Parallel()
	judged(t, Many(1, 50, Aborts, io.Discard, time.Now))
}

// TestMany simulates as many seeds as its flags say; make sim uses it.
func TestMany(t *testing.T) {
	if *seeds == 0 {
		t.Log("nothing asked for: give -args -seeds=N, as make sim does")
		return
	}
	began := time.Now()
	r := Many(*first, *seeds, Mode(*mode), os.Stderr, time.Now)
	fmt.Fprintf(os.Stderr, "sim: mode %s, seeds %d to %d, begun %s, %d events, %d of them in histories, in %.0fs, %.0f years of virtual time, ends %v\n",
		*mode, *first, *first+uint64(*seeds)-1, began.UTC().Format(time.RFC3339), r.Judged, r.Events, r.Took.Seconds(),
		r.Years, r.Ends)
	judged(t, r)
	if Mode(*mode) == Mixed && len(r.Failures) == 0 {
		problems := r.Seen.Check(*seeds >= promised)
		for _, problem := range problems {
			t.Error(problem)
		}
		for _, problem := range r.Seen.Check(true) {
			if !slices.Contains(problems, problem) {
				fmt.Fprintln(os.Stderr, "sim: "+problem)
			}
		}
		if *rare {
			tellRare(r)
		}
	}
}

// promised is from how many seeds on every pair has to be reached or explained.
const promised = 20_000

// tellRare lists the pairs that were reached least.
func tellRare(r *Report) {
	reached, offered := r.Seen.Pairs(), r.Seen.Offered()
	for p, n := range reached {
		if n < 40 && impossible(p) == "" {
			fmt.Fprintf(os.Stderr, "sim: %s was reached %d times\n", p, n)
		} else if n := offered[p]; n < 40 && impossible(p) != "" {
			fmt.Fprintf(os.Stderr, "sim: %s was offered %d times\n", p, n)
		}
	}
}

// judged reports each failing case in its smallest form, and writes it where
// cases are kept.
func judged(t *testing.T, r *Report) {
	t.Helper()
	for i, f := range r.Failures {
		if i == 3 {
			break // They are rarely about different things.
		}
		if os.Getenv("REFIT_SIM_KEEP") == "no" { // A rule is switched off: hack/mutate.
			t.Errorf("seed %d: %v", f.Case.Seed, f.Result.Err)
			continue
		}
		small, result := Shrink(f.Case, 4000)
		name := filepath.Join("testdata", "seeds", fmt.Sprintf("%s-%d.json", small.Breach, f.Case.Seed))
		data, err := json.MarshalIndent(small, "", " ")
		if err == nil {
			err = os.WriteFile(name, append(data, '\n'), 0o600)
		}
		if err != nil {
			t.Error(err)
		}
		var history strings.Builder
		for _, e := range result.History {
			history.Write(append(e, '\n'))
		}
		t.Errorf("seed %d: %v\nshrunk and kept as %s: %v\n%s", f.Case.Seed, f.Result.Err, name, result.Err, history.String())
	}
}

// TestKept replays the cases that have failed once.
func TestKept(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/seeds/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases are kept: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var c Case
			if err := json.Unmarshal(data, &c); err != nil {
				t.Fatal(err)
			}
			if r := Run(c, nil); r.Err != nil {
				t.Errorf("it violates again: %v", r.Err)
			}
		})
	}
}

// TestEveryBoundary lets the host of small plans die at every event, before it
// is recorded and after.
func TestEveryBoundary(t *testing.T) {
	t.Parallel()
	crashes := 0
	for seed := range uint64(6) {
		c := NewCase(seed+1, Small)
		n := Run(c, nil).Events
		for at := range uint64(n) {
			for _, before := range []bool{true, false} {
				c.CrashAt, c.CrashBefore = at+1, before
				r := Run(c, nil)
				if crashes += r.Crashes; r.Err != nil {
					t.Fatalf("seed %d, crash at event %d, before it is recorded: %t: %v", seed+1, at+1, before, r.Err)
				}
			}
		}
	}
	t.Logf("%d crashes", crashes)
}

// TestSameSeed simulates a seed twice.
func TestSameSeed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		a, b := Run(NewCase(seed, Mixed), nil), Run(NewCase(seed, Mixed), nil)
		if len(a.History) != len(b.History) {
			t.Fatalf("seed %d: %d events, then %d", seed, len(a.History), len(b.History))
		}
		for i := range a.History {
			if string(a.History[i]) != string(b.History[i]) {
				t.Fatalf("seed %d: event %d is %s, then %s", seed, i+1, a.History[i], b.History[i])
			}
		}
	}
}
