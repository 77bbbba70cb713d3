package report

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

// laterHubPlan is hubPlan after it was made again a week later: the second
// stage goes further, a step came, one went, a fact and a finding changed.
func laterHubPlan() *plan.Plan {
	p := hubPlan()
	p.Digest = digestOf("hub-prod root, a week later")
	p.Path.To, p.Path.Hops[1].To = "3.3.9", "3.3.9"
	p.Inputs["url"] = "https://jupyter.example.org"
	p.Targets[1].Identity = "root 1a2b3c4d5e6f"
	s := &p.Stages[1]
	s.Digest = digestOf("stage, a week later")
	s.Hop.To = "3.3.9"
	s.Expects[1].Value = "1.25.3"
	s.Estimate = estimate(50, 120)
	for i := range s.Steps {
		if s.Steps[i].ID == "upgrade" {
			s.Steps[i].With = map[string]any{"release": "hub", "version": "3.3.9", "wait": true}
			s.Steps[i].Estimate = estimate(5, 12)
		}
	}
	s.Steps = s.Steps[:len(s.Steps)-1]
	s.Steps = append(s.Steps, plan.Step{
		ID: "orphans", Phase: plan.Cleanup, Action: "kube.delete@1", Effect: action.Mutating,
		Reversible: plan.ReversibleUndo, Estimate: estimate(1, 2),
	})
	p.Findings[3].Accepted = &plan.Accepted{By: "bob", Reason: "users know", Expires: "2026-12-31"}
	p.Findings = append(p.Findings[:4:4], p.Findings[5])
	p.Findings = append(
		p.Findings,
		plan.Finding{Name: "risk/slugs", Stage: "to-3.3.8", Outcome: plan.Warn, Message: "Homes get new names."},
	)
	p.Summary.Duration = estimate(94, 232)
	p.Summary.Downtime[0].Typical = minutes(37)
	return p
}

func TestDiffTextGolden(t *testing.T) {
	t.Parallel()
	d := PlanDiff(hubPlan(), laterHubPlan())
	goldenLayouts(t, "diff", func(w io.Writer, o TextOptions) error { return DiffText(w, d, o) })
}

