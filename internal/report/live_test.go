package report

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
	"github.com/refitproject/refit/internal/run"
)

// screen is all that a live view shows of a run, with the rows that it has.
func screen(w io.Writer, v *RunView, o LiveOptions, opts TextOptions) error {
	if err := LiveHeadText(w, v, opts); err != nil {
		return err
	}
	rows := LiveRows(v, o)
	for i := range rows {
		if err := LiveRowText(w, v, &rows[i], opts); err != nil {
			return err
		}
	}
	const most = 6
	return LiveFootText(w, v, most, opts)
}

func TestLive(t *testing.T) {
	t.Parallel()
	for name, src := range scenes(t) {
		v := BuildRun(src)
		var b strings.Builder
		for _, layout := range []string{"60", "80", "ascii", "marked"} {
			opts := layouts()[layout]
			if layout == "marked" {
				opts = TextOptions{Width: 100, Style: markers{}}
			}
			fmt.Fprintf(&b, "── %s\n%s", layout, render(t, func(w io.Writer) error {
				return screen(w, &v, LiveOptions{}, opts)
			}))
		}
		golden(t, "live/"+name, b.String())
	}
}

// TestLiveHelp tests the text of the key ?.
func TestLiveHelp(t *testing.T) {
	t.Parallel()
	golden(t, "live-help", render(t, func(w io.Writer) error {
		return LiveHelpText(w, []LiveKey{{"up down", "Move."}, {"enter", "Show what there is to know of a step."}},
			TextOptions{Width: 60})
	}))
}

// long is a run of a stage with n steps, of which the one numbered at is under way,
// and of a stage that is ahead.
func long(n, at int) *RunView {
	v := &RunView{RunInfo: RunInfo{ID: "long-1", Status: run.Running}}
	first := StageView{ID: "first", Number: 1, Part: run.PartWorking, Current: true}
	for i := range n {
		s := StepView{ID: fmt.Sprintf("step-%05d", i), Phase: plan.Upgrade, Action: "exec.command@1", Status: run.StepPending}
		switch {
		case i < at:
			s.Status = run.StepSucceeded
		case i == at:
			s.Status = run.StepRunning
		}
		first.Steps = append(first.Steps, s)
	}
	second := StageView{ID: "second", Number: 2, Part: run.PartAhead, Steps: []StepView{
		{ID: "tidy", Phase: plan.Cleanup, Action: "file.delete@1", Status: run.StepPending},
	}}
	v.Stages = []StageView{first, second}
	return v
}

// ids are the names of rows.
func ids(rows []LiveRow) []string {
	var out []string
	for i := range rows {
		out = append(out, rows[i].ID())
	}
	return out
}

func TestLiveRows(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		view   *RunView
		opts   LiveOptions
		want   []string
	}{
		"Few": {
			reason: "A stage with few steps is shown with all of them, one that is ahead is closed.",
			view:   long(3, 1),
			want:   []string{"first", "first//upgrade", "first/step-00000", "first/step-00001", "first/step-00002", "second"},
		},
		"Many": {
			reason: "Of very many steps those are shown that are under way, and those next to them.",
			view:   long(10_000, 5000),
			want: []string{
				"first", "first//upgrade", "first/step-04998", "first/step-04999", "first/step-05000", "first/step-05001",
				"first/step-05002", "first//folded/upgrade", "second",
			},
		},
		"Closed": {
			reason: "A person closes one stage and opens another.",
			view:   long(3, 1),
			opts:   LiveOptions{Fold: map[string]LiveFold{"first": FoldClosed, "second": FoldOpen}},
			want:   []string{"first", "second", "second//cleanup", "second/tidy"},
		},
		"Filter": {
			reason: "Each word is looked for in names, actions, phases and states, whatever is folded.",
			view:   long(10_000, 5000),
			opts:   LiveOptions{Filter: "Running upgrade", Fold: map[string]LiveFold{"first": FoldClosed}},
			want:   []string{"first", "first/step-05000"},
		},
		"FilterByAction": {
			reason: "A stage of which nothing is found is not shown.",
			view:   long(3, 1),
			opts:   LiveOptions{Filter: "file.delete"},
			want:   []string{"second", "second/tidy"},
		},
		"FilterFindsNothing": {
			reason: "Nothing is shown when nothing is found.",
			view:   long(3, 1),
			opts:   LiveOptions{Filter: "no-such-step"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, ids(LiveRows(tc.view, tc.opts))); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
	if rows := LiveRows(long(10_000, 5000), LiveOptions{Fold: map[string]LiveFold{"first": FoldOpen}}); len(rows) != 10_003 {
		t.Errorf("opened, there are %d rows, want 10,003", len(rows))
	}
}

// TestLiveWidth draws runs with any texts and checks that each row is one line, no
// wider than the screen.
func TestLiveWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := anyText()
		v := long(rapid.IntRange(0, 4).Draw(r, "steps"), 1)
		v.ID, v.Headline, v.Platform, v.Path = text.Draw(r, "run"), text.Draw(r, "headline"), text.Draw(r, "platform"), "1 → 2"
		v.Gates = []GateView{{Stage: text.Draw(r, "stage"), Name: text.Draw(r, "gate"), Question: text.Draw(r, "question")}}
		v.Leases = []LeaseView{{Stage: text.Draw(r, "lease"), Failed: text.Draw(r, "failed")}}
		for i := range v.Stages[0].Steps {
			s := &v.Stages[0].Steps[i]
			s.ID, s.Message, s.Action = text.Draw(r, "id"), text.Draw(r, "message"), text.Draw(r, "action")
		}
		opts := TextOptions{Width: rapid.IntRange(40, 200).Draw(r, "width"), ASCII: rapid.Bool().Draw(r, "ascii")}
		rows := LiveRows(v, LiveOptions{})
		for i := range rows {
			var b strings.Builder
			if err := LiveRowText(&b, v, &rows[i], opts); err != nil {
				r.Fatal(err)
			}
			if n := strings.Count(b.String(), "\n"); n != 1 {
				r.Fatalf("row %q has %d lines: %q", rows[i].ID(), n, b.String())
			}
		}
		var b strings.Builder
		if err := screen(&b, v, LiveOptions{}, opts); err != nil {
			r.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := width(strings.TrimSuffix(line, "\n")); n > opts.Width {
				r.Fatalf("%d columns, more than %d: %q", n, opts.Width, line)
			}
		}
	})
}

