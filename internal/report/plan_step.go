package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// step writes one step: a line with what it is, what it does, and what else a
// reader has to know. phaseOf tells the phase of every step of the stage.
func (t *planText) step(indent int, s *plan.Step, phaseOf map[string]plan.Phase) {
	m := markOf(s)
	name := Strong
	if m == markNoReturn {
		name = Danger
	}
	if m == markSkip {
		name = Muted
	}
	title := []span{in(m.role(), m.sign()+" "), in(name, s.ID)}
	time, way := stepTime(s), stepWay(s)
	if m == markSkip {
		time, way = in(Muted, "skipped"), span{}
	}
	var facets [][]span
	if !t.stepRow(indent, title, s, time, way) {
		t.para(indent, indent+2, append(title, in(Muted, "  "+s.Action))...)
		facets = [][]span{{time}, {way}}
	}
	if m == markSkip {
		t.para(indent+2, indent+4, in(Muted, s.Skip))
		return
	}
	if r := s.Remedy; r != nil {
		t.para(indent+2, indent+4, in(Warn, "only when known issue "+r.Issue+" is met, "+atMost(r.Max)))
	}
	t.stepText(indent+2, s)
	facets = append(facets, t.effects(s)...)
	facets = append(facets, t.order(s, phaseOf)...)
	if spans := joinFacets(facets); len(spans) > 0 {
		t.para(indent+2, indent+2, spans...)
	}
	if r := t.fold.noReturn; s.Reversible == plan.ReversibleNo && s.Irreversibly != "" &&
		(r == nil || r.Why != s.Irreversibly) {
		t.para(indent+2, indent+4, in(Danger, "no way back: "+s.Irreversibly))
	}
	for _, d := range s.Deferred {
		t.para(indent+2, indent+4, in(Muted, pointerName(d.Path)+" is known when the step starts: "+d.Text))
	}
	t.diff(indent+2, s)
}

// How wide the columns of the steps of a plan get at most: a title and an action leave
// room for the others on 80 columns.
const (
	stepTitle  = 26
	stepAction = 22
	stepTimes  = 13
)

// columnsOf returns the columns of steps, none where they leave no room for the rest of
// a row.
func (t *planText) columnsOf(steps []plan.Step) columns {
	const rest = 4 + 2 + 2 + stepTimes + 2 + 7 // the indent, the gaps, and how it is taken back
	var c columns
	for i := range steps {
		c = c.fitting([]int{stepTitle, stepAction}, "x "+steps[i].ID, steps[i].Action)
	}
	if len(c) > 0 && c[0]+c[1]+rest > t.width {
		return nil
	}
	return c
}

// stepRow writes what stands in the first line of a step: in columns, or, where there
// are none, with the time at the right edge.
func (t *planText) stepRow(indent int, title []span, s *plan.Step, time, way span) bool {
	if t.columns != nil {
		return t.columnsRow(indent, t.columns, title, cell(Muted, s.Action),
			[]span{padLeft(time, stepTimes), in(way.role, "  "+way.text)})
	}
	return t.row(indent, append(slices.Clone(title), in(Muted, "  "+s.Action)),
		[]span{time, in(way.role, padRight("  "+way.text, 9))})
}

// padLeft moves a span to the right edge of a column.
func padLeft(s span, columns int) span {
	return in(s.role, strings.Repeat(" ", max(0, columns-width(s.text)))+s.text)
}

// atMost says how often a remedy may be taken.
func atMost(n int) string {
	if n == 1 {
		return "once at most"
	}
	return fmt.Sprintf("%d times at most", n)
}

// stepTime says how long a step takes. How long a gate waits is up to others.
func stepTime(s *plan.Step) span {
	if s.Gate != "" {
		return span{}
	}
	return in(Muted, brief(s.Estimate))
}

// stepWay says how a step is taken back.
func stepWay(s *plan.Step) span {
	switch s.Reversible {
	case plan.ReversibleUndo:
		return in(Muted, "undo")
	case plan.ReversibleRestore:
		return in(Warn, "restore")
	case plan.ReversibleNo:
		return in(Danger, "no undo")
	case plan.ReversibleNone:
		return span{}
	default:
		return plain(string(s.Reversible))
	}
}

// padRight fills text with blanks up to a number of columns.
func padRight(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-width(text)))
}

// stepText says what the step does, in its author's and its action's words.
func (t *planText) stepText(indent int, s *plan.Step) {
	if s.Description != "" {
		t.para(indent, indent, plain(s.Description))
	}
	if s.Preview != nil && s.Preview.Summary != "" && s.Preview.Summary != s.Description {
		t.para(indent, indent+2, plain("→ "+s.Preview.Summary))
	}
}

// order says when the step runs, as far as the phases do not say it.
func (t *planText) order(s *plan.Step, phaseOf map[string]plan.Phase) [][]span {
	var facets [][]span
	add := func(role Role, format string, args ...any) {
		facets = append(facets, []span{in(role, fmt.Sprintf(format, args...))})
	}
	limit := 5
	if t.opts.Full {
		limit = 0
	}
	if s.Target != "" && s.Target != t.usual {
		add(Muted, "on %s", s.Target)
	}
	if needs := notObvious(s, phaseOf); len(needs) > 0 {
		add(Muted, "after %s", list(needs, limit))
	}
	if s.Free {
		add(Muted, "does not wait for phases")
	}
	if s.Resource != "" {
		add(Muted, "one at a time: %s", s.Resource)
	}
	if s.When != "" {
		add(Warn, "only if %s", s.When)
	}
	if f := s.ForEach; f != nil {
		add(Warn, "for each %s in %s, at most %s, known when the step starts", f.As, f.Expr, number(f.Max))
	}
	if l := s.Selection; l != nil {
		add(Warn, "%s", selectionText(l))
	}
	if s.OnFailure != "" && s.OnFailure != "halt" {
		add(Muted, "on failure: %s", s.OnFailure)
	}
	if t.opts.Full {
		facets = append(facets, patience(s)...)
	}
	return facets
}

