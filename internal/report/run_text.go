package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// RunText writes v for people: where the run stands and why, what goes on, what
// it waits for, what it holds, and which commands they can type next. The error
// is that of w.
func RunText(w io.Writer, v RunView, opts TextOptions) error {
	t := runText{page: newPage(w, opts), v: &v}
	t.head()
	t.doubts()
	for i := range v.Stages {
		t.stage(&v.Stages[i])
	}
	t.operations()
	t.leases()
	t.rollback()
	t.remains()
	t.runFindings()
	t.downtime()
	t.channels()
	t.gates()
	t.commands()
	return t.close()
}

// runText is one rendering of a RunView.
type runText struct {
	*page
	v *RunView
	// columns are those of the steps of the stage that is written.
	columns columns
}

func durationOf(d time.Duration) plan.Duration { return plan.Duration(d) }

// statusRole paints a state of a run.
func statusRole(s run.Status) Role {
	switch s {
	case run.Succeeded:
		return Good
	case run.Halted, run.Failed, run.PartlyRolledBack:
		return Danger
	case run.Waiting, run.Paused, run.RollingBack, run.RolledBack, run.Cancelled:
		return Warn
	case run.Planned, run.Running:
		return Strong
	}
	return Strong
}

func (t *runText) head() {
	v := t.v
	t.para(0, 2, in(Heading, "Run "+v.ID), plain(" "), in(statusRole(v.Status), string(v.Status)),
		plain(": "+v.Headline))
	t.blank()
	what := []span{in(Strong, v.Platform), plain(": " + v.Procedure)}
	if v.Path != "" {
		what = append(what, plain(" "+v.Path))
	}
	t.field("Platform", what...)
	t.field("Steps", t.counts()...)
	role := Text
	if v.Owner == nil && !v.Status.Final() {
		role = Warn
	}
	t.field("Driven by", in(role, v.Driven))
	if v.Next.After(v.Looked) && !v.Status.Final() {
		t.field("Goes on", plain(t.when(v.Next)))
	}
	if v.Reason != "" && !strings.HasPrefix(v.Headline, reasonText(v.Reason)) {
		t.field("Reason", plain(v.Reason))
	}
	if v.RunEnds != nil && *v.StageEnds != *v.RunEnds {
		t.ends("Stage ends", v.StageEnds)
	}
	t.ends("Run ends", v.RunEnds)
	if v.RunLate != nil {
		t.field("Late", in(lateRole(v.RunLate), v.RunLate.Text))
	}
	if v.Waited >= durationOf(time.Second) && !v.Status.Final() {
		t.field("Waited", plain(human(v.Waited)+" for people, windows and targets: that is not late"))
	}
	t.field("Started", plain(moment(v.Created)+" by "+v.By))
	last := moment(v.Updated) + ", event " + number(int(v.Events)) //nolint:gosec // A history is far shorter.
	if v.Head != "" {
		last += ", chain " + shortDigest(v.Head)
	}
	t.field("Last event", plain(last))
	t.field("Plan", plain(shortDigest(v.Digest)))
	t.blank()
}

// when says when something is, from the moment of the look on: "in 4m (09:12 UTC)".
func (t *runText) when(at time.Time) string {
	text, now := clockTime(at, t.v.Looked), t.v.Looked
	if d := at.Sub(now); d >= time.Second {
		return "in " + human(durationOf(d)) + " (" + text + ")"
	}
	return text
}

// clockTime writes a time of today without its date.
func clockTime(at, now time.Time) string {
	at = at.UTC()
	if at.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return at.Format("15:04 MST")
	}
	return at.Format("2006-01-02 15:04 MST")
}

func (t *runText) counts() []span {
	n := &t.v.Counts
	spans := []span{plain(number(n.Done) + " of " + number(n.Total) + " done")}
	for _, c := range []struct {
		n    int
		role Role
		word string
	}{
		{n.Skipped, Muted, "skipped"},
		{n.Failed, Danger, "failed"},
		{n.InDoubt, Danger, "in doubt"},
		{n.Undone, Warn, "taken back"},
	} {
		if c.n > 0 {
			spans = append(spans, plain(", "), in(c.role, number(c.n)+" "+c.word))
		}
	}
	return spans
}

// doubts come first: nothing is more urgent.
func (t *runText) doubts() {
	if len(t.v.InDoubt) == 0 {
		return
	}
	t.blank()
	t.para(0, 2, in(Danger, "In doubt"), plain(": look at the target, then say what you saw"))
	for _, d := range t.v.InDoubt {
		t.para(2, 4, in(Danger, "? "), in(Strong, d.Text), in(Muted, ", attempt "+number(d.Attempt)),
			plain(": "+orText(d.Message, d.Reason)))
	}
	t.blank()
}

func (t *runText) operations() {
	if len(t.v.Operations) == 0 {
		return
	}
	title := "Under way"
	if t.v.Owner == nil {
		title = "Goes on with"
	}
	t.blank()
	t.para(0, 2, in(Heading, title))
	const most = 12
	for i, a := range t.v.Operations {
		if i == most && !t.opts.Full {
			t.para(2, 4, in(Muted, more(len(t.v.Operations)-most, "operation")))
			return
		}
		t.operation(&a)
	}
}

// operation writes what is under way: for how long, how far it has come, and how long
// it takes.
func (t *runText) operation(a *OperationView) {
	spans := []span{in(Strong, a.Text)}
	if t.v.Owner != nil {
		if text := since(a.Began, t.v.Looked); text != "" {
			spans = append(spans, in(Muted, ", for "+text))
		}
	}
	t.para(2, 4, spans...)
	if a.Progress != nil {
		t.para(4, 6, plain(ProgressText(*a.Progress)+rateText(a)))
	}
	facets := [][]span{lateSpans(a)}
	if !a.Deadline.IsZero() {
		facets = append(facets, []span{in(Muted, "times out "+t.when(a.Deadline))})
	}
	if spans := joinFacets(facets); len(spans) > 0 {
		t.para(4, 6, spans...)
	}
}

