package run_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

func TestTooks(t *testing.T) {
	t.Parallel()
	done := func(at int, op run.Ref, seconds int) []told {
		key := "r/s1/" + op.Step
		if op.What != run.Do {
			key += ":" + string(op.What)
		}
		return []told{
			look(at, op, 1, "notStarted"),
			{at, &run.OperationStarted{Op: op, Attempt: 1, Key: key}},
			end(at+seconds, op, 1, true),
		}
	}
	of := func(what run.What, step string) run.Ref { return run.Ref{What: what, Stage: "s1", Step: step} }
	took := func(step string, back bool, seconds int) plan.Took {
		return plan.Took{
			Run: "r", Platform: "p", Stage: "s1", Step: step, Action: "test.do@1", Back: back,
			Took: plan.Duration(time.Duration(seconds) * time.Second),
		}
	}
	cases := map[string]struct {
		reason string
		plan   string
		events []told
		want   []plan.Took
	}{
		"UnderWay": {
			"A run that goes on tells of what has ended.", "step a\nstep b needs=a\n",
			append(done(0, doOf("a"), 30), look(31, doOf("b"), 1, "notStarted"), start(31, doOf("b"), 1)),
			[]plan.Took{took("a", false, 30)},
		},
		"Found": {
			"What was found done took nobody any time.", "step a\n", []told{look(9, doOf("a"), 1, "done")}, nil,
		},
		"Lease": {
			"Giving back is told apart.", "step a lease=stage/release\n",
			append(done(0, doOf("a"), 30), done(30, of(run.Release, "a"), 7)...),
			[]plan.Took{took("a", false, 30), took("a", true, 7)},
		},
		"RolledBack": {
			"So is taking back.", "step a\nstep b needs=a\n",
			append(append(append(done(0, doOf("a"), 30), look(30, doOf("b"), 1, "failed"),
				told{30, &run.IssuesMatched{Op: doOf("b"), Turn: 2}},
				told{99, &run.RollbackRequested{Who: run.Who{By: "ada"}, Stage: "s1"}}),
				done(99, of(run.Undo, "a"), 12)...),
				told{120, &run.StageChecked{Stage: "s1", Turn: 1, Back: true, Facts: "f"}}),
			[]plan.Took{took("a", false, 30), took("a", true, 12)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := folded(t, "plan platform=p\nstage s1\n"+tc.plan, tc.events)
			if diff := cmp.Diff(tc.want, run.Tooks(s)); diff != "" {
				t.Errorf("%s: -want +got\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTooksOfTemplates(t *testing.T) {
	t.Parallel()
	p, err := parsePlan("stage s1\nstep a\n")
	if err != nil {
		t.Fatal(err)
	}
	p.Stages[0].Template = "to-${item.to}"
	s := run.New(p, "r")
	s.Stages[0].Steps[0].Ops = []run.Operation{
		{Life: run.Done, Attempt: 1, Took: plan.Duration(time.Second)},
		{Life: run.Done, Attempt: 1, Took: plan.Duration(time.Minute)},
	}
	want := []plan.Took{{
		Run: "r", Stage: "to-${item.to}", Step: "a", Action: "test.do@1", Took: plan.Duration(time.Minute + time.Second),
	}}
	if diff := cmp.Diff(want, run.Tooks(s)); diff != "" {
		t.Errorf("members count together, by the template: -want +got\n%s", diff)
	}
}
