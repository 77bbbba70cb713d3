package report

import (
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

// anyText draws texts as they come from files: words, wide signs, escape
// sequences, very long names.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-z]{1,8}( [a-z]{1,12}){0,12}`),
		rapid.StringMatching(`[a-z/-]{40,200}`),
		rapid.StringOfN(rapid.RuneFrom([]rune("aé漢字😀👩\u200d🚀🇫🇷e\u0301\ufe0f \t\n\x1b[31m…→\u202e")), 0, 80, -1),
		rapid.String(),
	)
}

func anyStep(r *rapid.T) plan.Step {
	text := anyText()
	names := rapid.SliceOfN(text, 0, 4)
	s := plan.Step{
		ID:          text.Draw(r, "id"),
		Description: text.Draw(r, "description"),
		Action:      text.Draw(r, "action"),
		Phase:       rapid.SampledFrom(plan.Phases()).Draw(r, "phase"),
		Effect: rapid.SampledFrom([]action.Effect{action.ReadOnly, action.Scratch, action.Mutating}).
			Draw(r, "effect"),
		Reversible:   rapid.SampledFrom([]plan.Reversible{"none", "undo", "restore", "no"}).Draw(r, "reversible"),
		Needs:        names.Draw(r, "needs"),
		Changes:      names.Draw(r, "changes"),
		Covers:       names.Draw(r, "covers"),
		Irreversibly: text.Draw(r, "why"),
		Skip:         rapid.SampledFrom([]string{"", "", "x"}).Draw(r, "skip"),
		Estimate: plan.Estimate{
			Typical: plan.Duration(rapid.Int64().Draw(r, "typical")),
			Known:   rapid.Bool().Draw(r, "known"),
		},
		Deferred: []plan.Deferred{{Path: "/" + text.Draw(r, "path"), Text: text.Draw(r, "text")}},
		Preview:  &action.Preview{Summary: text.Draw(r, "preview"), Diff: text.Draw(r, "diff")},
		Lease:    &plan.StepLease{Until: "steps", Steps: []string{text.Draw(r, "until")}, OnFailure: "hold"},
	}
	return s
}

func anyPlan(r *rapid.T) *plan.Plan {
	text := anyText()
	p := &plan.Plan{Platform: text.Draw(r, "platform"), Digest: text.Draw(r, "digest")}
	p.Targets = []plan.Target{{Name: text.Draw(r, "target"), Identity: text.Draw(r, "identity")}}
	p.Findings = []plan.Finding{{
		Name: text.Draw(r, "finding"), Message: text.Draw(r, "message"), Remedy: text.Draw(r, "remedy"),
		Outcome: rapid.SampledFrom([]plan.Outcome{plan.Pass, plan.Warn, plan.Fail}).Draw(r, "outcome"),
	}}
	for range rapid.IntRange(0, 3).Draw(r, "stages") {
		s := plan.Stage{ID: text.Draw(r, "stage"), Description: text.Draw(r, "description")}
		for range rapid.IntRange(0, 4).Draw(r, "steps") {
			s.Steps = append(s.Steps, anyStep(r))
		}
		s.Expects = []plan.Expect{{Fact: text.Draw(r, "fact"), Value: text.Draw(r, "value")}}
		s.Coverage = []plan.Coverage{
			{
				Component: text.Draw(r, "component"),
				ChangedBy: []string{text.Draw(r, "by")},
				Backups:   []string{text.Draw(r, "backup")},
			},
		}
		s.Leases = []plan.Lease{
			{Step: text.Draw(r, "lease"), StepLease: plan.StepLease{Until: "run"}, Quiesces: []string{text.Draw(r, "quiesces")}},
		}
		p.Stages = append(p.Stages, s)
	}
	if n := len(p.Stages); n > 0 && len(p.Stages[n-1].Steps) > 0 {
		s := p.Stages[n-1]
		p.Summary.PointOfNoReturn = &plan.PointOfNoReturn{
			Stage: s.ID,
			Step:  s.Steps[0].ID,
			Why:   text.Draw(r, "noReturn"),
		}
	}
	return p
}

func TestTextsKeepTheirWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		older, newer := anyPlan(r), anyPlan(r)
		opts := TextOptions{
			Width: rapid.IntRange(40, 160).Draw(r, "width"), Full: rapid.Bool().Draw(r, "full"),
		}
		check := CheckResult{Platform: older.Platform, Findings: older.Findings, Stages: []StageCheck{
			{
				ID: newer.Platform,
				Facts: []FactCheck{
					{Fact: older.Digest, Status: FactChanged, Expected: older.Digest, Observed: newer.Digest},
				},
			},
		}}
		for _, write := range []func(io.Writer) error{
			func(w io.Writer) error { return PlanText(w, newer, opts) },
			func(w io.Writer) error { return DiffText(w, PlanDiff(older, newer), opts) },
			func(w io.Writer) error { return CheckText(w, check, opts) },
		} {
			checkLines(r, renderRapid(r, write), opts)
		}
	})
}

func renderRapid(r *rapid.T, write func(io.Writer) error) string {
	var b writerFunc
	if err := write(&b); err != nil {
		r.Fatalf("render: %v", err)
	}
	return string(b)
}

// writerFunc collects what is written.
type writerFunc []byte

func (b *writerFunc) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}
