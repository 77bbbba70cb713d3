package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/action"
)

// step makes a step of a phase for tests of order, coverage and schedule.
func step(id string, phase Phase, needs ...string) Step {
	return Step{ID: id, Phase: phase, Needs: needs}
}

// free makes a step that does not wait for phases.
func free(id string, phase Phase, needs ...string) Step {
	s := step(id, phase, needs...)
	s.Free = true
	return s
}

func ids(steps []Step) []string {
	out := make([]string, len(steps))
	for i := range steps {
		out[i] = steps[i].ID
	}
	return out
}

func TestOrder(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		steps  []Step
		want   []string
		err    string
	}{
		"PhasesAreBarriers": {
			reason: "a step that the author wrote first still waits for earlier phases",
			steps:  []Step{step("verify", Verify), step("upgrade", Upgrade), step("backup", Backup)},
			want:   []string{"backup", "upgrade", "verify"},
		},
		"NeedsWithinAPhase": {
			reason: "needs order a phase, the file orders the rest",
			steps:  []Step{step("b", Upgrade, "c"), step("a", Upgrade), step("c", Upgrade)},
			want:   []string{"a", "c", "b"},
		},
		"FreeStepMovesToWhoNeedsIt": {
			reason: "a free step of a late phase is ordered with the early step that needs it",
			steps:  []Step{step("prepare", Prepare, "fetch"), step("check", Preflight), free("fetch", Upgrade)},
			want:   []string{"fetch", "prepare", "check"},
		},
		"FreeChain": {
			reason: "the phase of who needs it goes through a chain of free steps",
			steps: []Step{
				free("a", Cleanup), free("b", Cleanup, "a"), step("use", Backup, "b"), step("go", Upgrade),
			},
			want: []string{"a", "b", "use", "go"},
		},
		"Circle": {
			reason: "a circle names its steps",
			steps:  []Step{step("a", Upgrade, "b"), step("b", Upgrade, "a"), step("c", Upgrade)},
			err:    `steps need each other in a circle: ["a" "b"]`,
		},
		"Unknown": {
			reason: "a need that is not there is an error",
			steps:  []Step{step("a", Upgrade, "x")},
			err:    `step "a" needs "x", which is not a step of the stage`,
		},
		"CircleThroughABarrier": {
			reason: "a step of an early phase cannot wait for a later one, not even through a free step",
			steps:  []Step{step("a", Prepare, "f"), free("f", Prepare, "z"), step("z", Upgrade)},
			err:    `step "a" of phase prepare waits for a step of phase upgrade, which comes later`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := order(c.steps)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("%s: got error %v, want %s", c.reason, err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", c.reason, err)
			}
			if diff := cmp.Diff(c.want, ids(got)); diff != "" {
				t.Errorf("%s: -want +got\n%s", c.reason, diff)
			}
		})
	}
}

// drawSteps draws steps whose needs point to earlier steps of the same or an
// earlier phase, in a shuffled order.
func drawSteps(t *rapid.T) []Step {
	n := rapid.IntRange(1, 25).Draw(t, "steps")
	var steps []Step
	for i := range n {
		s := Step{
			ID:    strings.Repeat("s", 1) + string(rune('a'+i)),
			Phase: rapid.SampledFrom(Phases()).Draw(t, "phase"),
			Free:  rapid.IntRange(0, 4).Draw(t, "free") == 0,
		}
		for _, earlier := range steps {
			// A free step may need anything earlier, but then it must not be
			// needed by an earlier phase; keep to phases to stay possible.
			if phaseIndex(earlier.Phase) <= phaseIndex(s.Phase) && rapid.IntRange(0, 3).Draw(t, "need") == 0 {
				s.Needs = append(s.Needs, earlier.ID)
			}
		}
		steps = append(steps, s)
	}
	return rapid.Permutation(steps).Draw(t, "order")
}

func TestOrderIsAlwaysPossible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steps := drawSteps(t)
		got, err := order(steps)
		if err != nil {
			t.Fatalf("order: %v", err)
		}
		at := stepIndex(got)
		if len(at) != len(steps) {
			t.Fatalf("got %d steps of %d", len(at), len(steps))
		}
		latest := 0
		for i := range got {
			for _, need := range got[i].Needs {
				if at[need] >= i {
					t.Fatalf("%s stands before %s, which it needs", got[i].ID, need)
				}
			}
			if !got[i].Free {
				if p := phaseIndex(got[i].Phase); p < latest {
					t.Fatalf("%s of phase %s stands behind a later phase", got[i].ID, got[i].Phase)
				} else {
					latest = p
				}
			}
		}
	})
}

// TestBeforeAgreesWithCourse holds the static answer "a has ended before b
// starts" against schedules with random durations: it must never claim an
// order that a possible course breaks.
func TestBeforeAgreesWithCourse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steps, err := order(drawSteps(t))
		if err != nil {
			t.Fatalf("order: %v", err)
		}
		for i := range steps {
			steps[i].Estimate.Typical = Duration(rapid.IntRange(1, 1000).Draw(t, "length"))
		}
		c := course(steps, typicalOf)
		seq := newSequence(steps)
		for a := range steps {
			for b := range steps {
				if seq.before(a, b) && c.end[a] > c.start[b] {
					t.Fatalf("%s is said to end before %s, but ends at %d and %s starts at %d",
						steps[a].ID, steps[b].ID, c.end[a], steps[b].ID, c.start[b])
				}
			}
		}
	})
}

// A check that waits for a change could never begin: the change waits for it.
func TestOrderRefusesChecksBehindChanges(t *testing.T) {
	t.Parallel()
	steps := []Step{
		{ID: "change", Phase: Upgrade, Effect: action.Mutating, Free: true},
		{ID: "check", Phase: Preflight, Effect: action.ReadOnly, Needs: []string{"change"}},
	}
	if _, err := order(steps); err == nil || !strings.Contains(err.Error(), `"check" of phase preflight waits for "change"`) {
		t.Errorf("got %v", err)
	}
	steps[0].Phase = Prepare
	if _, err := order(steps); err != nil {
		t.Errorf("a check may wait for prepare: %v", err)
	}
}
