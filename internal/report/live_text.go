package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// barWidth is how many columns the bar of a run or an operation takes.
const barWidth = 20

// progressBar draws how much of something is done; nothing where nobody knows how
// much there is.
func progressBar(done, total int64) []span {
	if total <= 0 {
		return nil
	}
	n := int(min(max(done, 0), total) * barWidth / total)
	return []span{in(Good, strings.Repeat("━", n)), in(Muted, strings.Repeat("─", barWidth-n)), plain(" ")}
}

// LiveHeadText writes what stands above the steps on a screen: the run and its
// state, why it is in that state, how much is done, when it ends and how late it is,
// and who drives it when nobody does. Each line is cut at the width. The error is
// that of w.
func LiveHeadText(w io.Writer, v *RunView, opts TextOptions) error {
	const headline = 2 // lines at most
	t := liveText{page: newPage(w, opts), v: v}
	elapsed := v.Looked
	if v.Status.Final() {
		elapsed = v.Updated
	}
	title := []span{
		in(Heading, "Run "+v.ID), plain(" "), in(statusRole(v.Status), string(v.Status)),
		in(Muted, "  "), in(Strong, v.Platform), plain(": " + v.Procedure),
	}
	if v.Path != "" {
		title = append(title, plain(" "+v.Path))
	}
	t.cut(0, title, []span{in(Muted, lasted(v.Created, elapsed))})
	t.few(2, headline, []span{plain(v.Headline)})
	n := &v.Counts
	counts := (&runText{page: t.page, v: v}).counts()
	t.cut(2, append(progressBar(int64(n.Done+n.Skipped), int64(n.Total)), counts...), nil)
	if text := endsText(v); text != nil {
		t.cut(2, text, nil)
	}
	if text := behindText(v); text != nil {
		t.few(2, headline, text)
	}
	if v.Owner == nil && !v.Status.Final() {
		t.cut(2, []span{in(Warn, "driven by "+v.Driven)}, nil)
	}
	return t.close()
}

// lasted says how long something has lasted at a time, in whole seconds; "" when
// nobody knows.
func lasted(began, now time.Time) string {
	if began.IsZero() || now.Before(began) {
		return ""
	}
	return orText(human(durationOf(now.Sub(began).Truncate(time.Second))), "0s")
}

// behindText says how late the run is, and how long it has waited.
func behindText(v *RunView) []span {
	var out []span
	say := func(name string, l *LateView) {
		if l != nil {
			out = append(out, in(lateRole(l), name+" late: "), plain(l.Text+"  "))
		}
	}
	if v.RunLate == nil {
		say("stage", v.StageLate)
	}
	say("run", v.RunLate)
	if v.Waited >= durationOf(time.Second) {
		out = append(out, in(Muted, "waited "+human(v.Waited)))
	}
	return out
}

// endsText says when the stage and the run end.
func endsText(v *RunView) []span {
	if v.RunEnds == nil {
		return nil
	}
	var out []span
	say := func(name string, f *ForecastView) {
		if len(out) > 0 {
			out = append(out, in(Muted, " · "))
		}
		switch {
		case f.Unknown != "":
			out = append(out, in(Muted, name+" ends: unknown, "+f.Unknown))
		case f.Worst == 0:
			out = append(out, plain(name+" ends now"))
		default:
			text := name + " ends in " + orText(rough(f.Typical), "no time")
			if f.Worst > f.Typical {
				text += ", at the latest in " + rough(f.Worst)
			}
			out = append(out, plain(text))
		}
	}
	if v.StageEnds != nil && *v.StageEnds != *v.RunEnds {
		say("stage", v.StageEnds)
	}
	say("run", v.RunEnds)
	return out
}

// LiveRowText writes one row of a screen, cut at the width. The error is that of w.
func LiveRowText(w io.Writer, v *RunView, r *LiveRow, opts TextOptions) error {
	t := liveText{page: newPage(w, opts), v: v, stageID: r.Stage}
	switch r.Kind {
	case LiveStage:
		t.stage(r)
	case LivePhase:
		t.cut(2, []span{in(Heading, string(r.phase))}, []span{in(Muted, phaseCount(r))})
	case LiveStep:
		t.step(r.step, r.names)
	case LiveNote:
		t.cut(6, r.note, nil)
	case LiveFolded:
		t.cut(4, []span{in(Muted, "… "+count(r.hidden, "more step"))}, nil)
	}
	return t.close()
}

