package report

import (
	"fmt"
	"strconv"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// left is how long something takes still. unknown says why nobody can say.
type left struct {
	typical, worst time.Duration
	unknown        string
}

// becausef keeps the first reason why nobody can say.
func (l *left) becausef(format string, args ...any) {
	if l.unknown == "" {
		l.unknown = fmt.Sprintf(format, args...)
	}
}

func (l *left) add(o left) {
	l.typical += o.typical
	l.worst += o.worst
	if o.unknown != "" {
		l.becausef("%s", o.unknown)
	}
}

// view tells when that is, from now on.
func (l *left) view(now time.Time) *ForecastView {
	if l.unknown != "" {
		return &ForecastView{Unknown: l.unknown}
	}
	l.worst = max(l.worst, l.typical)
	return &ForecastView{
		Typical: durationOf(l.typical), Worst: durationOf(l.worst), Ends: now.Add(l.typical), Latest: now.Add(l.worst),
	}
}

// forecast tells when the current stage and the run end, while somebody drives the
// run forward.
func (b *runBuilder) forecast() {
	s := &b.src.State
	if s.Status.Final() || s.Stage >= len(b.plan.Stages) || s.Back != nil || s.Cancelling || s.Aborting {
		return
	}
	var all left
	rest := make([]left, len(b.plan.Stages))
	for i := s.Stage; i < len(b.plan.Stages); i++ {
		rest[i] = b.stageLeft(i)
		if i == s.Stage {
			b.view.StageEnds = rest[i].view(b.src.Now)
		}
		all.add(rest[i])
	}
	b.lateness(rest)
	if b.view.Owner == nil || s.Status != run.Running && s.Status != run.Waiting {
		b.view.StageEnds = nil // Nobody knows when it goes on.
		return
	}
	for i := range b.plan.Stages {
		all.add(b.releasesLeft(i, true))
	}
	if s.Until != "" {
		all.unknown = "it stops before stage " + s.Until
	}
	b.view.RunEnds = all.view(b.src.Now)
}

// stageLeft predicts how long a stage takes still.
func (b *runBuilder) stageLeft(i int) left {
	st, state := &b.plan.Stages[i], &b.src.State.Stages[i]
	var l left
	switch state.Part {
	case run.PartOver:
		return l
	case run.PartAhead, run.PartChecking, run.PartGated:
		if len(st.Gates) > 0 {
			l.becausef("stage %s waits for an approval", st.ID)
		}
	case run.PartWorking, run.PartSoaking, run.PartReleasing:
	}
	started := state.Part == run.PartSoaking || state.Part == run.PartReleasing
	if len(st.Windows) > 0 && !started && !state.Window.Open {
		l.becausef("stage %s waits for its window", st.ID)
	}
	typical, worst := map[string]time.Duration{}, map[string]time.Duration{}
	for j := range st.Steps {
		step := b.stepLeft(st, &st.Steps[j], &state.Steps[j])
		typical[st.Steps[j].ID], worst[st.Steps[j].ID] = step.typical, step.worst
		l.add(left{unknown: step.unknown})
	}
	l.typical = plan.TimeLeft(st.Steps, func(s *plan.Step) time.Duration { return typical[s.ID] })
	l.worst = plan.TimeLeft(st.Steps, func(s *plan.Step) time.Duration { return worst[s.ID] })
	l.add(b.releasesLeft(i, false))
	if st.Soak != nil {
		soak := time.Duration(st.Soak.For)
		if state.Soak != nil {
			soak = max(0, soak-time.Duration(state.Soak.Covered))
		}
		l.add(left{typical: soak, worst: soak})
	}
	return l
}

// stepLeft predicts how long a step takes still.
func (b *runBuilder) stepLeft(st *plan.Stage, step *plan.Step, state *run.StepState) left {
	name := plan.StepPath(st.ID, step.ID)
	var l left
	switch state.Status {
	case run.StepPending, run.StepReady:
		switch {
		case step.Skip != "" || step.Remedy != nil: // A remedy is carried out only after a failure.
		case step.Gate == action.GateApproval || step.Gate == action.GatePerson || step.Gate == action.GateCondition:
			l.becausef("%s waits for %s", name, waitText(run.Wait(step.Gate)))
			l.typical, l.worst = time.Duration(step.Estimate.Typical), time.Duration(step.Estimate.Worst)
		case !step.Estimate.Known:
			l.becausef("%s has no estimate", name)
		default:
			l.typical, l.worst = time.Duration(step.Estimate.Typical), time.Duration(step.Estimate.Worst)
		}
	case run.StepRunning:
		return b.runningLeft(name, step, state)
	case run.StepWaiting:
		l.becausef("%s waits for %s", name, waitText(state.Wait))
		if state.Wait == run.WaitCondition {
			took := b.src.Now.Sub(state.Began)
			l.typical = max(0, time.Duration(step.Estimate.Typical)-took)
			l.worst = max(0, time.Duration(step.Estimate.Worst)-took)
		}
	case run.StepInDoubt:
		l.becausef("%s is in doubt", name)
	case run.StepSucceeded, run.StepFailed, run.StepSkipped, run.StepCancelled, run.StepUndoing, run.StepUndone:
	}
	return l
}

// runningLeft predicts the rest of a step that is under way: by its progress where
// it tells any, else by its estimate.
func (b *runBuilder) runningLeft(name string, step *plan.Step, state *run.StepState) left {
	if len(state.Ops) == 1 {
		op := &state.Ops[0]
		c := run.PerformOperation{Op: op.Ref, Attempt: op.Attempt}
		if rest, known := b.leftByRate(b.src.Progress[c.ID()], step.Estimate); known && op.Life == run.Active {
			return left{typical: rest, worst: rest}
		}
	}
	var l left
	took := workedOn(state, b.src.Now)
	typical, worst := time.Duration(step.Estimate.Typical), time.Duration(step.Estimate.Worst)
	switch {
	case !step.Estimate.Known:
		l.becausef("%s has no estimate", name)
	case took > worst:
		l.becausef("%s takes longer than the %s of its estimate", name, human(step.Estimate.Worst))
	default:
		l.typical, l.worst = max(0, typical-took), worst-took
	}
	return l
}

// leftByRate predicts the rest of an operation by its rate. The first samples of what
// has only begun say little: an estimate is believed more until a twentieth is done, or
// the rate was measured for a while.
func (b *runBuilder) leftByRate(m action.Measured, e plan.Estimate) (time.Duration, bool) {
	const share, while = 20, 10 * time.Second
	rest, known := m.Left(b.src.Now)
	if e.Known && m.Done < m.Total/share && b.src.Now.Sub(m.Since) < while {
		return 0, false
	}
	return rest, known
}

// releasesLeft predicts how long giving back what a stage holds, or will hold,
// takes at its end, or at the end of the run.
func (b *runBuilder) releasesLeft(i int, atEnd bool) left {
	var l left
	st := &b.plan.Stages[i]
	for j := range st.Steps {
		step, state := &st.Steps[j], &b.src.State.Stages[i].Steps[j]
		if step.Lease == nil || step.Skip != "" || atEnd != (step.Lease.Until == "run") {
			continue
		}
		ahead := state.Status == run.StepPending || state.Status == run.StepReady || state.Status == run.StepRunning
		if ahead || state.Lease != nil && state.Lease.Held {
			back := step.TakingBack()
			l.add(left{typical: time.Duration(back.Typical), worst: time.Duration(back.Worst)})
		}
	}
	return l
}

// waitText words what a step waits for.
func waitText(w run.Wait) string {
	switch w {
	case run.WaitPerson:
		return "a person's work"
	case run.WaitApproval:
		return "an approval"
	case run.WaitCondition:
		return "a condition"
	case run.WaitWindow, run.WaitSoak, run.WaitCredentials, run.WaitTarget:
	}
	return string(w)
}

// measure fills in how far an operation has come, and how fast.
func (b *runBuilder) measure(a *OperationView) {
	m, ok := b.src.Progress[a.Command]
	if !ok {
		return
	}
	a.Progress = &m.Progress
	if b.view.Owner == nil {
		return // What was measured is over.
	}
	a.Rate = m.Rate(b.src.Now)
	var expected plan.Estimate
	if at, ok := b.src.State.Find(a.Stage, a.Step); ok {
		_, step := b.src.State.StepAt(at)
		expected = step.Estimate
	}
	if rest, known := b.leftByRate(m, expected); known {
		a.Left, a.LeftBy = durationOf(rest.Round(time.Second)), LeftByRate
	}
}

// rateText says how fast an operation goes on: "; 40 rows/s, about 1m30s left".
func rateText(a *OperationView) string {
	if a.Rate == 0 {
		if a.Progress.Total > 0 && a.Progress.Done < a.Progress.Total {
			return "; time left unknown"
		}
		return ""
	}
	const slow, precise = 0.1, 10 // per second
	rate, per := a.Rate, "/s"
	if rate < slow {
		rate, per = rate*60, "/min"
	}
	digits := 0
	if rate < precise {
		digits = 1
	}
	text := "; " + strconv.FormatFloat(rate, 'f', digits, 64)
	if a.Progress.Unit != "" {
		text += " " + a.Progress.Unit
	}
	text += per
	if a.Left > 0 {
		text += ", about " + rough(a.Left) + " left"
	}
	return text
}

// ends writes when something ends.
func (t *runText) ends(name string, f *ForecastView) {
	switch {
	case f == nil:
	case f.Unknown != "":
		t.field(name, in(Muted, "unknown: "+f.Unknown))
	case f.Worst == 0:
		t.field(name, plain("now"))
	default:
		spans := []span{
			in(Strong, "in about "+orText(rough(f.Typical), "no time")),
			plain(" (" + clockTime(f.Ends, t.v.Looked) + ")"),
		}
		if f.Latest.After(f.Ends) {
			spans = append(spans, plain(", at the latest "+t.when(f.Latest)))
		}
		t.field(name, spans...)
	}
}
