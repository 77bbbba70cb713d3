package observe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/plan"
)

func TestHashesOfOtherKeysCannotBeCompared(t *testing.T) {
	t.Parallel()
	one, other := observe.NewHasher([]byte("one")), observe.NewHasher([]byte("other"))
	again := observe.NewHasher([]byte("one"))
	if one.Keyed("a") != again.Keyed("a") || one.Keyed("a") == one.Keyed("b") {
		t.Error("equal values must have equal hashes, and others must not")
	}
	cases := map[string]struct {
		reason             string
		expected, observed any
		explained          bool
	}{
		"SameKey":  {"The value really changed.", one.Keyed("a"), one.Keyed("b"), false},
		"OtherKey": {"Nobody can tell whether it changed.", one.Keyed("a"), other.Keyed("a"), true},
		"Plain":    {"There is no hash to compare.", one.Keyed("a"), "a", false},
		"Number":   {"Only texts are hashes.", int64(1), one.Keyed("a"), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := observe.OtherKey(plan.FactChange{Expected: tc.expected, Observed: tc.observed})
			if (got != "") != tc.explained {
				t.Errorf("%s got %q", tc.reason, got)
			}
		})
	}
}

func TestFindingsCountAsLongAsTheirAcceptances(t *testing.T) {
	t.Parallel()
	accepted := &plan.Accepted{By: "ada", Reason: "known", Expires: "2026-03-01"}
	p := &plan.Plan{Findings: []plan.Finding{
		{Name: "risk/loss", Stage: "s1", Outcome: plan.Fail, Accepted: accepted},
		{Name: "risk/loss", Stage: "s2", Outcome: plan.Fail},
		{Name: "coverage/db", Outcome: plan.Warn},
		{Name: "requirement/kube", Stage: "s1", Outcome: plan.Fail, Accepted: accepted},
	}}
	stage := &plan.Stage{ID: "s1", Requires: []plan.Requirement{
		{Name: "kube", Fact: "cluster.version", Constraint: ">=1.30", Scheme: "semver"},
	}}
	judge := func(now time.Time, version string) (blocking []string) {
		facts := map[string]any{"cluster": map[string]any{"version": version}}
		for _, f := range append(observe.PlanFindings(p, "s1", now), observe.Requirements(p, stage, facts, now)...) {
			if f.Blocks() {
				blocking = append(blocking, f.Name)
				if !strings.Contains(f.Message, "the acceptance by ada expired on 2026-03-01") {
					t.Errorf("%s does not say that the acceptance is over: %q", f.Name, f.Message)
				}
			}
		}
		return blocking
	}
	lastDay := time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC)
	if diff := cmp.Diff([]string(nil), judge(lastDay, "1.29.0")); diff != "" {
		t.Errorf("on the last day nothing blocks (-want +got):\n%s", diff)
	}
	want := []string{"risk/loss", "requirement/kube"}
	if diff := cmp.Diff(want, judge(lastDay.Add(time.Hour), "1.29.0")); diff != "" {
		t.Errorf("the day after both block (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"risk/loss"}, judge(lastDay.Add(time.Hour), "1.30.2")); diff != "" {
		t.Errorf("a requirement that is met is judged anew (-want +got):\n%s", diff)
	}
}