// liveText is one piece of a screen.
type liveText struct {
	*page
	v *RunView
	// stageID is the stage of the row.
	stageID string
}

// cut writes left and, at the right edge of the same line, right. What does not
// fit is cut off from left.
func (t *liveText) cut(indent int, left, right []span) {
	left, right = t.clean(left), t.clean(right)
	edge := min(t.width, maxRule)
	room := edge - indent
	if n := spansWidth(right); n > 0 {
		room -= n + 2
	}
	if room < 10 { // The right part is of no use then.
		right, room = nil, edge-indent
	}
	left = cutSpans(left, room, t.cleanText("…"))
	if len(right) > 0 {
		gap := edge - indent - spansWidth(left) - spansWidth(right)
		left = append(append(left, plain(strings.Repeat(" ", gap))), right...)
	}
	t.line(indent, left)
}

// few writes spans on no more than most lines.
func (t *liveText) few(indent, most int, spans []span) {
	edge := min(t.width, maxRule) - indent
	lines := layout(t.clean(spans), edge, edge)
	for i, line := range lines {
		if i == most-1 && len(lines) > most {
			line = cutSpans(append(line, plain(t.cleanText(" …"))), edge, t.cleanText("…"))
		}
		if i < most {
			t.line(indent, line)
		}
	}
}

// cutSpans shortens clean spans to at most limit columns.
func cutSpans(spans []span, limit int, tail string) []span {
	if spansWidth(spans) <= limit {
		return spans
	}
	var out []span
	used := 0
	for _, s := range spans {
		if n := width(s.text); used+n <= limit-width(tail) {
			out, used = append(out, s), used+n
			continue
		}
		s.text = truncate(s.text+strings.Repeat(" ", width(tail)+1), limit-used, tail)
		return append(out, s)
	}
	return out
}

// stage writes the title of a stage.
func (t *liveText) stage(r *LiveRow) {
	s := r.stage
	sign, role := "▾ ", Strong
	if !r.open {
		sign = "▹ "
	}
	name := fmt.Sprintf("Stage %d: %s", s.Number, s.ID)
	if s.Abort {
		name = "Way back: " + s.ID
	}
	done, failed := 0, 0
	for i := range s.Steps {
		switch s.Steps[i].Status { //nolint:exhaustive // The others are not counted.
		case run.StepSucceeded, run.StepSkipped, run.StepCancelled:
			done++
		case run.StepFailed, run.StepInDoubt:
			failed++
		}
	}
	switch {
	case failed > 0:
		role = Danger
	case s.Part == run.PartOver:
		role = Good
	case s.Part == run.PartAhead:
		role = Muted
	}
	left := []span{plain(sign), in(role, name), in(Muted, "  "+partText(s)+partWait(s))}
	t.cut(0, left, []span{in(Muted, number(done)+" of "+count(len(s.Steps), "step"))})
}

// partWait says what a stage waits for.
func partWait(s *StageView) string {
	w := &s.Window
	switch {
	case s.Part == run.PartSoaking && s.Soak != nil:
		return ", " + orText(human(s.Soak.Covered), "nothing") + " of " + human(s.Soak.For) + " observed"
	case s.Part == run.PartOver || s.Part == run.PartAhead:
	case w.Never != "":
		return ", " + w.Never
	case w.Open && !w.ClosesAt.IsZero():
		return ", window open until " + moment(w.ClosesAt)
	case w.Asked && !w.Open && !w.OpensAt.IsZero():
		return ", window opens " + moment(w.OpensAt)
	}
	return ""
}

// phaseCount says how many steps of a phase are done.
func phaseCount(r *LiveRow) string {
	done, all := 0, 0
	for i := range r.stage.Steps {
		if s := &r.stage.Steps[i]; s.Phase == r.phase {
			all++
			switch s.Status { //nolint:exhaustive // The others are not done.
			case run.StepSucceeded, run.StepSkipped, run.StepCancelled:
				done++
			}
		}
	}
	return number(done) + " of " + number(all)
}

