package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/run"
)

// stage writes one stage: in one line when it is over or has not begun.
func (t *runText) stage(s *StageView) {
	name := fmt.Sprintf("Stage %d: %s", s.Number, s.ID)
	if s.Abort {
		name = "Way back: " + s.ID
	}
	quiet := !slices.ContainsFunc(s.Steps, func(st StepView) bool { return loud(&st) })
	if quiet && !s.Current && !t.opts.Full && (s.Part == run.PartOver || s.Part == run.PartAhead) {
		done := 0
		for i := range s.Steps {
			if s.Steps[i].Status == run.StepSucceeded {
				done++
			}
		}
		sign, text := in(Muted, "· "), "not begun, "+count(len(s.Steps), "step")
		if s.Part == run.PartOver {
			sign, text = in(Good, "✓ "), fmt.Sprintf("over, %s of %s done", number(done), count(len(s.Steps), "step"))
		}
		t.para(0, 2, sign, in(Strong, name), in(Muted, " ("+shortDigest(s.Digest)+"): "), plain(text))
		return
	}
	t.blank()
	part := partText(s)
	if s.Current && (t.v.Status == run.Halted || t.v.Status == run.Paused) {
		part = strings.ToLower(string(t.v.Status))
	}
	t.rule(Heading, "━", name+" ("+part+")")
	t.stageState(s)
	shown, hidden := t.pick(s.Steps)
	t.columns = nil
	for i := range shown {
		t.columns = t.columns.fitting([]int{stepName, phaseName, stepState},
			"x "+shown[i].ID, string(shown[i].Phase), stateText(shown[i]))
	}
	for i := range shown {
		t.step(shown[i])
	}
	if hidden > 0 {
		t.para(2, 4, in(Muted, more(hidden, "step")))
	}
	t.blank()
}

// partText says how far a stage has come.
func partText(s *StageView) string {
	if s.Ended {
		return "not carried out to its end"
	}
	switch s.Part {
	case run.PartAhead:
		return "not begun"
	case run.PartChecking:
		return "its facts are observed"
	case run.PartGated:
		return "waits to be started"
	case run.PartWorking:
		return "its steps are carried out"
	case run.PartReleasing:
		return "leases are given back"
	case run.PartSoaking:
		return "soak"
	case run.PartOver:
		return "over"
	}
	return string(s.Part)
}

func (t *runText) stageState(s *StageView) {
	if s.Asking != "" {
		t.field("Cannot ask", in(Warn, s.Asking))
	}
	for _, c := range s.Changed {
		t.field("Changed", in(Danger, c.Name), plain(" is "+c.Got+", the plan expects "+c.Want))
	}
	w := &s.Window
	switch {
	case w.Never != "":
		t.field("Window", in(Danger, w.Never))
	case w.Open && !w.ClosesAt.IsZero():
		t.field("Window", in(Good, "open"), plain(" until "+moment(w.ClosesAt)))
	case w.Asked && !w.OpensAt.IsZero():
		t.field("Window", in(Warn, "opens "+moment(w.OpensAt)))
	}
	if g := s.Soak; g != nil && s.Part == run.PartSoaking {
		spans := []span{plain(orText(human(g.Covered), "nothing") + " of " + human(g.For) + " observed")}
		if g.Message != "" {
			spans = append(spans, in(Warn, ", starts again: "+g.Message))
		}
		t.field("Soak", spans...)
	}
}

// loud tells whether a reader has to see the step.
func loud(s *StepView) bool {
	switch s.Status {
	case run.StepRunning, run.StepInDoubt, run.StepWaiting, run.StepFailed, run.StepUndoing:
		return true
	case run.StepPending, run.StepReady, run.StepSucceeded, run.StepSkipped, run.StepCancelled, run.StepUndone:
	}
	return s.Held || s.Taken
}

// pick chooses the steps that are shown: of many only those that a reader has
// to see, and those next to them.
func (t *runText) pick(steps []StepView) (shown []*StepView, hidden int) {
	const most = 40
	show := picked(steps, most, most)
	for i := range steps {
		if t.opts.Full || show[i] {
			shown = append(shown, &steps[i])
		}
	}
	return shown, len(steps) - len(shown)
}

// statusSign is the sign in front of a step of a run.
func statusSign(s run.StepStatus) (string, Role) {
	switch s {
	case run.StepSucceeded:
		return "✓", Good
	case run.StepFailed:
		return "✗", Danger
	case run.StepInDoubt:
		return "?", Danger
	case run.StepRunning:
		return "▸", Strong
	case run.StepWaiting:
		return "‖", Warn
	case run.StepUndoing, run.StepUndone:
		return "←", Warn
	case run.StepSkipped, run.StepCancelled:
		return "-", Muted
	case run.StepPending, run.StepReady:
	}
	return "·", Muted
}

// How wide the columns of the steps of a run get at most.
const (
	stepName  = 40
	phaseName = 9
	stepState = 22
)

// stateText is the state of a step with what it waits for.
func stateText(s *StepView) string {
	if s.Wait == "" {
		return string(s.Status)
	}
	return string(s.Status) + " (" + string(s.Wait) + ")"
}

func (t *runText) step(s *StepView) {
	sign, role := statusSign(s.Status)
	name := Strong
	if role == Muted {
		name = Muted
	}
	took := ""
	if !s.Ended.IsZero() {
		took = since(s.Began, s.Ended)
	} else if t.v.Owner != nil && s.Status == run.StepRunning {
		took = since(s.Began, t.v.Looked)
	}
	title, state := []span{in(role, sign+" "), in(name, s.ID)}, stateText(s)
	if !t.columnsRow(2, t.columns, title, cell(Muted, string(s.Phase)), cell(role, state), cell(Muted, took)) {
		t.para(2, 4, append(title, in(Muted, "  "+string(s.Phase)), in(role, "  "+state), in(Muted, "  "+took))...)
	}
	if s.Message != "" && s.Status != run.StepSucceeded {
		t.para(4, 6, plain(s.Message))
	}
	if s.Attempts > 1 && loud(s) && s.Status != run.StepSucceeded {
		text := fmt.Sprintf("attempt %d, %d at most%s", s.Attempts, max(s.Most, s.Attempts), resting(s))
		t.para(4, 6, in(Muted, text))
	}
	if s.Held {
		t.para(4, 6, in(Warn, "holds a lease"))
	}
	if s.Taken {
		t.para(4, 6, in(Danger, "somebody else changed what it had set: nothing was given back"))
	}
	for _, issue := range s.Issues {
		t.para(4, 6, in(Warn, "known issue "+issue.ID+": "), plain(issue.Explanation))
		if issue.Remedy != "" {
			t.para(6, 8, in(Muted, "Remedy: "), plain(issue.Remedy))
		}
		if issue.Source != "" {
			t.para(6, 8, in(Muted, "Source: "+issue.Source))
		}
		if issue.Line != "" && issue.In != "message" {
			t.para(6, 8, in(Muted, "In the "+issue.In+": "), plain(issue.Line))
		}
	}
}

func resting(s *StepView) string {
	if s.Next.IsZero() {
		return ""
	}
	return ", goes on " + moment(s.Next)
}
