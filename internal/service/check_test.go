package service_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
