package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

func TestOperationLate(t *testing.T) {
	t.Parallel()
	known := plan.Estimate{Typical: minutes(4), Worst: minutes(12), Known: true, Source: plan.SourceRuns, Runs: 3}
	cases := map[string]struct {
		reason   string
		expected plan.Estimate
		ago      time.Duration
		progress action.Measured
		left     time.Duration
		leftBy   LeftBy
		late     string
		says     string
	}{
		"InTime": {
			"What is left is the rest of what it takes as a rule.", known, time.Minute,
			action.Measured{},
			3 * time.Minute, LeftByEstimate, "", "about 3m left: it takes about 4m, at worst 12m, from 3 earlier runs",
		},
		"Late": {
			"Beyond the usual.", known, 6 * time.Minute,
			action.Measured{},
			0, "", "2m longer than the 4m that it takes as a rule",
			"2m longer than the 4m that it takes as a rule, from 3 earlier runs",
		},
		"VeryLate": {
			"Beyond the worst.", known, 15 * time.Minute,
			action.Measured{},
			0, "", "3m longer than the 12m that it takes at worst", "3m longer than the 12m that it takes at worst",
		},
		"Measured": {
			"What is measured counts more, but it is late all the same.", known, 6 * time.Minute,
			action.Measured{Progress: action.Progress{Done: 50, Total: 100, Unit: "rows"}, From: 20},
			100 * time.Second, LeftByRate, "2m longer than the 4m that it takes as a rule",
			"50 of 100 rows (50 %); 0.5 rows/s, about 1m40s left\n    2m longer than",
		},
		"Unknown": {
			"Nobody expected anything.", plan.Estimate{Worst: minutes(10)}, time.Hour, action.Measured{}, 0, "", "", "upgrade",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := estimated(wikiPlan())
			p.Stages[0].Steps[3].Estimate = tc.expected
			src := forecast(t, p, tc.ago)
			if tc.progress.Total > 0 {
				tc.progress.Since = src.Now.Add(-time.Minute)
				src.Progress = map[string]action.Measured{"run do to-2.0.0/upgrade#1": tc.progress}
			}
			v := BuildRun(src)
			op := &v.Operations[0]
			if time.Duration(op.Left) != tc.left || op.LeftBy != tc.leftBy {
				t.Errorf("%s: %s is left by %q, want %s by %q", tc.reason, op.Left, op.LeftBy, tc.left, tc.leftBy)
			}
			if got := lateText(op.Late); got != tc.late {
				t.Errorf("%s: got late %q, want %q", tc.reason, got, tc.late)
			}
			if op.Expected.Known != tc.expected.Known || op.Expected.Runs != tc.expected.Runs {
				t.Errorf("%s: expected %+v, want %+v", tc.reason, op.Expected, tc.expected)
			}
			var text bytes.Buffer
			if err := RunText(&text, v, TextOptions{Width: 300}); err != nil || !strings.Contains(text.String(), tc.says) {
				t.Errorf("%s: it does not say %q (%v):\n%s", tc.reason, tc.says, err, text.String())
			}
		})
	}
}

func lateText(l *LateView) string {
	if l == nil {
		return ""
	}
	return l.Text
}

func TestRunLate(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason     string
		ago        time.Duration
		change     func(p *plan.Plan)
		stage, run string
	}{
		"InTime": {
			"What the approval took is not late.",
			time.Minute, func(p *plan.Plan) { p.Stages[0].Estimate = estimate(11, 30) }, "", "",
		},
		"Stage": {
			"The rest of upgrade, answers and the release come on top of what was spent.",
			time.Minute, func(p *plan.Plan) { p.Stages[0].Estimate = estimate(7, 30) },
			"3m30s later than planned: the stage was to take about 7m, at worst 30m", "3m30s later than planned: the run was",
		},
		"Worst": {
			"The run is beyond the worst that was planned.",
			20 * time.Minute, func(p *plan.Plan) { p.Stages[0].Estimate = estimate(4, 9) },
			"20m later than planned at worst: the stage was to take about 4m, at worst 9m", "11m later than planned at worst",
		},
		"Unknown": {
			"Without a prediction nothing is late.",
			time.Hour, func(p *plan.Plan) { p.Stages[0].Estimate = plan.Estimate{Typical: minutes(1)} }, "", "",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := estimated(wikiPlan())
			p.Stages[1].Estimate = estimate(6, 15)
			tc.change(p)
			v := BuildRun(forecast(t, p, tc.ago))
			if got := lateText(v.StageLate); (tc.stage == "") != (got == "") || !strings.HasPrefix(got, tc.stage) {
				t.Errorf("%s: the stage is late by %q, want %q", tc.reason, got, tc.stage)
			}
			if got := lateText(v.RunLate); (tc.run == "") != (got == "") || !strings.HasPrefix(got, tc.run) {
				t.Errorf("%s: the run is late by %q, want %q", tc.reason, got, tc.run)
			}
		})
	}
}

func TestWaited(t *testing.T) {
	t.Parallel()
	src := forecast(t, estimated(wikiPlan()), time.Minute)
	src.Now = src.State.At.Add(time.Minute)
	driven := BuildRun(src)
	src.Info.Owner = nil
	alone := BuildRun(src)
	if alone.Waited-driven.Waited != minutes(1) {
		t.Errorf("driven it has waited %s, and %s with nobody for a minute", driven.Waited, alone.Waited)
	}
	if alone.Operations[0].Late != nil || alone.Operations[0].Took != 0 {
		t.Errorf("nobody drives it, and %+v is late", alone.Operations[0])
	}
}
