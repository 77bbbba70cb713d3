package worker_test

import (
	"fmt"
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

// TestLargeSelection refuses a list that no event could hold, and records the largest
// that one can, beside the largest state before the effect.
func TestLargeSelection(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{40: "notStarted", 60: "failed"} {
		p := severalPlan()
		for i := range p.Stages[0].Steps {
			if s := p.Stages[0].Steps[i].Selection; s != nil {
				s.Max = 1000
			}
		}
		b := newBench(t, p)
		b.lamp.answer = action.Observed[lampOutput]{
			Status: action.NotStarted, Before: map[string]any{"color": strings.Repeat("w", 32<<10-20)},
		}
		for i := range n {
			b.lamp.answer.Members = append(b.lamp.answer.Members, action.Member{Key: fmt.Sprint(i, strings.Repeat("k", 500))})
		}
		op := run.Ref{What: run.Do, Stage: "s1", Step: "change"}
		got := b.carry(t, run.ObserveOperation{Op: op, Turn: 1, Key: "k"}).(*run.Observed)
		if got.Status != want || want == "failed" && got.Reason != "ListTooLarge" {
			t.Errorf("%d members: %s %s: %s", n, got.Status, got.Reason, got.Message)
		}
		if _, err := run.EncodeEvent(run.Event{Seq: 1, Body: got}); err != nil {
			t.Errorf("%d members: %v", n, err)
		}
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
