package report

import (
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// lateBy compares how long something takes with what was expected; nil when it is
// not late by a second.
func lateBy(took time.Duration, expected plan.Estimate) *LateView {
	typical, worst := time.Duration(expected.Typical), time.Duration(expected.Worst)
	v := LateView{By: durationOf(took - typical), Beyond: BeyondTypical}
	if worst > typical && took-worst >= time.Second {
		v = LateView{By: durationOf(took - worst), Beyond: BeyondWorst}
	}
	if !expected.Known || time.Duration(v.By) < time.Second {
		return nil
	}
	return &v
}

// expectations tells of an operation how long it takes, how long that was expected
// to take, and by how much it is late.
func (b *runBuilder) expectations(a *OperationView, ref run.Ref) {
	at, ok := b.src.State.Find(ref.Stage, ref.Step)
	if !ok {
		return
	}
	state, step := b.src.State.StepAt(at)
	a.Expected = expectedOf(ref.What, step)
	if !a.Expected.Known {
		a.Expected = plan.Estimate{}
	}
	if b.view.Owner == nil {
		return // It is not known what goes on.
	}
	took := b.took(ref, state)
	a.Took = durationOf(took)
	if a.Late = lateBy(took, a.Expected); a.Late != nil {
		a.Late.Text = human(a.Late.By) + " longer than the " + expectedText(a.Late.Beyond, a.Expected)
	}
	if rest := time.Duration(a.Expected.Typical) - took; a.LeftBy == "" && rest > 0 {
		a.Left, a.LeftBy = durationOf(rest.Round(time.Second)), LeftByEstimate
	}
}

// expectedText names what was expected: "4m that it takes as a rule".
func expectedText(beyond Beyond, e plan.Estimate) string {
	if beyond == BeyondWorst {
		return rough(e.Worst) + " that it takes at worst"
	}
	return rough(e.Typical) + " that it takes as a rule"
}

// expectedOf is how long an operation of a step takes.
func expectedOf(what run.What, step *plan.Step) plan.Estimate {
	switch what {
	case run.Undo, run.Restore, run.Release:
		return step.TakingBack()
	case run.Check:
		return plan.Estimate{}
	case run.Do, run.Retake:
	}
	return step.Estimate
}

// took is how long an operation was worked on; of a step, all its members together.
func (b *runBuilder) took(ref run.Ref, state *run.StepState) time.Duration {
	if ref.What == run.Do {
		return workedOn(state, b.src.Now)
	}
	for op := range b.src.State.Operations() {
		if op.Ref == ref {
			return op.TookAt(b.src.Now)
		}
	}
	return 0
}

// workedOn is how long a step was worked on.
func workedOn(state *run.StepState, now time.Time) time.Duration {
	var sum time.Duration
	for i := range state.Ops {
		sum += state.Ops[i].TookAt(now)
	}
	return sum
}

// lateness compares the stages with what the plan predicted of them. left is how
// long each takes still.
func (b *runBuilder) lateness(left []left) {
	var took time.Duration
	predicted := plan.Estimate{Known: true}
	for i := range b.plan.Stages {
		st := &b.plan.Stages[i]
		all := b.spent(i)
		if i < len(left) {
			all += left[i].typical
		}
		if i == b.src.State.Stage {
			b.view.StageLate = late(all, st.Estimate, "the stage")
		}
		took += all
		predicted.Typical += st.Estimate.Typical
		predicted.Worst += st.Estimate.Worst
		predicted.Known = predicted.Known && st.Estimate.Known
	}
	b.view.RunLate = late(took, predicted, "the run")
}

// late says by how much a stage or the run takes longer than predicted.
func late(took time.Duration, predicted plan.Estimate, what string) *LateView {
	v := lateBy(took, predicted)
	if v == nil {
		return nil
	}
	v.Text = human(v.By) + " later than planned"
	if v.Beyond == BeyondWorst {
		v.Text = human(v.By) + " later than planned at worst"
	}
	v.Text += ": " + what + " was to take " + about(plan.Estimate{
		Typical: predicted.Typical, Worst: predicted.Worst, Known: true,
	})
	return v
}

// spent is how long the run was in a stage, without what it waited there.
func (b *runBuilder) spent(i int) time.Duration {
	s := &b.src.State
	began, until := s.Stages[i].Began, b.now()
	if began.IsZero() {
		return 0
	}
	if next := i + 1; next < len(b.plan.Stages) && !s.Stages[next].Began.IsZero() {
		until = s.Stages[next].Began
	}
	return max(0, until.Sub(began)-s.IdleAt(i, b.now()))
}

// now is until when something went on: where nobody drives the run nothing has since
// the last event.
func (b *runBuilder) now() time.Time {
	if b.view.Owner == nil {
		return b.src.State.At
	}
	return b.src.Now
}

// waits sums up how long the run has waited.
func (b *runBuilder) waits() {
	s := &b.src.State
	for i := range s.Stages {
		b.view.Waited += durationOf(b.waited(i))
	}
}

// waited is how long the run has waited in a stage, also for somebody to drive it.
func (b *runBuilder) waited(i int) time.Duration {
	s := &b.src.State
	d := s.IdleAt(i, b.src.Now)
	if b.view.Owner == nil && i == s.Stage && !s.Status.Final() {
		d = s.IdleAt(i, s.At) + max(0, b.src.Now.Sub(s.At))
	}
	return d
}

// lateRole paints how late something is: later than at worst is worth a look.
func lateRole(l *LateView) Role {
	if l.Beyond == BeyondWorst {
		return Danger
	}
	return Warn
}

// lateSpans says how long an operation takes still by its estimate, or by how much it
// is late.
func lateSpans(a *OperationView) []span {
	switch {
	case a.Late != nil:
		from := restsOn(a.Expected)
		if from != "" {
			from = ", " + from
		}
		return []span{in(lateRole(a.Late), a.Late.Text), in(Muted, from)}
	case a.LeftBy == LeftByEstimate:
		return []span{plain("about " + rough(a.Left) + " left"), in(Muted, ": it takes "+aboutFrom(a.Expected))}
	}
	return nil
}