// ProgressText says how far an effect has come: "3 of 12 files (25 %), copying".
func ProgressText(p action.Progress) string {
	text := ""
	switch {
	case p.Total > 0:
		text = fmt.Sprintf("%s of %s %s (%d %%)", number(int(p.Done)), number(int(p.Total)), p.Unit, p.Done*100/p.Total)
	case p.Done > 0:
		text = number(int(p.Done)) + " " + p.Unit
	}
	text = strings.Join(strings.Fields(text), " ")
	switch {
	case text == "":
		return p.Note
	case p.Note == "":
		return text
	default:
		return text + ", " + p.Note
	}
}

func (t *runText) gates() {
	if len(t.v.Gates) == 0 {
		return
	}
	t.blank()
	t.para(0, 2, in(Heading, "Waits for a person"))
	for i := range t.v.Gates {
		t.gate(&t.v.Gates[i])
	}
}

func (t *runText) gate(g *GateView) {
	what := "approval"
	if g.Kind == run.WaitPerson {
		what = "a person's work"
	}
	if len(g.From) > 0 {
		what += " by " + strings.Join(g.From, ", ")
	}
	if g.Count > 1 || len(g.By) > 0 {
		what += fmt.Sprintf("; %d of %d", len(g.By), g.Count)
	}
	if len(g.By) > 0 {
		what += ": " + strings.Join(g.By, ", ")
	}
	t.para(2, 4, in(Warn, "‖ "), in(Strong, plan.StepPath(g.Stage, g.Name)), in(Muted, " ("+what+")"),
		plain(": "+firstLine(g.Question)))
	if g.Rejected != "" {
		t.para(4, 4, in(Danger, "refused: "+g.Rejected))
	}
	t.command(4, g.Command)
}

func (t *runText) leases() {
	if len(t.v.Leases) == 0 {
		return
	}
	t.blank()
	t.para(0, 2, in(Heading, "Held"), plain(": temporary changes that were not given back"))
	for _, l := range t.v.Leases {
		spans := []span{in(Warn, plan.StepPath(l.Stage, l.Step)), plain(" since " + moment(l.Since))}
		if len(l.Quiesces) > 0 {
			spans = append(spans, plain(", stops writes to "+strings.Join(l.Quiesces, ", ")))
		}
		if l.Until != "" {
			spans = append(spans, in(Muted, ", given back "+l.Until+afterFailure(l.OnFailure)))
		}
		t.para(2, 4, spans...)
		if l.Failed != "" {
			t.para(4, 6, in(Danger, "not released: "+l.Failed))
		}
	}
}

func (t *runText) rollback() {
	r := t.v.Rollback
	if r == nil {
		return
	}
	t.blank()
	t.para(0, 2, in(Heading, "Rollback"), plain(" to the start of stage "), in(Strong, r.To),
		plain(fmt.Sprintf(": %s of %s done", number(r.Done), count(r.Total, "operation"))))
	if len(r.Remainder) > 0 {
		t.para(2, 4, in(Danger, "stays done, behind a point of no return: "), plain(list(r.Remainder, t.limit(8))))
	}
}

func (t *runText) limit(n int) int {
	if t.opts.Full {
		return 0
	}
	return n
}

// remains lists what is not done or not taken back, once that is final or a
// person has to decide.
func (t *runText) remains() {
	v := t.v
	if len(v.Undone) > 0 {
		t.blank()
		t.para(0, 2, in(Heading, "Taken back"), plain(": "+list(v.Undone, t.limit(8))))
	}
	if len(v.Remains) == 0 || !v.Status.Final() && v.Status != run.Halted {
		return
	}
	t.blank()
	word := "Not done"
	if v.Status == run.RolledBack || v.Status == run.PartlyRolledBack || v.Rollback != nil {
		word = "Not taken back"
	}
	t.para(0, 2, in(Heading, word), plain(": "+list(v.Remains, t.limit(8))))
}

func (t *runText) runFindings() {
	shown := false
	for i := range t.v.Findings {
		shown = shown || classOf(&t.v.Findings[i]) != classPasses
	}
	if shown || t.opts.Full && len(t.v.Findings) > 0 {
		t.findingList(t.v.Findings)
	}
}

// commands lists what can be typed, but for the commands that stand beside
// their gates already.
func (t *runText) commands() {
	title := true
	for _, c := range t.v.Commands {
		if slices.ContainsFunc(t.v.Gates, func(g GateView) bool { return g.Command == c.Command }) {
			continue
		}
		if title {
			t.blank()
			t.para(0, 2, in(Heading, "What you can type next"))
			title = false
		}
		t.offer(&c)
	}
}

// offer writes a command and what it is for. What the first line says already is not
// said again.
func (t *runText) offer(c *NextCommand) {
	short := NextCommand{Command: c.Command, Why: notSaid(c.Why, t.v.Headline)}
	if strings.Contains(t.v.Headline, short.Why) {
		t.command(2, c.Command)
		return
	}
	t.choice(&short)
}

// notSaid returns what a command is for, "WHAT: WHY; MORE", without the why that was
// said already.
func notSaid(why, said string) string {
	what, about, ok := strings.Cut(why, ": ")
	if !ok {
		return why
	}
	for end := len(about); end > 0; end = strings.LastIndex(about[:end], "; ") {
		if !strings.Contains(said, about[:end]) {
			continue
		}
		if more := strings.TrimPrefix(about[end:], "; "); more != "" {
			return what + ": " + more
		}
		return what
	}
	return why
}
