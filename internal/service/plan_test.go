package service_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/service"
)

func TestPreviewsNeverStopAPlan(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"platform.yaml": platformFile, "login.txt": "ana:x", "procedure.yaml": procedureFile(
			`      slow: {phase: preflight, action: test.peek, with: {mode: wait}}`,
			`      quick: {phase: preflight, action: test.peek, with: {path: login.txt}}`,
			`      later: {phase: preflight, action: test.peek, with: {path: "${steps.first.output.text}"}, needs: [first]}`,
		),
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, files)
		p := w.plan(t)
		got := map[string]string{}
		for _, step := range p.Stages[0].Steps {
			if step.Preview != nil {
				got[step.ID] = step.Preview.Summary
			}
		}
		want := map[string]string{
			"slow": "no preview: no answer within 20s: context deadline exceeded", "quick": "peek",
			"first": `read file "ana"`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("previews (-want +got):\n%s", diff)
		}
	})
}

func TestObservationsEnd(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"platform.yaml":  platformFile,
		"procedure.yaml": strings.Replace(procedureFile(), "with: {path: login.txt}", "with: {mode: wait}", 1),
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, files)
		_, err := w.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
		want := `observe fact "login" with test.peek@1: no answer within 1m0s: context deadline exceeded`
		if err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	})
}

func TestCancelledPlanEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": platformFile, "procedure.yaml": procedureFile(), "login.txt": "ana:x",
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Plan(ctx, service.PlanRequest{Platform: w.path("platform.yaml")}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
	if n := w.events.count("observe "); n != 0 {
		t.Errorf("%d observations after the end", n)
	}
}

func TestPinnedIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml":  platformFile + "targets: {app: {kind: directory, path: app, identity: another}}\n",
		"procedure.yaml": strings.Replace(procedureFile(), "observe:", "targets: {app: {kind: directory}}\nobserve:", 1),
		"login.txt":      "ana:x", "app/x": "",
	})
	_, err := w.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
	var stale *service.StaleError
	if !errors.As(err, &stale) || !strings.Contains(err.Error(), `target "app" is not the one that the platform file names`) {
		t.Errorf("got error %v, want a *StaleError", err)
	}
}
