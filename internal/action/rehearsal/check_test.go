package rehearsal_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/rehearsal"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

const digest = "sha256:5f1d7a1c9d1c4a62"

// now is that of actiontest.FolderWorld.
var now = time.Date(2026, time.November, 21, 2, 0, 0, 0, time.UTC)

// staging is the report of a rehearsal that counts.
func staging() report.Report {
	return report.Report{
		Form: report.Form, Ended: now.Add(-48 * time.Hour),
		Run: report.RunView{RunInfo: report.RunInfo{ID: "staging-1", Status: run.Succeeded, Head: "sha256:0a19"}},
		Rehearsal: report.RehearsalView{
			Digest:  digest,
			Targets: []report.RehearsalTarget{{Name: "cluster", Kind: "kubernetes", Identity: "kube-system:staging"}},
		},
	}
}

func world(t *testing.T, r report.Report) action.Env {
	t.Helper()
	env := actiontest.FolderWorld(t).Env
	env.Target = action.Target{Name: "cluster", Kind: "kubernetes", Identity: "kube-system:production"}
	data, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(filepath.Join(env.Dir, "rehearsal.json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func TestCheckSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: rehearsal.Check(), Examples: "testdata/check/*.yaml",
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			return actiontest.World{Env: world(t, staging())}
		},
	})
}

func input() map[string]any {
	return map[string]any{"report": "rehearsal.json", "digest": digest, "within": "720h"}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	obs, err := rehearsal.Check().Observe(t.Context(), world(t, staging()), input())
	if err != nil || obs.Status != action.Done || obs.Output["run"] != "staging-1" || obs.Output["ended"] != "2026-11-19T02:00:00Z" {
		t.Errorf("got %v, %v", obs, err)
	}
	for name, tc := range map[string]struct {
		reason string
		change func(r *report.Report)
		want   string
	}{
		"Halted": {
			"A rehearsal that went wrong proves that the upgrade does.",
			func(r *report.Report) { r.Run.Status = run.Halted }, "has not succeeded, it is Halted",
		},
		"RolledBack": {
			"Nor is the way back what was to be rehearsed.",
			func(r *report.Report) { r.Run.Status = run.RolledBack }, "has not succeeded, it is RolledBack",
		},
		"Other": {
			"Another procedure or path is another upgrade.",
			func(r *report.Report) { r.Rehearsal.Digest = "sha256:999" },
			"its digest for rehearsals is sha256:999, that of this plan sha256:5f1d7a1c9d1c",
		},
		"Before": {
			"Reports of programs that had no digest in them.",
			func(r *report.Report) { r.Rehearsal.Digest = "" }, "its digest for rehearsals is missing",
		},
		"Old": {
			"What was true in spring need not be in autumn.",
			func(r *report.Report) { r.Ended = now.Add(-31 * 24 * time.Hour) }, "31 days ago, and may be 30 days old",
		},
		"Future": {
			"One of the clocks is wrong, so that no age is known.",
			func(r *report.Report) { r.Ended = now.Add(time.Hour) }, "later than now",
		},
		"Here": {
			"The platform itself is no place to rehearse on.",
			func(r *report.Report) { r.Rehearsal.Targets[0].Identity = "kube-system:production" },
			"was on the target of this plan, kube-system:production",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := staging()
			tc.change(&r)
			obs, err := rehearsal.Check().Observe(t.Context(), world(t, r), input())
			if err != nil || obs.Status != action.Failed || !strings.Contains(obs.Reason, tc.want) {
				t.Errorf("%s: got %s (%s), %v", tc.reason, obs.Status, obs.Reason, err)
			}
		})
	}
}

func TestCheckFiles(t *testing.T) {
	t.Parallel()
	env := world(t, staging())
	in := input()
	in["report"] = "gone.json"
	obs, err := rehearsal.Check().Observe(t.Context(), env, in)
	if err != nil || obs.Status != action.Failed || !strings.Contains(obs.Reason, "refit report RUN --format json > gone.json") {
		t.Errorf("got %s (%s), %v", obs.Status, obs.Reason, err)
	}
	for content, want := range map[string]string{
		"":                                "NotAReport",
		"# A page of the wiki\n":          "NotAReport",
		`{"form": "refit.dev/report/v9"}`: "NotAReport",
	} {
		if err := os.WriteFile(filepath.Join(env.Dir, "gone.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := rehearsal.Check().Observe(t.Context(), env, in); action.ReasonOf(err) != want {
			t.Errorf("%q: got %v", content, err)
		}
	}
	in["report"] = "."
	if _, err := rehearsal.Check().Observe(t.Context(), env, in); action.ReasonOf(err) != "NotAReport" {
		t.Errorf("got %v", err)
	}
}

func TestCheckInput(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]map[string]any{
		`field "report" must be`:      {"report": ""},
		`field "digest" is "5f1d"`:    {"digest": "5f1d"},
		`field "within" must be posi`: {"within": "0s"},
	} {
		in := input()
		maps.Copy(in, change)
		if _, err := rehearsal.Check().Observe(t.Context(), world(t, staging()), in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
