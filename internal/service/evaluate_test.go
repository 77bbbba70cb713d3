package service_test

import (
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/service"
)

// TestPlaceOfAFailedExpressionIsSaidOnce makes sure that the place stands at the
// head of the line only, with the remedy at its end.
func TestPlaceOfAFailedExpressionIsSaidOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": platformFile,
		"n.json":        `{"n": 0}`,
		"procedure.yaml": `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: Divides by a fact.}
observe:
  number: {action: file.read, with: {path: n.json, format: json}}
  next: {action: file.read, with: {path: "${string(1 / int(observe.number.value.n))}"}}
stages:
  - id: only
    expects: {next.exists: true}
    steps: {look: {phase: verify, action: file.read, with: {path: n.json}}}
`,
	})
	_, err := w.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
	if err == nil {
		t.Fatal("a division by zero was planned")
	}
	text := err.Error()
	if strings.Count(text, "procedure.yaml:6:") != 1 || !strings.Contains(text, "test the divisor before") {
		t.Errorf("got %q, want the place once and what to do", text)
	}
}
