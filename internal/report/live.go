package report

import (
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// LiveKind tells the rows of a live view apart.
type LiveKind int

// The kinds of rows.
const (
	LiveStage  LiveKind = iota // the title of a stage
	LivePhase                  // the title of a phase
	LiveStep                   // a step
	LiveNote                   // what there is to say of the step above
	LiveFolded                 // steps that are not shown
)

// LiveFold says how much of a stage is shown.
type LiveFold int

// The folds. FoldAuto closes stages that are over or ahead, and shows of many
// steps those that a reader has to see, and those next to them.
const (
	FoldAuto LiveFold = iota
	FoldClosed
	FoldOpen
)

// LiveRow is one row of a run on a screen. It belongs to the view that it was made
// from.
type LiveRow struct {
	Kind LiveKind
	// Stage and Step name what the row is about; Step is empty for the rows of a
	// stage.
	Stage, Step string
	// Current marks rows of steps that are under way or wait.
	Current bool

	stage  *StageView
	step   *StepView
	phase  plan.Phase
	open   bool
	hidden int
	note   []span
	number int // of the notes of the step
	// names is how wide the names of the steps that are shown are, so that what
	// stands behind them is aligned.
	names int
}

// ID names the row: it stays the same from one view of the run to the next.
func (r *LiveRow) ID() string {
	switch r.Kind {
	case LiveStep:
		return r.Stage + "/" + r.Step
	case LiveNote:
		return r.Stage + "/" + r.Step + "/note/" + number0(r.number)
	case LivePhase:
		return r.Stage + "//" + string(r.phase)
	case LiveFolded:
		return r.Stage + "//folded/" + string(r.phase)
	case LiveStage:
	}
	return r.Stage
}

// LiveOptions say which rows are made.
type LiveOptions struct {
	// Fold says how stages are folded, by their id.
	Fold map[string]LiveFold
	// Filter is words that each have to be found in the names, the action, the
	// phase or the state of a step. With a filter nothing is folded.
	Filter string
}

// LiveRows lays a run out for a screen: one row for each stage, and below those
// that are open their phases and steps.
func LiveRows(v *RunView, o LiveOptions) []LiveRow {
	b := liveRows{v: v, words: strings.Fields(strings.ToLower(o.Filter))}
	for i := range v.Stages {
		b.stage(&v.Stages[i], o.Fold[v.Stages[i].ID])
	}
	const most = 36
	names := 0
	for i := range b.rows {
		names = max(names, min(width(b.rows[i].Step), most))
	}
	for i := range b.rows {
		b.rows[i].names = names
	}
	return b.rows
}

type liveRows struct {
	v     *RunView
	words []string
	rows  []LiveRow
}

// stage adds the rows of a stage.
func (b *liveRows) stage(s *StageView, fold LiveFold) {
	if len(b.words) > 0 {
		b.found(s)
		return
	}
	open := fold == FoldOpen || fold == FoldAuto && opensByItself(s)
	b.rows = append(b.rows, LiveRow{Kind: LiveStage, Stage: s.ID, stage: s, open: open})
	if !open {
		return
	}
	show := make([]bool, len(s.Steps))
	for i := range show {
		show[i] = true
	}
	if fold == FoldAuto {
		const few, most = 40, 200
		show = picked(s.Steps, few, most)
	}
	b.steps(s, show)
}

// found adds the steps of a stage that a filter finds.
func (b *liveRows) found(s *StageView) {
	show := make([]bool, len(s.Steps))
	n := 0
	for i := range s.Steps {
		if show[i] = b.matches(s, &s.Steps[i]); show[i] {
			n++
		}
	}
	if n == 0 {
		return
	}
	b.rows = append(b.rows, LiveRow{Kind: LiveStage, Stage: s.ID, stage: s, open: true})
	for i := range s.Steps {
		if show[i] {
			b.step(s, &s.Steps[i])
		}
	}
}

// matches tells whether the filter finds a step.
func (b *liveRows) matches(s *StageView, step *StepView) bool {
	text := strings.ToLower(strings.Join([]string{
		plan.StepPath(s.ID, step.ID), step.Action, string(step.Phase), string(step.Status), string(step.Wait),
	}, " "))
	return !slices.ContainsFunc(b.words, func(w string) bool { return !strings.Contains(text, w) })
}

// opensByItself tells whether a reader wants to see the steps of a stage.
func opensByItself(s *StageView) bool {
	if s.Current || s.Ended {
		return true
	}
	return slices.ContainsFunc(s.Steps, func(st StepView) bool { return loud(&st) })
}

// steps adds the rows of the steps of a stage, with the titles of their phases.
func (b *liveRows) steps(s *StageView, show []bool) {
	phase, hidden := plan.Phase(""), 0
	fold := func() {
		if hidden > 0 {
			b.rows = append(b.rows, LiveRow{Kind: LiveFolded, Stage: s.ID, stage: s, phase: phase, hidden: hidden})
		}
		hidden = 0
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Phase != phase {
			fold()
			phase = step.Phase
			b.rows = append(b.rows, LiveRow{Kind: LivePhase, Stage: s.ID, stage: s, phase: phase})
		}
		if !show[i] {
			hidden++
			continue
		}
		b.step(s, step)
	}
	fold()
}

// step adds the row of a step, and below it what there is to say.
func (b *liveRows) step(s *StageView, step *StepView) {
	current := step.Status == run.StepRunning || step.Status == run.StepWaiting || step.Status == run.StepUndoing
	row := LiveRow{Kind: LiveStep, Stage: s.ID, Step: step.ID, Current: current, stage: s, step: step}
	b.rows = append(b.rows, row)
	for i, note := range b.notesOf(s, step) {
		b.rows = append(b.rows, LiveRow{
			Kind: LiveNote, Stage: s.ID, Step: step.ID, stage: s, step: step, note: note, number: i,
		})
	}
}

// notesOf say how far a step has come, or why it has not.
func (b *liveRows) notesOf(s *StageView, step *StepView) [][]span {
	switch {
	case step.Taken:
		return [][]span{{in(Danger, "somebody else changed what it had set: nothing was given back")}}
	case !loud(step):
		return nil
	}
	for i := range b.v.Operations {
		if a := &b.v.Operations[i]; a.Stage == s.ID && a.Step == step.ID {
			if notes := operationNotes(a); len(notes) > 0 {
				return notes
			}
		}
	}
	if step.Message == "" || step.Status == run.StepSucceeded {
		return nil
	}
	role := Text
	if step.Status == run.StepFailed || step.Status == run.StepInDoubt {
		role = Danger
	}
	return [][]span{{in(role, step.Message)}}
}

// operationNotes say how far an operation has come: by its progress, else by how long
// it takes as a rule; and how late it is.
func operationNotes(a *OperationView) (notes [][]span) {
	var note []span
	switch {
	case a.Progress != nil:
		note = append(progressBar(a.Progress.Done, a.Progress.Total), plain(ProgressText(*a.Progress)))
	case a.LeftBy == LeftByEstimate && a.Left > 0:
		note = append(progressBar(int64(a.Took), int64(a.Took+a.Left)),
			in(Muted, "about "+rough(a.Left)+" left: it takes "+aboutFrom(a.Expected)))
	}
	if a.Progress != nil {
		note = append(note, in(Muted, rateText(a)))
	}
	if len(note) > 0 {
		notes = append(notes, note)
	}
	if a.Late != nil {
		notes = append(notes, []span{in(lateRole(a.Late), "late: "), plain(a.Late.Text)})
	}
	return notes
}

// picked chooses the steps that are shown: of more than few only those that a reader
// has to see, and those next to them, and of these no more than most.
func picked(steps []StepView, few, most int) []bool {
	const beside = 2
	show := make([]bool, len(steps))
	last := -beside - 1
	for i := range steps {
		if loud(&steps[i]) {
			last = i
		}
		show[i] = i-last <= beside
	}
	ahead := len(steps) + beside + 1
	for i := range slices.Backward(steps) {
		if loud(&steps[i]) {
			ahead = i
		}
		show[i] = show[i] || ahead-i <= beside
	}
	n := 0
	for i := range steps {
		if show[i] = len(steps) <= few || show[i] && n < most; show[i] {
			n++
		}
	}
	return show
}

// Open tells whether the stage of the row is open.
func (r *LiveRow) Open() bool { return r.Kind != LiveStage || r.open }

// Paused tells whether a person holds the run.
func (v *RunView) Paused() bool { return v.Status == run.Paused }

// GatesOf lists the gates of a kind, "approval" or "person", that wait.
func (v *RunView) GatesOf(kind string) []GateView {
	var out []GateView
	for i := range v.Gates {
		if string(v.Gates[i].Kind) == kind {
			out = append(out, v.Gates[i])
		}
	}
	return out
}

// AsksForRollback tells whether a rollback that restores data waits for an approval.
func (v *RunView) AsksForRollback() bool {
	r := v.Rollback
	return r != nil && r.Built && r.Restores && r.Approved == "" && !v.Status.Final()
}

// Person tells whether the work of a person is waited for, and not an approval.
func (a *ApprovalView) Person() bool { return a.Gate.Kind == run.WaitPerson }

// WaitsForPerson tells whether the run waits for a decision or for the work of a
// person.
func (v *RunView) WaitsForPerson() bool { return len(v.Gates) > 0 || v.AsksForRollback() }

// Stuck tells that nothing goes on before somebody types a command, though the run has
// not halted: a step is in doubt, or a check blocks. A run that waits for a time, for a
// gate or for the end of a pause is not.
func (v *RunView) Stuck() bool {
	switch v.Status {
	case run.Running, run.Waiting, run.RollingBack:
	case run.Planned, run.Paused, run.Halted, run.RolledBack, run.PartlyRolledBack, run.Cancelled, run.Succeeded,
		run.Failed:
		return false
	}
	return len(v.Operations) == 0 && len(v.Commands) > 0 && !v.WaitsForPerson() && v.Next.IsZero()
}

// Running tells whether a step is under way.
func (v *RunView) Running(stage, step string) bool {
	return slices.ContainsFunc(v.Operations, func(a OperationView) bool { return a.Stage == stage && a.Step == step })
}
