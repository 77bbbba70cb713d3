package service_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

func TestCheckCarriesOutAllPreflights(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": platformFile, "login.txt": "ana:x", "procedure.yaml": procedureFile(
			`      good: {phase: preflight, action: test.peek, with: {path: login.txt}}`,
			`      weak: {phase: preflight, action: test.peek, with: {mode: fail}}`,
			`      unsure: {phase: preflight, action: test.peek, with: {mode: undecided}}`,
			`      shut: {phase: preflight, action: test.peek, with: {mode: refuse}}`,
			`      later: {phase: preflight, action: test.peek, with: {path: "${steps.first.output.text}"}, needs: [first]}`,
		),
	})
	result := w.check(t, service.CheckRequest{Plan: service.PlanRequest{Platform: w.path("platform.yaml")}})
	got := map[string]string{}
	for _, f := range result.Findings {
		got[f.Step] = string(f.Outcome) + " " + f.Reason + ": " + f.Message + " / " + f.Remedy
	}
	want := map[string]string{
		"good":   "pass CheckPassed: test.peek@1 found what it looked for / ",
		"weak":   "fail CheckFailed: the password is weak / ",
		"unsure": `unknown CheckUndecided: the observation ended as "unknown" / `,
		"shut":   "unknown Refused: the door is shut / ask politely",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if !result.Verdict.Blocked || result.Verdict.Stale {
		t.Errorf("verdict %+v, want blocked and not stale", result.Verdict)
	}
}

// TestCheckTellsWhatItCannotAsk lets a fact fail that the stage expects
// nothing of: the plan is not stale, but nobody can say that all is well.
func TestCheckTellsWhatItCannotAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": platformFile, "login.txt": "ana:x", "other.txt": "x",
		"procedure.yaml": strings.Replace(procedureFile(), "stages:",
			"  other: {action: file.read, with: {path: other.txt}}\nstages:", 1),
	})
	if err := w.SavePlan(w.path("plan.json"), w.plan(t), false); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(w.path("other.txt")); err != nil {
		t.Fatal(err)
	}
	result := w.check(t, service.CheckRequest{PlanFile: w.path("plan.json"), PlatformFile: w.path("platform.yaml")})
	if want := (report.Verdict{Unknown: true}); result.Verdict != want {
		t.Errorf("verdict %+v, want %+v", result.Verdict, want)
	}
	var told int
	for _, f := range result.Stages[0].Facts {
		if f.Fact == "other" && strings.Contains(f.Error, "other.txt") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the error is told %d times in %+v", told, result.Stages)
	}
}
