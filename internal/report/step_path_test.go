package report

import (
	"testing"

	"github.com/refitproject/refit/internal/run"
)

// TestStepPath names steps in events as people write them.
func TestStepPath(t *testing.T) {
	t.Parallel()
	for want, op := range map[string]run.Ref{
		"one/install":                 {What: run.Do, Stage: "one", Step: "install"},
		"one/install[a]":              {What: run.Do, Stage: "one", Step: "install", Member: "a"},
		"one/abort/serve":             {What: run.Do, Stage: "one/abort", Step: "abort/serve"},
		"release of one/abort/serve":  {What: run.Release, Stage: "one/abort", Step: "abort/serve"},
		"one/abort/install":           {What: run.Do, Stage: "one/abort", Step: "install"},
		"check of the facts of one":   {What: run.Check, Stage: "one"},
		"restore of db from one/save": {What: run.Restore, Stage: "one", Step: "save", Component: "db"},
	} {
		line, err := BuildEvent("r", run.Event{Seq: 1, Body: &run.OperationStarted{Op: op, Attempt: 1}})
		if err != nil || line.Where != want {
			t.Errorf("%+v is called %q, want %q (%v)", op, line.Where, want, err)
		}
	}
	for reason, want := range map[string]string{
		"": "on request", "Requested": "on request", "WindowClosed": "its window has closed", "wait for me": "wait for me",
	} {
		if got := reasonText(reason); got != want {
			t.Errorf("%q is %q, want %q", reason, got, want)
		}
	}
}
