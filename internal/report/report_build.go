package report

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
	"github.com/refitproject/refit/internal/run"
)

// BuildReport makes the report of a run.
func BuildReport(src Source) Report {
	b := &reportBuilder{
		src: &src, places: newRunBuilder(&src.RunSource), at: map[run.Ref]int{}, outputs: map[run.Ref]json.RawMessage{},
	}
	b.out = Report{
		Form: Form, Refit: src.Version, Run: BuildRun(src.RunSource),
		Rehearsal: rehearsalOf(src.State.Plan()), texts: map[string]string{}, acted: map[string]bool{},
	}
	b.steps(func(stage string, step *plan.Step, _ *run.StepState) {
		b.out.texts[stage+"/"+step.ID] = aboutStep(step)
	})
	for i := range src.Events {
		b.event(&src.Events[i])
	}
	if src.State.Status.Final() && len(src.Events) > 0 {
		b.out.Ended = b.endOf()
	}
	b.findings()
	b.downtime()
	b.steps(b.step)
	b.limit()
	return b.out
}

// rehearsalOf is what a run of a plan can be the rehearsal of.
func rehearsalOf(p *plan.Plan) RehearsalView {
	out := RehearsalView{Digest: p.RehearsalDigest}
	for _, t := range p.Targets {
		out.Targets = append(out.Targets, RehearsalTarget{Name: t.Name, Kind: t.Kind, Identity: t.Identity})
	}
	return out
}

type reportBuilder struct {
	src    *Source
	places *runBuilder
	out    Report
	at     map[run.Ref]int // the places of operations
	// outputs are what steps have handed back, also those that were taken back.
	outputs map[run.Ref]json.RawMessage
	ended   time.Time
}

// steps visits all steps of all stages that were begun, in the order of the plan.
func (b *reportBuilder) steps(visit func(stage string, step *plan.Step, state *run.StepState)) {
	for i := range b.src.State.Stages {
		_, id, steps, abort := b.places.stageOfState(i)
		if abort && b.src.State.Stages[i].Part == run.PartAhead {
			continue
		}
		for j := range steps {
			visit(id, &steps[j], &b.src.State.Stages[i].Steps[j])
		}
	}
}

// aboutStep says what a step does.
func aboutStep(s *plan.Step) string {
	text := s.Description
	if text == "" && s.Preview != nil {
		text = s.Preview.Summary
	}
	return text
}

// event folds one event into the report.
func (b *reportBuilder) event(e *Event) {
	if b.out.Began.IsZero() {
		b.out.Began = e.At
	}
	if asked, ok := any(e.Body).(run.Asks); ok {
		b.decision(e, asked)
		if _, release := any(e.Body).(*run.ReleaseRequested); !release {
			b.ended = e.At
		}
	}
	b.operation(e)
}

// endOf is when the run ended: leases may be given back later than that.
func (b *reportBuilder) endOf() time.Time {
	last := b.ended
	for i := range b.out.Attempts {
		if o := &b.out.Attempts[i]; o.Ref.What != run.Release && o.Ended.After(last) {
			last = o.Ended
		}
	}
	if last.IsZero() {
		last = b.src.Events[len(b.src.Events)-1].At
	}
	return last
}

// decision adds what a person decided or asked for.
func (b *reportBuilder) decision(e *Event, asked run.Asks) {
	who := asked.Asker()
	said := sayEvent(e.Body)
	d := Decision{
		Seq: e.Seq, At: e.At, Kind: kindOf(e.Body), Where: said.where, Text: said.text, By: who.By, From: who.From,
		Groups: who.Groups, Reason: who.Reason, Head: e.Hash,
	}
	switch body := any(e.Body).(type) {
	case *run.Approved:
		d.Digest, d.Facts, d.Selection = body.Digest, body.Facts, body.Selection
	case *run.RollbackApproved:
		d.Digest = body.Digest
	case *run.Replanned:
		d.Digest = body.Digest
	case *run.PersonDone:
		d.Evidence = fieldsOf(body.Evidence)
	case *run.Settled:
		d.Evidence = fieldsOf(body.Output)
	case *run.Accepted:
		d.Where = body.Name
		b.out.Accepted = append(b.out.Accepted, AcceptedView{
			Name: body.Name, By: who.By, Reason: who.Reason, Expires: body.Expires, At: e.At,
		})
	}
	b.out.Decisions = append(b.out.Decisions, d)
}

// kindOf names a decision for people and programs.
func kindOf(body run.Body) string {
	switch body := any(body).(type) {
	case *run.Approved:
		return "approved"
	case *run.Rejected:
		return "refused"
	case *run.PersonDone:
		return "done by hand"
	case *run.Accepted:
		return "accepted"
	case *run.PauseRequested:
		return "pause"
	case *run.ResumeRequested:
		return "resume"
	case *run.CancelRequested:
		return "cancel"
	case *run.RetryRequested:
		return "retry"
	case *run.Settled:
		return "settled as " + string(body.Verdict)
	case *run.ReleaseRequested:
		return "release"
	case *run.RollbackRequested:
		return "rollback"
	case *run.RollbackApproved:
		return "rollback approved"
	case *run.Replanned:
		return "replanned"
	case *run.UntilRequested:
		return "until"
	case *run.AbortRequested:
		return "way back"
	default:
		return "asked for"
	}
}

