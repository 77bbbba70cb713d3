package report

import (
	"cmp"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// estimated gives all steps of a plan an estimate of two minutes, at most five.
func estimated(p *plan.Plan) *plan.Plan {
	for i := range p.Stages {
		for j := range p.Stages[i].Steps {
			p.Stages[i].Steps[j].Estimate = estimate(2, 5)
		}
	}
	return p
}

// forecast is a driven run of p whose step "upgrade" was worked on for some time.
func forecast(t *testing.T, p *plan.Plan, ago time.Duration) RunSource {
	t.Helper()
	s := newScene(t, p)
	s.answer = func(c run.Command) (run.Body, bool) {
		_, ok := performing(c, "upgrade")
		return nil, ok
	}
	src := s.begin().goOn().approve().goOn().source(true)
	for i := range src.State.Stages {
		for j := range src.State.Stages[i].Steps {
			if step := &src.State.Stages[i].Steps[j]; step.Status == run.StepRunning {
				op := &step.Ops[step.Op]
				src.Now = op.Counted.Add(ago - time.Duration(op.Took))
			}
		}
	}
	return src
}

func TestForecast(t *testing.T) {
	t.Parallel()
	const upgrade = "run do to-2.0.0/upgrade#1"
	cases := map[string]struct {
		reason         string
		change         func(p *plan.Plan)
		ago            time.Duration
		progress       action.Measured
		since          time.Duration // of the progress; a minute if it is not said
		stage          time.Duration // typical
		worst          time.Duration
		unknown, whole string
	}{
		"Estimates": {
			reason: "The rest of upgrade, answers, and the release of logins-off.",
			ago:    time.Minute, stage: 5 * time.Minute, worst: 14 * time.Minute, whole: "to-2.4.1/tell waits for a person's work",
		},
		"LongerThanTypical": {
			reason: "A step that is late ends at any moment.",
			ago:    3 * time.Minute, stage: 4 * time.Minute, worst: 12 * time.Minute, whole: "to-2.4.1/tell waits for a person's work",
		},
		"LongerThanWorst": {
			reason: "Nobody knows any more.", ago: 6 * time.Minute,
			unknown: "to-2.0.0/upgrade takes longer than the 5m of its estimate", whole: "to-2.0.0/upgrade takes longer than the 5m of its estimate",
		},
		"Progress": {
			reason: "What is measured counts more than what was estimated.", ago: 6 * time.Minute,
			progress: action.Measured{Progress: action.Progress{Done: 50, Total: 100}, From: 20, Since: time.Unix(-60, 0)},
			stage:    4*time.Minute + 100*time.Second, worst: 10*time.Minute + 100*time.Second,
			whole: "to-2.4.1/tell waits for a person's work",
		},
		"FirstSample": {
			reason: "The first sample says less than an estimate.", ago: time.Minute, since: 2 * time.Second,
			progress: action.Measured{Progress: action.Progress{Done: 1, Total: 300}}, stage: 5 * time.Minute, worst: 14 * time.Minute,
			whole: "to-2.4.1/tell waits for a person's work",
		},
		"SomeSamples": {
			reason: "After a while the rate is believed, however little is done.", ago: time.Minute, since: 20 * time.Second,
			progress: action.Measured{Progress: action.Progress{Done: 10, Total: 300}},
			stage:    4*time.Minute + 580*time.Second, worst: 10*time.Minute + 580*time.Second,
			whole: "to-2.4.1/tell waits for a person's work",
		},
		"NoEstimate": {
			reason:  "A guess is no estimate.",
			change:  func(p *plan.Plan) { p.Stages[0].Steps[4].Estimate = plan.Estimate{Worst: minutes(10)} },
			unknown: "to-2.0.0/answers has no estimate", whole: "to-2.0.0/answers has no estimate",
		},
		"Window": {
			reason: "Windows open when they open.", ago: time.Minute, stage: 5 * time.Minute, worst: 14 * time.Minute,
			change: func(p *plan.Plan) { p.Stages[1].Windows = []plan.Window{{}} },
			whole:  "stage to-2.4.1 waits for its window",
		},
		"Whole": {
			reason: "The second stage goes on by itself, the soak lasts, the lease to the end of the run comes last.",
			ago:    time.Minute, stage: 3 * time.Minute, worst: 9 * time.Minute,
			change: func(p *plan.Plan) {
				p.Stages[0].Steps[1].Lease.Until = "run"
				p.Stages[1].Steps = p.Stages[1].Steps[:1]
				p.Stages[1].Soak = &plan.Soak{For: minutes(10)}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := estimated(wikiPlan())
			if tc.change != nil {
				tc.change(p)
			}
			src := forecast(t, p, tc.ago)
			if tc.progress.Total > 0 {
				tc.progress.Since = src.Now.Add(-cmp.Or(tc.since, time.Minute))
				src.Progress = map[string]action.Measured{upgrade: tc.progress}
			}
			v := BuildRun(src)
			got := v.StageEnds
			if got.Unknown != tc.unknown || time.Duration(got.Typical) != tc.stage || time.Duration(got.Worst) != tc.worst {
				t.Errorf("%s: got %+v of the stage, want %s to %s", tc.reason, got, tc.stage, tc.worst)
			}
			if v.RunEnds.Unknown != tc.whole {
				t.Errorf("%s: of the run got %+v, want unknown: %s", tc.reason, v.RunEnds, tc.whole)
			}
			if want := tc.stage + 14*time.Minute; tc.whole == "" && time.Duration(v.RunEnds.Typical) != want {
				t.Errorf("%s: the run takes %+v, want %s", tc.reason, v.RunEnds, want)
			}
		})
	}
	src := forecast(t, estimated(wikiPlan()), time.Minute)
	src.Info.Owner = nil
	if v := BuildRun(src); v.RunEnds != nil || v.StageEnds != nil {
		t.Errorf("nobody drives it, and it ends %+v", v.RunEnds)
	}
}

func TestRateText(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]OperationView{
		"":                               {Progress: &action.Progress{Done: 3, Unit: "tries"}},
		"; time left unknown":            {Progress: &action.Progress{Done: 3, Total: 9}},
		"; 40 rows/s, about 1m30s left":  {Progress: &action.Progress{Done: 3, Total: 9, Unit: "rows"}, Rate: 40, Left: plan.Duration(90 * time.Second)},
		"; 2.5/s":                        {Progress: &action.Progress{Done: 3}, Rate: 2.5},
		"; 1.2 nodes/min, about 9h left": {Progress: &action.Progress{Done: 3, Total: 9, Unit: "nodes"}, Rate: 0.02, Left: plan.Duration(9 * time.Hour)},
	} {
		if got := rateText(&a); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