func TestDiffJSONGolden(t *testing.T) {
	t.Parallel()
	data, err := json.MarshalIndent(PlanDiff(hubPlan(), laterHubPlan()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "diff.json", string(data)+"\n")
}

func TestPlanDiff(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		change func(older, newer *plan.Plan)
		want   Diff
	}{
		"Same": {
			reason: "equal plans differ in nothing",
			change: func(_, _ *plan.Plan) {},
			want:   Diff{Equal: true, Stages: []StageDiff{{ID: "main", Op: Unchanged, ApprovalsSurvive: true}}},
		},
		"ReadFromFile": {
			reason: "a number that was read from a file is the number that was built",
			change: func(older, newer *plan.Plan) {
				older.Inputs = map[string]any{"n": int64(3)}
				newer.Inputs = map[string]any{"n": float64(3)}
			},
			want: Diff{Equal: true, Stages: []StageDiff{{ID: "main", Op: Unchanged, ApprovalsSurvive: true}}},
		},
		"Estimate": {
			reason: "a prediction is shown, but approvals survive it",
			change: func(_, newer *plan.Plan) { newer.Stages[0].Steps[1].Estimate = estimate(0.5, 1) },
			want: Diff{Equal: true, Stages: []StageDiff{
				{
					ID:               "main",
					Op:               Unchanged,
					ApprovalsSurvive: true,
					Steps: []StepDiff{
						{
							ID:     "write-banner",
							Op:     Changed,
							Phase:  plan.Upgrade,
							Action: "exec.command@1",
							Changes: []FieldChange{
								{
									Op:   Changed,
									Path: "/estimate/typical",
									Name: "estimate.typical",
									Old:  "12s",
									New:  "30s",
								},
							},
						},
					},
				},
			}},
		},
		"Inputs": {
			reason: "a changed, a new and a lost input are told apart; names are escaped in pointers",
			change: func(older, newer *plan.Plan) {
				older.Inputs = map[string]any{"a/b": "x", "lost": []any{1}}
				newer.Inputs = map[string]any{"a/b": "y", "new": true}
			},
			want: Diff{
				Equal:  true,
				Stages: []StageDiff{{ID: "main", Op: Unchanged, ApprovalsSurvive: true}},
				Changes: []FieldChange{
					{Op: Changed, Path: "/inputs/a~1b", Name: "inputs.a/b", Decisive: true, Old: "x", New: "y"},
					{
						Op:       Removed,
						Path:     "/inputs/lost",
						Name:     "inputs.lost",
						Decisive: true,
						Old:      []any{json.Number("1")},
					},
					{Op: Added, Path: "/inputs/new", Name: "inputs.new", Decisive: true, New: true},
				},
			},
		},
		"Expects": {
			reason: "facts are called by their names and point to their index",
			change: func(older, newer *plan.Plan) {
				older.Stages[0].Expects = []plan.Expect{{Fact: "a", Value: 1}, {Fact: "b", Value: 1}}
				newer.Stages[0].Expects = []plan.Expect{{Fact: "c", Value: 1}, {Fact: "b", Value: 2}}
				newer.Stages[0].Digest = digestOf("other")
			},
			want: Diff{Equal: true, Stages: []StageDiff{{ID: "main", Op: Changed, Changes: []FieldChange{
				{
					Op:       Added,
					Path:     "/expects/0",
					Name:     "expects[c]",
					Decisive: true,
					New:      map[string]any{"fact": "c", "value": json.Number("1")},
				},
				{
					Op:       Changed,
					Path:     "/expects/1/value",
					Name:     "expects[b].value",
					Decisive: true,
					Old:      json.Number("1"),
					New:      json.Number("2"),
				},
				{
					Op:       Removed,
					Path:     "/expects/0",
					Name:     "expects[a]",
					Decisive: true,
					Old:      map[string]any{"fact": "a", "value": json.Number("1")},
				},
			}}}},
		},
		"Reordered": {
			reason: "members of a list that changed places only are a change of the list",
			change: func(older, newer *plan.Plan) {
				older.Targets = []plan.Target{{Name: "a"}, {Name: "b"}}
				newer.Targets = []plan.Target{{Name: "b"}, {Name: "a"}}
			},
			want: Diff{
				Equal:  true,
				Stages: []StageDiff{{ID: "main", Op: Unchanged, ApprovalsSurvive: true}},
				Changes: []FieldChange{
					{
						Op:       Changed,
						Path:     "/targets",
						Name:     "targets",
						Decisive: true,
						Old: normal(
							[]plan.Target{{Name: "a"}, {Name: "b"}},
						),
						New: normal([]plan.Target{{Name: "b"}, {Name: "a"}}),
					},
				},
			},
		},
		"Stages": {
			reason: "a removed stage stands behind its predecessor",
			change: func(older, newer *plan.Plan) {
				older.Stages = []plan.Stage{
					{ID: "one", Digest: "1"},
					{ID: "gone", Digest: "2"},
					{ID: "three", Digest: "3"},
				}
				newer.Stages = []plan.Stage{
					{ID: "one", Digest: "1"},
					{ID: "three", Digest: "4"},
					{ID: "four", Digest: "5"},
				}
				newer.Digest = digestOf("other")
			},
			want: Diff{Stages: []StageDiff{
				{ID: "one", Op: Unchanged, ApprovalsSurvive: true},
				{ID: "gone", Op: Removed},
				{ID: "three", Op: Changed},
				{ID: "four", Op: Added},
			}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			older, newer := tinyPlan(), tinyPlan()
			tc.change(older, newer)
			got := PlanDiff(older, newer)
			ignoreRefs := cmp.FilterPath(func(p cmp.Path) bool {
				last := p.Last().String()
				return last == ".OldDigest" || last == ".NewDigest" || p.String() == "Old" || p.String() == "New"
			}, cmp.Ignore())
			if diff := cmp.Diff(tc.want, got, ignoreRefs); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestValuePairKeepsDifference(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("the same words ", 40)
	a, b := valuePair(long+"one", long+"two")
	if a == b || !strings.Contains(a, "one") || !strings.Contains(b, "two") {
		t.Errorf("the difference of long values is hidden: %q and %q", a, b)
	}
	if width(a) > valueLimit || width(b) > valueLimit {
		t.Errorf("values are not shortened: %d and %d columns", width(a), width(b))
	}
}
