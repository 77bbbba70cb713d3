package report

import (
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// stage writes one stage, or one line for it when it is folded.
func (t *planText) stage(i int) {
	s := &t.plan.Stages[i]
	if t.fold.hides(t.plan, i) {
		t.stageLine(i, s)
		return
	}
	title := fmt.Sprintf("Stage %d of %d: %s", i+1, len(t.plan.Stages), s.ID)
	if s.Hop != nil {
		title += fmt.Sprintf(" (%s %s → %s)", s.Hop.Kind, s.Hop.From, s.Hop.To)
	}
	t.blank()
	t.rule(Heading, "━", title)
	if s.Description != "" {
		t.para(2, 2, plain(s.Description))
	}
	t.stageFields(s)
	t.phases(s)
	t.coverage(s)
	t.leases(s)
	t.abort(s)
	t.blank()
}

// stageLine is what is left of a folded stage.
func (t *planText) stageLine(i int, s *plan.Stage) {
	if i > 0 && !t.fold.hides(t.plan, i-1) {
		t.blank()
	}
	sum := summaryOf(t.plan, s)
	spans := []span{
		in(Muted, fmt.Sprintf("Stage %d of %d: ", i+1, len(t.plan.Stages))), in(Strong, s.ID),
		in(Muted, fmt.Sprintf(" (%s, %s, %s)", count(len(s.Steps), "step"), brief(s.Estimate), shortDigest(s.Digest))),
	}
	if sum.FitsWindow != nil && !*sum.FitsWindow {
		spans = append(spans, in(Danger, " does not fit its window"))
	}
	t.para(0, 2, spans...)
}

// summaryOf returns the prediction for a stage; a zero one when there is none.
func summaryOf(p *plan.Plan, s *plan.Stage) plan.StageSummary {
	for _, sum := range p.Summary.Stages {
		if sum.ID == s.ID {
			return sum
		}
	}
	return plan.StageSummary{ID: s.ID, Duration: s.Estimate}
}

// stageFields says what must hold before the stage and how long it takes.
func (t *planText) stageFields(s *plan.Stage) {
	sum := summaryOf(t.plan, s)
	t.field("Digest", in(Muted, shortDigest(s.Digest)))
	t.field("Duration", plain(aboutFrom(sum.Duration)))
	t.field("Way back", plain(aboutFrom(sum.Rollback)))
	t.stageWindows(s, &sum)
	t.facts("Starts when", s.Expects)
	t.facts("Leaves", s.Leaves)
	for i := range s.Gates {
		t.gate(&s.Gates[i])
	}
	if s.Soak != nil {
		t.field("Soak", plain(soakText(s.Soak)))
	}
	if s.OnFailure != "" && s.OnFailure != "halt" {
		t.field("On failure", plain(s.OnFailure))
	}
}

// stageWindows lists the windows and says whether the stage fits them.
func (t *planText) stageWindows(s *plan.Stage, sum *plan.StageSummary) {
	label := "Window"
	for i := range s.Windows {
		t.field(label, plain(windowText(&s.Windows[i])))
		label = ""
	}
	if sum.FitsWindow == nil {
		return
	}
	need := fmt.Sprintf("%s + %s for the way back, at worst", rough(sum.InWindow.Worst), rough(sum.Rollback.Worst))
	if *sum.FitsWindow {
		t.field(label, in(Good, "fits"), in(Muted, ": "+need))
	} else {
		t.field(label, in(Danger, "does not fit"), plain(": "+need))
	}
}

// windowText says when a window is open: "Sat, Sun 22:00 for 4h
// (Europe/Paris), pauses when it closes".
func windowText(w *plan.Window) string {
	day := w.Date
	if day == "" {
		day = strings.Join(w.Days, ", ")
	}
	text := strings.TrimSpace(fmt.Sprintf("%s %s for %s (%s)", day, w.Start, human(w.Duration), w.Zone))
	switch w.OnClose {
	case "finish":
		return text + ", finishes after it closes"
	case "pause":
		return text + ", pauses when it closes"
	case "abort":
		return text + ", aborts when it closes"
	default:
		return text
	}
}

// facts lists expected facts; the ones that the author did not write himself
// are folded when they are many.
func (t *planText) facts(label string, expects []plan.Expect) {
	const shown = 6
	for i := range expects {
		if i == shown && len(expects) > shown+1 && !t.opts.Full {
			t.field("", in(Muted, more(len(expects)-shown, "fact")))
			return
		}
		t.field(label, in(Strong, expects[i].Fact), plain(" "+expectText(&expects[i])))
		label = ""
	}
}

// expectText says what a fact must be: `= "1.2.0"`.
func expectText(e *plan.Expect) string {
	switch {
	case e.Absent:
		return "is absent"
	case e.Digest != "":
		return "has digest " + shortDigest(e.Digest)
	default:
		return "= " + shortValue(e.Value)
	}
}

// gate writes what must happen before the stage starts.
func (t *planText) gate(g *plan.Gate) {
	who := g.Kind
	if g.Kind == "approval" && g.Count > 1 {
		who = fmt.Sprintf("%d approvals", g.Count)
	}
	if len(g.By) > 0 {
		who += " by " + strings.Join(g.By, ", ")
	}
	spans := []span{in(Warn, "‖ "+g.Name), in(Muted, " ("+who+")")}
	if g.Reason != "" {
		spans = append(spans, plain(": "+g.Reason))
	}
	if r := g.Requirement; r != nil {
		spans = append(spans, in(Muted, fmt.Sprintf(" Passes when %s is %s.", r.Fact, r.Constraint)))
	}
	t.field("Gate", spans...)
}

func soakText(s *plan.Soak) string {
	text := fmt.Sprintf("%s of observation, every %s", human(s.For), human(s.Every))
	if len(s.Checks) > 0 {
		text += ": " + list(s.Checks, 6)
	}
	if s.MaxGap > 0 {
		text += fmt.Sprintf("; gaps up to %s are tolerated", human(s.MaxGap))
	}
	return text
}

// phases writes the steps under the headings of their phases.
func (t *planText) phases(s *plan.Stage) {
	byPhase := map[plan.Phase][]*plan.Step{}
	phaseOf := make(map[string]plan.Phase, len(s.Steps))
	for i := range s.Steps {
		step := &s.Steps[i]
		byPhase[step.Phase] = append(byPhase[step.Phase], step)
		phaseOf[step.ID] = step.Phase
	}
	t.columns = t.columnsOf(s.Steps)
	for _, phase := range plan.Phases() {
		steps := byPhase[phase]
		if len(steps) == 0 {
			continue
		}
		shown, hidden := t.fold.pick(s.ID, steps)
		t.blank()
		first := len(shown) > 0 && t.fold.isNoReturn(s.ID, shown[0])
		if first {
			t.noReturn() // Nobody looks for a phase above the line of which all is below it.
		}
		t.para(2, 2, in(Heading, title(string(phase))))
		for i, step := range shown {
			if t.fold.isNoReturn(s.ID, step) && (i > 0 || !first) {
				t.noReturn()
			}
			t.step(4, step, phaseOf)
		}
		if hidden > 0 {
			t.para(4, 6, in(Muted, more(hidden, "step")))
		}
	}
}

// noReturn draws the line that nobody may miss.
func (t *planText) noReturn() {
	r := t.plan.Summary.PointOfNoReturn
	t.blank()
	t.rule(Danger, "═", "POINT OF NO RETURN")
	t.para(4, 4, in(Danger, fmt.Sprintf("After %s/%s there is no way back: %s", r.Stage, r.Step, r.Why)))
	t.rule(Danger, "═", "")
	t.blank()
}

// title writes the first letter of an English word large.
func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
