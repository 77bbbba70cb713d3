package report

import (
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// anyRun draws a status whose texts are as they come from files and programs.
func anyRun(r *rapid.T) RunView {
	text := anyText()
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	estimate := plan.Estimate{Typical: minutes(4), Worst: minutes(12), Known: true, Source: plan.SourceRuns, Runs: 3}
	status := []run.StepStatus{run.StepPending, run.StepRunning, run.StepFailed, run.StepWaiting, run.StepSucceeded}
	v := RunView{
		RunInfo: RunInfo{
			ID: text.Draw(r, "id"), Platform: text.Draw(r, "platform"), Status: run.Halted, Created: at, Updated: at,
			By: text.Draw(r, "by"), Owner: &RunOwner{Host: "laptop"},
		},
		Headline: text.Draw(r, "headline"), Driven: text.Draw(r, "driven"), Looked: at.Add(time.Minute),
		StageEnds: &ForecastView{Unknown: text.Draw(r, "unknown")},
		RunEnds:   &ForecastView{Typical: minutes(4), Worst: minutes(12), Ends: at.Add(time.Hour), Latest: at.AddDate(0, 0, 2)},
		RunLate:   &LateView{By: minutes(1), Beyond: BeyondWorst, Text: text.Draw(r, "late")},
		Remains:   rapid.SliceOfN(text, 0, 12).Draw(r, "remains"),
		Operations: []OperationView{{
			Text: text.Draw(r, "operation"), Began: at, Deadline: at.Add(time.Hour), Expected: estimate,
			Progress: &action.Progress{Done: 1, Total: 2, Unit: text.Draw(r, "unit"), Note: text.Draw(r, "note")},
			Left:     minutes(1), LeftBy: LeftByEstimate,
		}},
		Gates: []GateView{{
			Stage: text.Draw(r, "stage"), Name: text.Draw(r, "gate"), Question: text.Draw(r, "question"),
			Command: "refit approve " + shellWord(text.Draw(r, "word")),
		}},
		Leases:   []LeaseView{{Stage: text.Draw(r, "leased"), Step: "s", Since: at}},
		Commands: []NextCommand{{Command: "refit retry " + shellWord(text.Draw(r, "retry")), Why: text.Draw(r, "why")}},
	}
	st := StageView{ID: text.Draw(r, "current"), Number: 1, Current: true, Part: run.PartWorking}
	for range rapid.IntRange(0, 5).Draw(r, "steps") {
		st.Steps = append(st.Steps, StepView{
			ID: text.Draw(r, "step"), Phase: plan.Upgrade, Status: rapid.SampledFrom(status).Draw(r, "status"),
			Wait: run.Wait(rapid.SampledFrom([]string{"", "credentials"}).Draw(r, "wait")), Message: text.Draw(r, "message"),
			Began: at, Ended: at.Add(time.Second), Held: rapid.Bool().Draw(r, "held"),
		})
	}
	v.Stages = []StageView{st}
	return v
}

func TestStatusKeepsItsWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		v := anyRun(r)
		opts := TextOptions{
			Width: rapid.IntRange(40, 160).Draw(r, "width"), Full: rapid.Bool().Draw(r, "full"),
		}
		checkLines(r, renderRapid(r, func(w io.Writer) error { return RunText(w, v, opts) }), opts)
		checkLines(r, renderRapid(r, func(w io.Writer) error { return RunStandsText(w, v, opts) }), opts)
	})
}
