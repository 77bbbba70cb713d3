package report

import (
	"io"

	"github.com/refitproject/refit/internal/plan"
)

// StepDetail is one step of a run: what the plan says of it, and how far it has
// come.
type StepDetail struct {
	Run   string   `json:"run"`
	Stage string   `json:"stage"`
	State StepView `json:"state"`
	// Operations are those of the step that are under way.
	Operations []OperationView `json:"operations,omitempty"`
	// Planned is the step as the plan has it.
	Planned *plan.Step `json:"planned"`

	plan   *plan.Plan
	phases map[string]plan.Phase
	looked *RunView
}

// BuildStepDetail makes the view of a step; false when the run has no such step.
func BuildStepDetail(src RunSource, v *RunView, stage, step string) (StepDetail, bool) {
	b := newRunBuilder(&src)
	for i := range src.State.Stages {
		_, id, steps, _ := b.stageOfState(i)
		if id != stage {
			continue
		}
		d := StepDetail{Run: v.ID, Stage: stage, plan: b.plan, phases: map[string]plan.Phase{}, looked: v}
		for j := range steps {
			d.phases[steps[j].ID] = steps[j].Phase
			if steps[j].ID == step {
				d.Planned, d.State = &steps[j], stepView(&steps[j], &src.State.Stages[i].Steps[j])
			}
		}
		for _, a := range v.Operations {
			if a.Stage == stage && a.Step == step {
				d.Operations = append(d.Operations, a)
			}
		}
		return d, d.Planned != nil
	}
	return StepDetail{}, false
}

// StepDetailText writes d for people. The error is that of w.
func StepDetailText(w io.Writer, d StepDetail, opts TextOptions) error {
	opts.Full = true
	p := newPage(w, opts)
	p.para(0, 2, in(Heading, plan.StepPath(d.Stage, d.State.ID)), in(Muted, " of run "+d.Run))
	p.blank()
	one := *d.looked
	one.Operations = d.Operations
	t := runText{page: p, v: &one}
	t.step(&d.State)
	if !d.State.Began.IsZero() {
		t.field("Began", plain(moment(d.State.Began)))
	}
	if !d.State.Ended.IsZero() {
		t.field("Ended", plain(moment(d.State.Ended)))
	}
	t.operations()
	p.blank()
	p.para(0, 2, in(Heading, "In the plan"))
	pt := planText{page: p, plan: d.plan, fold: foldFor(d.plan, opts), usual: usualTarget(d.plan)}
	pt.step(2, d.Planned, d.phases)
	return p.close()
}
