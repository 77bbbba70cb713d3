package worker_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// severalPlan has a step that may act on two lamps.
func severalPlan() *plan.Plan {
	p := lampPlan()
	for i := range p.Stages[0].Steps {
		if s := &p.Stages[0].Steps[i]; s.ID == "change" {
			s.Action, s.Selection = "test.several@1", &plan.Selection{Max: 2, Empty: plan.EmptyRefuse}
		}
	}
	return p
}

// TestSelection tests that what an action picks is recorded as it calls it, that
// no more is recorded than shows that it is too much, and that what cannot be
// recorded is refused.
func TestSelection(t *testing.T) {
	t.Parallel()
	op := run.Ref{What: run.Do, Stage: "s1", Step: "change"}
	for name, c := range map[string]struct {
		picks []action.Member
		want  []run.Selected
		fails bool
	}{
		"none": {},
		"two": {
			picks: []action.Member{{Key: "attic", Note: "60 W"}, {Key: "hall"}},
			want:  []run.Selected{{Key: "attic", Note: "60 W"}, {Key: "hall"}},
		},
		"too many": {
			picks: []action.Member{{Key: "a"}, {Key: "b"}, {Key: "c"}, {Key: "d"}},
			want:  []run.Selected{{Key: "a"}, {Key: "b"}, {Key: "c"}},
		},
		"no name":   {picks: []action.Member{{Note: "60 W"}}, fails: true},
		"twice":     {picks: []action.Member{{Key: "a"}, {Key: "a", Note: "60 W"}}, fails: true},
		"two lines": {picks: []action.Member{{Key: "a\nb"}}, fails: true},
		"no text":   {picks: []action.Member{{Key: "a\xff"}}, fails: true},
		"long":      {picks: []action.Member{{Key: strings.Repeat("a", 513)}}, fails: true},
		"long note": {picks: []action.Member{{Key: "a", Note: strings.Repeat("a", 257)}}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, severalPlan())
			b.lamp.answer = action.Observed[lampOutput]{Status: action.NotStarted, Members: c.picks}
			got := b.carry(t, run.ObserveOperation{Op: op, Turn: 1, Key: "k"}).(*run.Observed)
			if c.fails {
				if got.Status != "failed" || got.Reason != "BadMember" || got.Selection != nil {
					t.Errorf("got %+v", got)
				}
				return
			}
			if diff := cmp.Diff(c.want, got.Selection); diff != "" || got.Status != "notStarted" {
				t.Errorf("%s (-want +got):\n%s", got.Status, diff)
			}
		})
	}
}

// TestSelectionIsHandedOver tests that looks, attempts and the way back are told
// what was recorded, and nothing before anything was.
func TestSelectionIsHandedOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, severalPlan())
	b.lamp.answer = action.Observed[lampOutput]{Status: action.NotStarted}
	do, undo := run.Ref{What: run.Do, Stage: "s1", Step: "change"}, run.Ref{What: run.Undo, Stage: "s1", Step: "change"}
	list := []run.Selected{{Key: "attic", Note: "60 W"}}
	b.carry(t, run.ObserveOperation{Op: do, Key: "k"})
	b.carry(t, run.ObserveOperation{Op: do, Key: "k", Attempted: true, Selection: list})
	b.carry(t, run.PerformOperation{Op: do, Key: "k", Attempt: 1, Selection: list})
	b.carry(t, run.PerformOperation{Op: undo, Key: "k:undo", Attempt: 1, Selection: list})
	member := []action.Member{{Key: "attic", Note: "60 W"}}
	for i, want := range [][]action.Member{nil, member, member, member} {
		if diff := cmp.Diff(want, b.lamp.envs[i].Members); diff != "" {
			t.Errorf("call %d (-want +got):\n%s", i, diff)
		}
	}
}
