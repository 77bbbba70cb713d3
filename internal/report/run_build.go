package report

import (
	"slices"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// BuildRun makes the view of a run.
func BuildRun(src RunSource) RunView {
	b := newRunBuilder(&src)
	b.view = RunView{
		RunInfo: src.Info, Procedure: b.plan.Procedure.Name, Reason: src.State.Reason, Looked: src.Now,
		Undone: b.sum.Undone, Findings: blockingFirst(src.State.Findings),
	}
	b.view.Status = src.State.Status
	if b.plan.Path != nil {
		b.view.Path = pathText(b.plan.Path)
	}
	for i := range src.State.Stages {
		b.stage(i)
	}
	b.operations()
	b.gates()
	b.doubts()
	b.leases()
	b.rollback()
	if b.view.Status != run.Succeeded {
		b.view.Remains = b.sum.Remains
	}
	b.view.Driven = b.driven()
	b.forecast()
	b.waits()
	b.view.Headline = b.headline()
	b.commands()
	return b.view
}

type runBuilder struct {
	src  *RunSource
	plan *plan.Plan
	sum  run.Summary
	view RunView
}

func newRunBuilder(src *RunSource) *runBuilder {
	return &runBuilder{src: src, plan: src.State.Plan(), sum: run.Summarize(src.State)}
}

// stageOfState returns the plan of the i-th stage of the state: the ways back
// of the authors stand behind the stages.
func (b *runBuilder) stageOfState(i int) (st *plan.Stage, id string, steps []plan.Step, abort bool) {
	n := len(b.plan.Stages)
	if i < n {
		st = &b.plan.Stages[i]
		return st, st.ID, st.Steps, false
	}
	st = &b.plan.Stages[i-n]
	if st.Abort != nil {
		steps = st.Abort.Steps
	}
	return st, st.ID + plan.AbortSuffix, steps, true
}

// stage adds a stage; ways back that were not taken are left out.
func (b *runBuilder) stage(i int) {
	state := &b.src.State.Stages[i]
	st, id, steps, abort := b.stageOfState(i)
	if abort && state.Part == run.PartAhead {
		return
	}
	v := StageView{
		ID: id, Number: i + 1, Digest: st.Digest, Part: state.Part, Abort: abort, Facts: state.Facts,
		Current: i == b.src.State.Stage && !b.src.State.Status.Final() && b.src.State.Status != run.Planned,
		Changed: state.Changed, Window: state.Window, Soak: state.Soak, Steps: []StepView{},
	}
	if abort {
		v.Number = 0
	}
	v.Began, v.Waited = state.Began, durationOf(b.waited(i))
	s := &b.src.State
	v.Ended = (s.Status.Final() || s.Back != nil) && state.Part != run.PartAhead && state.Part != run.PartOver
	if state.Asking != nil {
		v.Asking = state.Asking.Message
	}
	for j := range steps {
		v.Steps = append(v.Steps, stepView(&steps[j], &state.Steps[j]))
		b.count(state.Steps[j].Status)
	}
	b.view.Stages = append(b.view.Stages, v)
}

func (b *runBuilder) count(status run.StepStatus) {
	n := &b.view.Counts
	n.Total++
	switch status {
	case run.StepSucceeded:
		n.Done++
	case run.StepSkipped, run.StepCancelled:
		n.Skipped++
	case run.StepFailed:
		n.Failed++
	case run.StepInDoubt:
		n.InDoubt++
	case run.StepUndone:
		n.Undone++
	case run.StepPending, run.StepReady, run.StepRunning, run.StepWaiting, run.StepUndoing:
	}
}

func stepView(step *plan.Step, state *run.StepState) StepView {
	v := StepView{
		ID: step.ID, Phase: step.Phase, Action: step.Action, Status: state.Status, Wait: state.Wait,
		Reason: state.Reason, Message: state.Message, Began: state.Began, Ended: state.Ended, Issues: state.Issues,
	}
	if l := state.Lease; l != nil {
		v.Held, v.Taken = l.Held, l.Taken
	}
	if v.Message == "" && v.Reason != "" && v.Status == run.StepFailed {
		v.Message = v.Reason
	}
	if state.Op < len(state.Ops) {
		op := &state.Ops[state.Op]
		v.Attempts, v.Most, v.Next = op.Attempt, max(step.Retry.Attempts, 1), op.Next
		if v.Message == "" {
			v.Reason, v.Message = op.Reason, op.Message
		}
		if op.Life == run.Asking && v.Wait == "" {
			v.Wait = op.Cause
		}
	}
	if g := state.Gate; g != nil && v.Message == "" {
		v.Message = g.Message
		if v.Next.IsZero() {
			v.Next = g.Next
		}
	}
	return v
}

// doubts lists the operations in doubt.
func (b *runBuilder) doubts() {
	for op := range b.src.State.Operations() {
		if op.Life == run.InDoubt {
			b.view.InDoubt = append(b.view.InDoubt, DoubtView{
				Ref: op.Ref, Text: refText(op.Ref), Attempt: op.Attempt, Reason: op.Reason, Message: op.Message,
			})
		}
	}
}

// leases lists what is held.
func (b *runBuilder) leases() {
	for _, held := range b.sum.Leases {
		v := LeaseView{Stage: held.Stage, Step: held.Step, Since: held.Since}
		for i := range b.src.State.Stages {
			_, id, steps, _ := b.stageOfState(i)
			j := slices.IndexFunc(steps, func(s plan.Step) bool { return s.ID == held.Step })
			if id != held.Stage || j < 0 {
				continue
			}
			if l := steps[j].Lease; l != nil {
				v.Until, v.OnFailure = untilText(l), l.OnFailure
			}
			v.Quiesces = steps[j].Quiesces
			if l := b.src.State.Stages[i].Steps[j].Lease; l != nil && l.Op.Life == run.Broken {
				v.Failed = l.Op.Message
			}
		}
		b.view.Leases = append(b.view.Leases, v)
	}
}

func (b *runBuilder) rollback() {
	back := b.src.State.Back
	if back == nil {
		return
	}
	_, id, _, _ := b.stageOfState(back.To)
	v := &RollbackView{
		To: id, Built: back.Built, Restores: back.Restores, Approved: back.ApprovedBy, Stopped: back.Stopped,
		Done: back.Next, Total: len(back.Items),
	}
	for _, at := range back.Remainder {
		_, stage, steps, _ := b.stageOfState(at.Stage)
		v.Remainder = append(v.Remainder, plan.StepPath(stage, steps[at.Step].ID))
	}
	b.view.Rollback = v
}

// driven says who drives the run, or what it means that nobody does.
func (b *runBuilder) driven() string {
	info := &b.view.RunInfo
	switch {
	case info.Moved:
		return "not here: the run was taken to another machine, or this is a copy"
	case info.Owner != nil:
		return ownerText(info.Owner)
	case b.view.Status.Final() && len(b.sum.Leases) > 0:
		return "nobody: what is held stays until someone releases it"
	case b.view.Status.Final():
		return "nobody any more"
	case len(b.sum.Leases) > 0:
		return "nobody: nothing goes on and nothing is released until someone drives it"
	default:
		return "nobody: nothing goes on until someone drives it"
	}
}

func ownerText(o *RunOwner) string {
	return "process " + number0(o.PID) + " on " + o.Host + " (" + o.By + ") since " + moment(o.Since)
}

// moment writes a time as people read it, to the second.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }

// blockingFirst returns findings with those that block in front.
func blockingFirst(findings []plan.Finding) []plan.Finding {
	out := slices.Clone(findings)
	slices.SortStableFunc(out, func(a, b plan.Finding) int { return int(classOf(&a)) - int(classOf(&b)) })
	return out
}
