package report

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/plan"
)

func hubCheck() CheckResult {
	r := CheckResult{
		Platform: "hub-prod", Digest: digestOf("hub-prod root"),
		Targets: []TargetCheck{
			{Name: "cluster", Kind: "kubernetes", Expected: "kube-system/7d0c9a2e", Observed: "kube-system/7d0c9a2e"},
			{Name: "config", Kind: "git", Expected: "root 9f8e7d6c5b4a", Observed: "root 111122223333"},
			{Name: "store", Kind: "s3", Expected: "bucket-7", Error: "connection refused: is the store up?"},
		},
		Stages: []StageCheck{
			{ID: "to-2.0.0", Facts: []FactCheck{
				{Fact: "release.chart.version", Status: FactChanged, Expected: "1.2.0", Observed: "1.2.1"},
				{Fact: "cluster.version", Status: AsExpected, Expected: "1.24.17", Observed: "1.24.17"},
				{Fact: "database.migration", Status: FactChanged, ExpectedAbsent: true, Observed: "running"},
				{Fact: "database.size", Status: FactUnknown, Expected: 12, Error: "timeout after 10s"},
			}},
			{ID: "to-3.3.8", Facts: []FactCheck{{Fact: "release.chart.version", Status: Later, Expected: "2.0.0"}}},
			{ID: "clean", Facts: []FactCheck{{Fact: "homes.count", Status: AsExpected, Expected: 37, Observed: 37}}},
			{ID: "nothing"},
		},
		Findings: hubFindings(),
	}
	r.Verdict = r.Conclude()
	return r
}

func TestCheckTextGolden(t *testing.T) {
	t.Parallel()
	goldenLayouts(t, "check", func(w io.Writer, o TextOptions) error { return CheckText(w, hubCheck(), o) })
}

func TestCheckTextFullGolden(t *testing.T) {
	t.Parallel()
	golden(
		t,
		"check.full",
		render(t, func(w io.Writer) error { return CheckText(w, hubCheck(), TextOptions{Full: true}) }),
	)
}

func TestCheckTextOneLine(t *testing.T) {
	t.Parallel()
	got := render(t, func(w io.Writer) error { return CheckText(w, hubCheck(), TextOptions{Width: 1000}) })
	for _, want := range []string{
		"fact release.chart.version changed: expected \"1.2.0\", observed \"1.2.1\"\n",
		"fact database.migration changed: expected nothing, observed \"running\"\n",
		"fact database.size could not be observed: timeout after 10s\n",
		"target config is another one: planned for \"root 9f8e7d6c5b4a\", found \"root 111122223333\"\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("line %q is missing in:\n%s", want, got)
		}
	}
}

func TestConclude(t *testing.T) {
	t.Parallel()
	facts := func(s FactStatus) []StageCheck {
		return []StageCheck{{ID: "s", Facts: []FactCheck{{Fact: "f", Status: s}}}}
	}
	cases := map[string]struct {
		reason string
		result CheckResult
		want   Verdict
		text   string
	}{
		"Nothing": {
			"no facts and no findings stop nothing",
			CheckResult{},
			Verdict{},
			"Everything is as the plan expects.",
		},
		"AsExpected": {
			"an expected fact stops nothing",
			CheckResult{Stages: facts(AsExpected)},
			Verdict{},
			"Everything",
		},
		"Later": {"a fact to come stops nothing", CheckResult{Stages: facts(Later)}, Verdict{}, "Everything"},
		"Changed": {
			"a changed fact makes it stale",
			CheckResult{Stages: facts(FactChanged)},
			Verdict{Stale: true},
			"The plan is stale.",
		},
		"Unknown": {
			"an unknown fact is no difference",
			CheckResult{Stages: facts(FactUnknown)},
			Verdict{Unknown: true},
			"Not everything could be asked.",
		},
		"Target": {
			"another target makes it stale",
			CheckResult{Targets: []TargetCheck{{Expected: "a", Observed: "b"}}},
			Verdict{Stale: true},
			"The plan is stale.",
		},
		"TargetUnknown": {
			"a target that cannot be identified is no difference",
			CheckResult{Targets: []TargetCheck{{Error: "refused"}}},
			Verdict{Unknown: true},
			"Not everything could be asked.",
		},
		"Blocked": {
			"a failed check blocks",
			CheckResult{Findings: []plan.Finding{{Outcome: plan.Fail}}},
			Verdict{Blocked: true},
			"The plan is blocked.",
		},
		"Accepted": {
			"an accepted one does not",
			CheckResult{Findings: []plan.Finding{{Outcome: plan.Fail, Accepted: &plan.Accepted{By: "a"}}}},
			Verdict{},
			"Everything",
		},
		"Both": {
			"both are told",
			CheckResult{Stages: facts(FactChanged), Findings: []plan.Finding{{Outcome: plan.UnknownOutcome}}},
			Verdict{Stale: true, Blocked: true},
			"stale and blocked",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, tc.result.Conclude()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			got := render(t, func(w io.Writer) error { return CheckText(w, tc.result, TextOptions{}) })
			if !strings.Contains(got, tc.text) {
				t.Errorf("%s: %q is missing in:\n%s", tc.reason, tc.text, got)
			}
		})
	}
}

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(hubCheck())
	if err != nil {
		t.Fatal(err)
	}
	var back CheckResult
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Verdict{Stale: true, Unknown: true, Blocked: true}, back.Verdict); diff != "" {
		t.Errorf("verdict is lost on the way through JSON (-want +got):\n%s", diff)
	}
}
