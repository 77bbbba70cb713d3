package service_test

import (
	"testing"

	"github.com/refitproject/refit/internal/service"
)

// TestWithheldWhilePlanning observes a fact with a program before anything that
// refers to the variable was resolved: the program does not inherit it.
func TestWithheldWhilePlanning(t *testing.T) {
	t.Parallel()
	const text = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: A procedure of a test.}
observe:
  program:
    action: exec.observe
    with: {command: [sh, -c, 'echo "it is $HUB_TOKEN."']}
stages:
  - id: only
    expects: {program.exitCode: 0}
    steps:
      changing:
        phase: prepare
        action: exec.command
        with:
          command: ["true"]
          secretEnv:
            A:
              env: HUB_TOKEN
        reversible: "no: it changes nothing"
`
	w := secretWorld(t, map[string]string{"platform.yaml": platformFile, "procedure.yaml": text})
	p := w.plan(t)
	program, _ := p.Facts["program"].(map[string]any)
	if program["stdout"] != "it is ." {
		t.Errorf("the program was given a secret: it printed %v", program["stdout"])
	}
	if err := w.SavePlan(w.path("plan.json"), p, false); err != nil {
		t.Fatal(err)
	}
	if result := w.check(t, service.CheckRequest{PlanFile: w.path("plan.json"), PlatformFile: w.path("platform.yaml")}); result.Verdict.Stale {
		t.Errorf("the plan is stale: %+v", result.Verdict)
	}
}