// TestStepDetail tests what there is to know of one step.
func TestStepDetail(t *testing.T) {
	t.Parallel()
	all := scenes(t)
	var b strings.Builder
	for _, c := range [][3]string{
		{"running", "to-2.0.0", "upgrade"}, {"halted", "to-2.0.0", "upgrade"}, {"running", "to-2.4.1", "drop-old"},
	} {
		src := all[c[0]]
		v := BuildRun(src)
		d, ok := BuildStepDetail(src, &v, c[1], c[2])
		if !ok {
			t.Fatalf("there is no %v", c)
		}
		fmt.Fprintf(&b, "── %s\n%s", c[0], render(t, func(w io.Writer) error { return StepDetailText(w, d, TextOptions{Width: 80}) }))
	}
	golden(t, "step-detail", b.String())
	src := all["running"]
	v := BuildRun(src)
	if _, ok := BuildStepDetail(src, &v, "to-2.0.0", "no-such-step"); ok {
		t.Error("a step was found that does not exist")
	}
}

// TestLiveEnd tests what is said once the screen is gone.
func TestLiveEnd(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, name := range []string{"succeeded", "rolled-back"} {
		v := BuildRun(scenes(t)[name])
		v.Downtime = []DowntimeView{
			{Measured: probe.Measured{Component: "hub", Down: 3 * time.Second, Up: time.Minute, Outages: []probe.Outage{{}}}},
			{Measured: probe.Measured{Component: "proxy", Up: time.Minute}},
		}
		fmt.Fprintf(&b, "── %s\n%s", name, render(t, func(w io.Writer) error { return LiveEndText(w, &v, TextOptions{Width: 80}) }))
	}
	golden(t, "live-end", b.String())
}

func TestStuck(t *testing.T) {
	t.Parallel()
	want := map[string]bool{"in-doubt": true}
	for name, src := range scenes(t) {
		v := BuildRun(src)
		if got := v.Stuck(); got != want[name] {
			t.Errorf("%s is stuck: %t", name, got)
		}
	}
}

// TestLiveComponents tests what is said of components while a run goes on.
func TestLiveComponents(t *testing.T) {
	t.Parallel()
	v := long(3, 1)
	v.Looked = time.Date(2026, 11, 21, 9, 0, 30, 0, time.UTC)
	worst := plan.Estimate{Typical: plan.Duration(time.Second), Worst: plan.Duration(time.Minute), Known: true}
	v.Downtime = []DowntimeView{
		{Measured: probe.Measured{Component: "proxy", Up: time.Minute}},
		{Predicted: worst, Measured: probe.Measured{
			Component: "hub", Up: time.Minute, Down: 12 * time.Second,
			Outages: []probe.Outage{{From: v.Looked.Add(-10 * time.Second), Open: true}},
		}},
		{Measured: probe.Measured{Component: "homes"}},
		{Predicted: worst, Measured: probe.Measured{
			Component: "database", Up: time.Minute, Down: 1500 * time.Millisecond, Outages: []probe.Outage{{}},
		}},
	}
	golden(t, "live-components", render(t, func(w io.Writer) error {
		const most = 6
		return LiveFootText(w, v, most, TextOptions{Width: 80, Style: markers{}})
	}))
}

// TestLiveLate tests the row of a step that is late and tells its progress.
func TestLiveLate(t *testing.T) {
	t.Parallel()
	v := long(2, 0)
	v.Owner = &RunOwner{PID: 7}
	v.Looked = time.Date(2026, 11, 21, 9, 10, 0, 0, time.UTC)
	s := &v.Stages[0].Steps[0]
	s.Attempts, s.Most, s.Began = 2, 3, v.Looked.Add(-39*time.Second)
	v.Operations = []OperationView{{
		Stage: "first", Step: "step-00000", Took: plan.Duration(9 * time.Second), Rate: 40, Left: plan.Duration(22 * time.Second),
		LeftBy: LeftByRate, Progress: &action.Progress{Done: 320, Total: 1200, Unit: "rows"},
		Late: &LateView{By: plan.Duration(3 * time.Second), Beyond: BeyondTypical, Text: "3s longer than the 6s that it takes as a rule"},
	}}
	v.RunLate = &LateView{
		By: plan.Duration(6 * time.Second), Beyond: BeyondWorst,
		Text: "6s later than planned: the run was to take about 2m5s, at worst 6m16s, from 12 earlier runs of other platforms",
	}
	golden(t, "live-late", render(t, func(w io.Writer) error { return screen(w, v, LiveOptions{}, TextOptions{Width: 80}) }))
}