// step writes a step: its sign, its name, its action, and at the right how long it
// has taken and its state in words.
func (t *liveText) step(s *StepView, names int) {
	sign, role := statusSign(s.Status)
	name := Text
	switch {
	case loud(s):
		name = Strong
	case role == Muted:
		name = Muted
	}
	left := []span{in(role, sign+" "), in(name, padRight(s.ID, names)), in(Muted, "  "+s.Action)}
	if s.Attempts > 1 && s.Status != run.StepSucceeded {
		left = append(left, in(Warn, fmt.Sprintf("  attempt %d of %d", s.Attempts, max(s.Most, s.Attempts))))
	}
	if s.Held {
		left = append(left, in(Warn, "  holds a lease"))
	}
	if len(s.Issues) > 0 {
		left = append(left, in(Warn, "  known issue "+s.Issues[0].ID))
	}
	state := string(s.Status)
	if s.Wait != "" {
		state += " (" + string(s.Wait) + ")"
	}
	took := ""
	switch {
	case s.Status == run.StepRunning && t.v.Owner != nil:
		took = t.working(s)
	case !s.Ended.IsZero():
		took = lasted(s.Began, s.Ended)
	}
	t.cut(4, left, []span{in(Muted, took+"  "), in(role, padRight(state, 10))})
}

// working says how long a step that is under way was worked on, without what it waited.
func (t *liveText) working(s *StepView) string {
	for i := range t.v.Operations {
		if a := &t.v.Operations[i]; a.Step == s.ID && a.Stage == t.stageID && a.Took > 0 && s.Attempts > 1 {
			return orText(human(durationOf(time.Duration(a.Took).Truncate(time.Second))), "0s")
		}
	}
	return lasted(s.Began, t.v.Looked)
}

// LiveFootText writes what stands below the steps on a screen, the most urgent
// first and no more than most lines: what is in doubt, what blocks, which gates
// wait, what is held, and which components are up or down. The error is that of w.
func LiveFootText(w io.Writer, v *RunView, most int, opts TextOptions) error {
	t := liveText{page: newPage(w, opts), v: v}
	var lines [][]span
	for _, d := range v.InDoubt {
		lines = append(lines, []span{
			in(Danger, "? in doubt: "), in(Strong, d.Text), plain(": " + orText(d.Message, d.Reason)),
		})
	}
	for i := range v.Findings {
		if f := &v.Findings[i]; f.Blocks() {
			lines = append(lines, []span{in(Danger, "✗ blocked by "), in(Strong, f.Name), plain(": " + f.Message)})
		}
	}
	for i := range v.Gates {
		lines = append(lines, gateLine(&v.Gates[i]))
	}
	if r := v.Rollback; r != nil {
		lines = append(lines, []span{
			in(Warn, "← rollback "), plain("to the start of stage "), in(Strong, r.To),
			plain(fmt.Sprintf(": %s of %s done", number(r.Done), count(r.Total, "operation"))),
		})
	}
	for _, l := range v.Leases {
		lines = append(lines, leaseLine(&l, v))
	}
	lines = append(lines, componentLines(v)...)
	for i, line := range lines {
		if i == most-1 && len(lines) > most {
			t.cut(0, []span{in(Muted, "… "+number(len(lines)-i)+" more")}, nil)
			break
		}
		t.cut(0, line, nil)
	}
	return t.close()
}

// gateLine says what a gate waits for.
func gateLine(g *GateView) []span {
	what := "waits for an approval"
	if g.Kind == run.WaitPerson {
		what = "waits for a person's work"
	}
	if g.Count > 1 {
		what += fmt.Sprintf(" (%d of %d)", len(g.By), g.Count)
	}
	role, question := Text, firstLine(g.Question)
	if g.Rejected != "" {
		role, question = Danger, "refused: "+g.Rejected
	}
	name := plan.StepPath(g.Stage, g.Name)
	return []span{in(Warn, "‖ "), in(Strong, name), in(Warn, " "+what), in(role, ": "+question)}
}