// findings joins what the run found with what was found when planning.
func (b *reportBuilder) findings() {
	all := slices.Clone(b.src.State.Findings)
	for _, f := range b.places.plan.Findings {
		known := func(o plan.Finding) bool { return o.Name == f.Name && (o.Stage == f.Stage || f.Stage == "") }
		if !slices.ContainsFunc(all, known) {
			all = append(all, f)
		}
	}
	b.out.Findings = blockingFirst(all)
	for i := range b.out.Findings {
		f := &b.out.Findings[i]
		if f.Accepted == nil {
			continue
		}
		same := func(a AcceptedView) bool { return a.Name == f.Name && a.By == f.Accepted.By }
		if j := slices.IndexFunc(b.out.Accepted, same); j >= 0 {
			b.out.Accepted[j].Message, b.out.Accepted[j].Stage = f.Message, f.Stage
			continue
		}
		b.out.Accepted = append(b.out.Accepted, AcceptedView{
			Name: f.Name, Stage: f.Stage, By: f.Accepted.By, Reason: f.Accepted.Reason, Expires: f.Accepted.Expires,
			Message: f.Message,
		})
	}
}

// downtime puts what was measured beside what is predicted, also for components
// that nobody has measured.
func (b *reportBuilder) downtime() {
	p := b.places.plan
	b.out.Downtime = BuildDowntime(&b.out.Run, p, b.src.Probes, b.src.Spans)
	for _, d := range p.Summary.Downtime {
		if !slices.ContainsFunc(b.out.Downtime, func(v DowntimeView) bool { return v.Component == d.Component }) {
			b.out.Downtime = append(b.out.Downtime, DowntimeView{
				Measured: probe.Measured{Component: d.Component}, Predicted: predicted(p, d.Component),
			})
		}
	}
}

// step adds what a step leased, backed up or edited.
func (b *reportBuilder) step(stage string, step *plan.Step, state *run.StepState) {
	if step.Lease != nil && state.Lease != nil {
		b.lease(stage, step, state)
	}
	for i := range b.out.Attempts {
		if ref := b.out.Attempts[i].Ref; ref.What == run.Do && ref.Stage == stage && ref.Step == step.ID {
			b.output(ref, step, state)
		}
	}
	if len(step.Covers) > 0 && !slices.ContainsFunc(b.out.Backups, func(v BackupView) bool {
		return v.Stage == stage && v.Step == step.ID
	}) {
		b.backup(run.Ref{Stage: stage, Step: step.ID}, step, state)
	}
}

// output adds what one operation of a step has handed back.
func (b *reportBuilder) output(ref run.Ref, step *plan.Step, state *run.StepState) {
	if len(step.Covers) > 0 {
		b.backup(ref, step, state)
	}
	if step.Effect == action.Mutating {
		b.edit(ref, state.Status == run.StepUndone)
	}
}

func (b *reportBuilder) backup(ref run.Ref, step *plan.Step, state *run.StepState) {
	b.out.Backups = append(b.out.Backups, BackupView{
		Stage: ref.Stage, Step: step.ID, Member: ref.Member, Covers: step.Covers, Status: state.Status,
		Proof: step.Proof, Began: state.Began, Ended: state.Ended, Output: fieldsOf(b.outputs[ref]),
	})
}

func (b *reportBuilder) lease(stage string, step *plan.Step, state *run.StepState) {
	l := state.Lease
	v := LeaseStory{
		Stage: stage, Step: step.ID, Text: b.out.texts[stage+"/"+step.ID], Since: l.Since, Held: l.Held, Taken: l.Taken,
		Until: untilText(step.Lease), OnFailure: step.Lease.OnFailure, Quiesces: step.Quiesces,
	}
	if l.Op.Life == run.Broken {
		v.Failed = orText(l.Op.Message, l.Op.Reason)
	}
	for i := range b.out.Attempts {
		o := &b.out.Attempts[i]
		if o.Ref.Stage != stage || o.Ref.Step != step.ID {
			continue
		}
		if o.Ref.What == run.Do && v.Since.IsZero() {
			v.Since = o.Ended
		}
		if o.Ref.What == run.Release && !v.Held && (o.Outcome == OutcomeDone || o.Outcome == OutcomeFound) {
			v.GivenBack = o.Ended
		}
	}
	if v.Since.IsZero() && !v.Held && v.GivenBack.IsZero() {
		return // It was never taken.
	}
	b.out.Leases = append(b.out.Leases, v)
}

// edit adds what an operation changed in a file: any action may hand back a path
// and a difference.
func (b *reportBuilder) edit(ref run.Ref, undone bool) {
	var edited struct {
		Path      string `json:"path"`
		Diff      string `json:"diff"`
		Truncated bool   `json:"truncated"`
	}
	err := json.Unmarshal(b.outputs[ref], &edited)
	if err != nil || edited.Path == "" || edited.Diff == "" {
		return
	}
	text, more := clip(edited.Diff, mostDiff)
	b.out.Edits = append(b.out.Edits, EditView{
		Stage: ref.Stage, Step: ref.Step, Path: edited.Path, Diff: text, Truncated: edited.Truncated || more > 0,
		Undone: undone,
	})
}

// limit leaves out what makes the report too large. Of operations those that
// went well at once go first.
func (b *reportBuilder) limit() {
	r := &b.out
	if n := len(r.Decisions) - mostDecisions; n > 0 {
		r.Decisions, r.Omitted.Decisions = r.Decisions[n:], n
	}
	if n := len(r.Edits) - mostEdits; n > 0 {
		r.Edits, r.Omitted.Edits = r.Edits[:mostEdits], n
	}
	spare := len(r.Attempts) - mostOperations
	if spare <= 0 {
		return
	}
	for _, noteworthy := range []bool{false, true} {
		r.Attempts = slices.DeleteFunc(r.Attempts, func(o OperationStory) bool {
			drop := spare > 0 && o.noteworthy() == noteworthy
			if drop {
				spare--
				r.Omitted.Operations++
			}
			return drop
		})
	}
}