// selectionText says how much an action may pick out, and who sees it first.
func selectionText(l *plan.Selection) string {
	text := fmt.Sprintf("picks at most %s when it starts", number(l.Max))
	if l.Approve {
		text += ", a person approves the list"
	}
	if l.Empty == plan.EmptyRefuse {
		text += ", fails when there is none"
	}
	return text
}

// notObvious returns the needs that the order of the phases does not imply.
func notObvious(s *plan.Step, phaseOf map[string]plan.Phase) []string {
	var needs []string
	for _, need := range s.Needs {
		if s.Free || phaseOf[need] == s.Phase {
			needs = append(needs, need)
		}
	}
	return needs
}

// effects says what the step does to components.
func (t *planText) effects(s *plan.Step) [][]span {
	var facets [][]span
	add := func(role Role, format string, args ...any) {
		facets = append(facets, []span{in(role, fmt.Sprintf(format, args...))})
	}
	if len(s.Covers) > 0 {
		online := ""
		if s.Online {
			online = ", while it is written to"
		}
		add(Add, "backs up %s (%s%s)", strings.Join(s.Covers, ", "), proofText(s.Proof), online)
	}
	if len(s.Quiesces) > 0 {
		add(Warn, "stops writes to %s", strings.Join(s.Quiesces, ", "))
	}
	if len(s.Changes) > 0 {
		add(Change, "changes %s", strings.Join(s.Changes, ", "))
	}
	if len(s.Downtime) > 0 {
		add(Warn, "takes down %s", strings.Join(s.Downtime, ", "))
	}
	if l := s.Lease; l != nil {
		add(Good, "given back %s%s", untilText(l), afterFailure(l.OnFailure))
	}
	return facets
}

// patience says how long and how often a step is tried.
func patience(s *plan.Step) [][]span {
	var facets [][]span
	if s.Timeout > 0 {
		facets = append(facets, []span{in(Muted, "at most "+human(s.Timeout))})
	}
	if s.Retry.Attempts > 1 {
		facets = append(facets, []span{in(Muted, fmt.Sprintf("%s, %s apart or more",
			count(s.Retry.Attempts, "attempt"), human(s.Retry.Backoff)))})
	}
	return facets
}

// joinFacets puts a dot between facets that are not empty.
func joinFacets(facets [][]span) []span {
	var spans []span
	for _, facet := range facets {
		if len(facet) == 0 || len(facet) == 1 && facet[0].text == "" {
			continue
		}
		if len(spans) > 0 {
			spans = append(spans, in(Muted, " · "))
		}
		spans = append(spans, facet...)
	}
	return spans
}

// proofText names a level of proof.
func proofText(level int) string {
	switch level {
	case 0:
		return "not proved"
	case 1:
		return "proof 1: read back"
	case 2:
		return "proof 2: parsed"
	case 3:
		return "proof 3: restored and counted"
	default:
		return fmt.Sprintf("proof %d", level)
	}
}

// untilText says when a lease ends.
func untilText(l *plan.StepLease) string {
	switch {
	case len(l.Steps) > 0:
		return "after " + list(l.Steps, 3)
	case l.Until == "stage":
		return "at the end of the stage"
	case l.Until == "run":
		return "at the end of the run"
	default:
		return l.Until
	}
}

func afterFailure(onFailure string) string {
	if onFailure == "hold" {
		return ", held after a failure"
	}
	return ""
}

// pointerName writes a JSON pointer as people read it: "chart.version".
func pointerName(pointer string) string {
	name := strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
}

// diff shows what the action would change, as far as it says so.
func (t *planText) diff(indent int, s *plan.Step) {
	if s.Preview == nil || s.Preview.Diff == "" {
		return
	}
	lines := strings.Split(strings.TrimRight(s.Preview.Diff, "\n"), "\n")
	for i, text := range lines {
		if t.fold.diff > 0 && i == t.fold.diff && len(lines) > i+1 {
			t.para(indent+2, indent+2, in(Muted, more(len(lines)-i, "line")))
			return
		}
		t.diffLine(indent+2, text)
	}
}

// diffLine writes one line of a unified diff. It is cut instead of wrapped,
// because the first column has a meaning.
func (t *planText) diffLine(indent int, text string) {
	text = strings.ReplaceAll(strings.TrimRight(text, "\r"), "\t", "    ")
	role := Muted
	switch {
	case strings.HasPrefix(text, "+++"), strings.HasPrefix(text, "---"):
	case strings.HasPrefix(text, "+"):
		role = Add
	case strings.HasPrefix(text, "-"):
		role = Danger
	}
	text = t.cleanText(text)
	if !t.opts.Full {
		text = truncate(text, t.width-indent, t.cleanText("…"))
	}
	t.para(indent, indent+2, in(role, text))
}
