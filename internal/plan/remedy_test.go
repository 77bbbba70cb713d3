package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withIssues is a world with remedyStages and known issues; remedy is what stands
// below the key step of one.
func withIssues(remedy string) world {
	w := one("issues: issues.yaml\n" + remedyStages)
	w.files["issues.yaml"] = `apiVersion: refit.dev/v1alpha1
kind: Issues
issues:
  exists:
    match: {text: it exists already}
    explanation: It is there.
    benign: '${observe.release.tokens == 0}'
    source: {note: the manual}
    failing:
      - {message: it exists already, observe: {release: {tokens: 0}}, benign: true}
      - {message: it exists already}
    passing: [{message: it is gone}]
  locked:
    match: {text: the lock is held}
    explanation: Somebody holds the lock.
    remedy:
      suggest: Ask them.
      step: ` + remedy + `
    source: {note: the manual}
    failing: [{message: the lock is held}]
    passing: [{message: the lock is free}]
`
	return w
}

const remedyStages = `stages:
  - id: one
    steps:
      stop: {phase: quiesce, action: test.stop, lease: {until: stage}, quiesces: [db], downtime: [hub]}
      dump: {phase: backup, action: test.dump, covers: [db]}
      go: {phase: upgrade, action: test.change, changes: [db]}
      see: {phase: verify, action: test.look, with: {}}
  - id: two
    steps:
      more: {phase: upgrade, action: test.change}
`

func TestRemedies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, remedy string
		one, two       []string
		findings       []string
	}{
		"Harmless": {
			reason: "A remedy that damages nothing stands in every stage, behind the steps of its phase.",
			remedy: `{action: test.change, with: {user: "${inputs.name}", version: "${observe.release.version}"}, max: 2}`,
			one:    []string{"stop", "dump", "go", "remedy/locked", "see"},
			two:    []string{"more", "remedy/locked"},
		},
		"Covered": {
			reason:   "One that may damage data stands only where a backup covers that.",
			remedy:   `{action: test.change, changes: [db], downtime: [db], max: 2}`,
			one:      []string{"stop", "dump", "go", "remedy/locked", "see"},
			two:      []string{"more"},
			findings: []string{"remedy/locked two RemedyLeftOut"},
		},
		"NotNeeded": {
			reason: "One whose condition is false is left out.",
			remedy: `{action: test.change, when: '${observe.release.tokens == 0}', max: 2}`,
			one:    []string{"stop", "dump", "go", "see"},
			two:    []string{"more"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := withIssues(tc.remedy).must(t)
			if diff := cmp.Diff(tc.one, ids(p.Stages[0].Steps)); diff != "" {
				t.Errorf("%s\nstage one (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.two, ids(p.Stages[1].Steps)); diff != "" {
				t.Errorf("%s\nstage two (-want +got):\n%s", tc.reason, diff)
			}
			var findings []string
			for _, f := range p.Findings {
				if strings.HasPrefix(f.Name, "remedy/") {
					findings = append(findings, f.Name+" "+f.Stage+" "+f.Reason)
				}
			}
			if diff := cmp.Diff(tc.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRemedyPredictsNothing checks that what is taken only after a failure changes
// no prediction, and yet is a part of what is approved.
func TestRemedyPredictsNothing(t *testing.T) {
	t.Parallel()
	without := withIssues(`{action: test.change, when: false, max: 1}`).must(t)
	with := withIssues(`{action: test.change, downtime: [hub], max: 1}`).must(t)
	a, b := without.Summary, with.Summary
	if diff := cmp.Diff(a.Duration, b.Duration); diff != "" {
		t.Errorf("duration (-without +with):\n%s", diff)
	}
	if diff := cmp.Diff(a.Rollback, b.Rollback); diff != "" {
		t.Errorf("rollback (-without +with):\n%s", diff)
	}
	if diff := cmp.Diff(a.Downtime, b.Downtime); diff != "" {
		t.Errorf("downtime (-without +with):\n%s", diff)
	}
	if without.Stages[0].Digest == with.Stages[0].Digest {
		t.Error("a stage with a remedy has the digest of one without")
	}
	i := slices.IndexFunc(with.Stages[0].Steps, func(s Step) bool { return s.Remedy != nil })
	if diff := cmp.Diff(&Remedy{Issue: "locked", Max: 1}, with.Stages[0].Steps[i].Remedy); diff != "" {
		t.Errorf("remedy (-want +got):\n%s", diff)
	}
}

// TestIrreversibleRemedy checks that a remedy that cannot be taken back is a point
// of no return.
func TestIrreversibleRemedy(t *testing.T) {
	t.Parallel()
	p := withIssues(`{action: test.burn, reversible: "no: it burns", max: 1}`).must(t)
	r := p.Summary.PointOfNoReturn
	if r == nil || r.Step != "remedy/locked" {
		t.Errorf("point of no return: %+v", r)
	}
}

// TestBenignIsApproved checks that whoever approves a stage approves what lets its
// steps pass, and that words for people change nothing there.
func TestBenignIsApproved(t *testing.T) {
	t.Parallel()
	p := withIssues(`{action: test.change, max: 1}`).must(t)
	before := p.Stages[1].Digest
	p.Issues[0].Explanation, p.Issues[0].Source.Note, p.Issues[1].Text = "Other words.", "elsewhere", "the lock is kept"
	if err := seal(p); err != nil {
		t.Fatal(err)
	}
	if p.Stages[1].Digest != before {
		t.Error("words for people changed the digest of a stage")
	}
	p.Issues[0].Benign = "true"
	if err := seal(p); err != nil {
		t.Fatal(err)
	}
	if p.Stages[1].Digest == before {
		t.Error("another condition did not change the digest of a stage")
	}
}