// leaseLine says what is held, and since when.
func leaseLine(l *LeaseView, v *RunView) []span {
	spans := []span{in(Warn, "● held: "), in(Strong, plan.StepPath(l.Stage, l.Step))}
	if text := lasted(l.Since, v.Looked); text != "" {
		spans = append(spans, plain(" for "+text))
	}
	if len(l.Quiesces) > 0 {
		spans = append(spans, plain(", stops writes to "+strings.Join(l.Quiesces, ", ")))
	}
	if l.Failed != "" {
		spans = append(spans, in(Danger, ", not released: "+l.Failed))
	}
	return spans
}

// componentLines says which components are down, each on a line of its own, and then
// which are not.
func componentLines(v *RunView) [][]span {
	var lines [][]span
	var others []span
	for i := range v.Downtime {
		d := &v.Downtime[i]
		if n := len(d.Outages); n > 0 && d.Outages[n-1].Open {
			lines = append(lines, append([]span{
				in(Danger, "✗ "), in(Strong, d.Component), in(Danger, " down"),
				plain(" for " + lasted(d.Outages[n-1].From, v.Looked)),
			}, downInAll(d)...))
			continue
		}
		if len(others) > 0 {
			others = append(others, in(Muted, " · "))
		}
		if d.Up == 0 {
			others = append(others, in(Muted, "○ "+d.Component+" not measured"))
			continue
		}
		others = append(others, in(Good, "● "), in(Strong, d.Component), in(Good, " up"))
		others = append(others, downInAll(d)...)
	}
	if len(others) > 0 {
		lines = append(lines, others)
	}
	return lines
}

// downInAll says how long a component was down until now, beside the prediction.
func downInAll(d *DowntimeView) []span {
	var out []span
	if d.Down > 0 {
		out = append(out, plain(", down "+fineText(d.Down)+" in all"))
	}
	if d.Predicted.Worst > 0 {
		out = append(out, in(Muted, ", predicted "+rough(d.Predicted.Typical)+", at worst "+rough(d.Predicted.Worst)))
	}
	return out
}

// LiveEventText writes one event as one line, cut at the width. The error is that
// of w.
func LiveEventText(w io.Writer, l EventLine, opts TextOptions) error {
	t := liveText{page: newPage(w, opts)}
	left := []span{in(Muted, l.At.UTC().Format("15:04:05")), plain("  ")}
	if l.Where != "" {
		left = append(left, in(Muted, l.Where), plain("  "))
	}
	t.cut(0, append(left, in(l.role, l.Text)), nil)
	return t.close()
}

// LiveKey is a key of a screen and what it does.
type LiveKey struct{ Keys, Text string }

// LiveHelpText explains a screen: its keys and its signs. The error is that of w.
func LiveHelpText(w io.Writer, keys []LiveKey, opts TextOptions) error {
	p := newPage(w, opts)
	p.para(0, 2, in(Heading, "Keys"))
	for _, k := range keys {
		p.field(k.Keys, plain(k.Text))
	}
	p.blank()
	p.para(0, 2, in(Heading, "Signs"))
	for _, s := range []struct {
		status run.StepStatus
		text   string
	}{
		{run.StepPending, "not begun"},
		{run.StepRunning, "under way"},
		{run.StepWaiting, "waits"},
		{run.StepSucceeded, "done"},
		{run.StepFailed, "failed"},
		{run.StepInDoubt, "in doubt: nobody can see whether it has happened"},
		{run.StepUndone, "taken back"},
		{run.StepSkipped, "skipped"},
	} {
		sign, role := statusSign(s.status)
		p.field(sign, in(role, s.text))
	}
	return p.close()
}

// LiveEndText writes what a person wants to know of a run that has ended on their
// screen: how long it took, how long components were down, and where all of it can be
// read. The error is that of w.
func LiveEndText(w io.Writer, v *RunView, opts TextOptions) error {
	t := liveText{page: newPage(w, opts), v: v}
	took := []span{plain("took " + lasted(v.Created, v.Updated))}
	if v.Waited >= durationOf(time.Second) {
		took = append(took, plain(", of which it waited "+human(v.Waited)))
	}
	t.para(2, 4, took...)
	for i := range v.Downtime {
		role, text := measuredText(&v.Downtime[i])
		t.para(2, 4, in(Strong, v.Downtime[i].Component), plain(" "), in(role, text))
	}
	t.choice(&NextCommand{Command: "refit report " + shellWord(v.ID), Why: "what was done, and what became of it"})
	return t.close()
}
