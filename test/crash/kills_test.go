package crash

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/run"
)

var (
	killsFlag = flag.Int("kills", 200, "how many drivers to kill")
	seedFlag  = flag.Uint64("seed", 1, "the first seed")
	atOnce    = flag.Int("atonce", 4, "how many runs are driven at once")
	longest   = flag.Int("steps", 30, "how many steps a plan has at most, at least 10")
)

// total is what all scenes together have come to.
type total struct {
	sync.Mutex
	kills                        map[string]int
	runs, steps, effects, events int
	statuses                     map[run.Status]int
	left                         int
	failed                       []uint64
	began                        time.Time
}

func (t *total) sum() int {
	n := 0
	for _, k := range t.kills {
		n += k
	}
	return n
}

// take reserves kills for a scene; 0 when enough are done.
func (t *total) take(n int) int {
	t.Lock()
	defer t.Unlock()
	n = min(n, t.left)
	t.left -= n
	return n
}

func (t *total) add(s *scene, v *verdict, unused int) {
	t.Lock()
	defer t.Unlock()
	for name, n := range s.kills {
		t.kills[name] += n
	}
	t.left += unused
	t.runs++
	t.steps += v.steps
	t.effects += v.effects
	t.events += v.events
	t.statuses[v.status]++
}

func (t *total) String() string {
	t.Lock()
	defer t.Unlock()
	took := time.Since(t.began)
	var by []string
	for _, name := range slices.Sorted(maps.Keys(t.kills)) {
		by = append(by, fmt.Sprintf("%s %d", name, t.kills[name]))
	}
	return fmt.Sprintf("%d kills (%s) of %d runs with %d steps, %d events and %d effects in %.0fs, %.0f kills/min; ended %v; %d violations",
		t.sum(), strings.Join(by, ", "), t.runs, t.steps, t.events, t.effects, took.Seconds(),
		float64(t.sum())/took.Minutes(), t.statuses, len(t.failed))
}

// TestKills kills drivers of random runs until enough are killed.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Log("a few kills only")
		*killsFlag = min(*killsFlag, 20)
	}
	if _, err := programs(); err != nil {
		t.Fatal(err)
	}
	all := &total{kills: map[string]int{}, statuses: map[run.Status]int{}, left: *killsFlag, began: time.Now()}
	for seed := *seedFlag; all.goesOn(); {
		seed = all.round(t, seed) // Runs that end early give kills back: then there is another round.
	}
	t.Logf("seeds from %d: %s", *seedFlag, all)
	if len(all.failed) > 0 {
		t.Errorf("seeds with violations: %v", all.failed)
	}
}

// round carries out seeds until all kills are taken, and returns the next seed.
func (t *total) round(tb testing.TB, seed uint64) uint64 {
	tb.Helper()
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range *atOnce {
		workers.Go(func() {
			for seed := range seeds {
				t.scene(tb, seed)
			}
		})
	}
	shown := time.Now()
	for ; t.goesOn(); seed++ {
		seeds <- seed
		if time.Since(shown) > 10*time.Second {
			shown = time.Now()
			fmt.Fprintln(os.Stderr, t)
		}
	}
	close(seeds)
	workers.Wait()
	return seed
}

func (t *total) goesOn() bool {
	t.Lock()
	defer t.Unlock()
	return t.left > 0 && len(t.failed) < 5
}

// scene carries out one seed.
func (t *total) scene(tb testing.TB, seed uint64) {
	s := newScene(tb, seed)
	const shortest = 10
	steps := int(shortest * math.Pow(float64(*longest)/shortest, s.r.Float64()))
	kills := t.take(6 + s.r.IntN(14) + steps/3)
	s.plan = makePlan(tb, seed, steps, 6, s.effect, s.dir)
	span := max(8, steps*8/max(kills, 1))
	err := s.carryOut(kills, span)
	done := 0
	for _, n := range s.kills {
		done += n
	}
	v := &verdict{}
	if err == nil {
		v, err = s.judge()
	}
	if err != nil {
		v.sayf("%v", err)
	}
	t.add(s, v, kills-done)
	if len(v.problems) == 0 {
		s.remove()
		return
	}
	t.Lock()
	t.failed = append(t.failed, seed)
	t.Unlock()
	tb.Errorf("seed %d (%d steps, %d kills): everything is kept in %s\n%s", seed, steps, done,
		filepath.Dir(s.dir), strings.Join(v.problems, "\n"))
	s.tell()
}

// tell writes the history beside the ledger and the plan.
func (s *scene) tell() {
	e, err := s.look("crash")
	if err != nil {
		s.tb.Error(err)
		return
	}
	history, err := e.History(s.tb.Context(), s.id, 0, 0)
	if err != nil {
		s.tb.Error(err)
	}
	var text strings.Builder
	for _, r := range history {
		data, err := run.EncodeEvent(r.Event)
		if err != nil {
			s.tb.Error(err)
		}
		fmt.Fprintf(&text, "%s\n", data)
	}
	write(s.tb, filepath.Join(s.dir, "history.jsonl"), text.String())
	if err := e.Close(); err != nil {
		s.tb.Error(err)
	}
}

func read(tb testing.TB, name string) string {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}
