package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// ApprovalView is what somebody approves: a gate with all that hangs on it.
type ApprovalView struct {
	Run      string   `json:"run"`
	Platform string   `json:"platform"`
	Head     string   `json:"head"`
	Gate     GateView `json:"gate"`
	// Rollback tells that the gate is that of a rollback, which Items lists.
	Rollback bool           `json:"rollback,omitempty"`
	Items    []string       `json:"items,omitempty"`
	Facts    []plan.Expect  `json:"facts,omitempty"`
	Changed  []run.Change   `json:"changed,omitempty"`
	Findings []plan.Finding `json:"findings,omitempty"`
	// Steps is what the stage will do, in the order of the plan.
	Steps []ApprovalStep `json:"steps,omitempty"`
	// Downtime and Duration are what the plan predicts.
	Duration plan.Estimate   `json:"duration,omitzero"`
	Downtime []plan.Downtime `json:"downtime,omitempty"`
	// NoReturn says which step cannot be taken back, and why.
	NoReturn []string `json:"noReturn,omitempty"`
}

// ApprovalStep is one step of what is approved.
type ApprovalStep struct {
	ID         string          `json:"id"`
	Text       string          `json:"text"`
	Reversible plan.Reversible `json:"reversible"`
	Skip       string          `json:"skip,omitempty"`

	mark mark
}

// BuildApproval makes the view of a gate of v, which was made from src.
func BuildApproval(src RunSource, v *RunView, g GateView) ApprovalView {
	a := ApprovalView{Run: v.ID, Platform: v.Platform, Head: v.Head, Gate: g}
	b := newRunBuilder(&src)
	for i := range src.State.Stages {
		st, id, steps, abort := b.stageOfState(i)
		if id != g.Stage {
			continue
		}
		a.Changed = src.State.Stages[i].Changed
		if !abort {
			sum := summaryOf(b.plan, st)
			a.Facts, a.Duration, a.Downtime = st.Expects, sum.Duration, sum.Downtime
		}
		for j := range steps {
			a.step(&steps[j])
		}
	}
	for _, f := range v.Findings {
		if f.Stage == "" || f.Stage == g.Stage {
			a.Findings = append(a.Findings, f)
		}
	}
	return a
}

// BuildRollbackApproval makes the view of a rollback that waits for an approval.
func BuildRollbackApproval(src RunSource, v *RunView) ApprovalView {
	a := ApprovalView{
		Run: v.ID, Platform: v.Platform, Head: v.Head, Rollback: true,
		Gate: GateView{
			Stage: "rollback", Kind: run.WaitApproval, Count: 1, Digest: src.State.Digest,
			Question: "the rollback restores data: what was written since the backup is lost",
		},
	}
	if src.State.Back != nil {
		for _, op := range src.State.Back.Items {
			a.Items = append(a.Items, refText(op.Ref))
		}
	}
	return a
}

func (a *ApprovalView) step(s *plan.Step) {
	a.Steps = append(a.Steps, ApprovalStep{
		ID: s.ID, Text: whatText(s), Reversible: s.Reversible, Skip: s.Skip, mark: markOf(s),
	})
	if s.Reversible == plan.ReversibleNo && s.Skip == "" {
		a.NoReturn = append(a.NoReturn, s.ID+": "+s.Irreversibly)
	}
}

// whatText says in a line what a step does: what its action says, else its author, else
// what it is given. Values that are known only when it starts stand there as the
// expressions that give them.
func whatText(s *plan.Step) string {
	if s.Preview != nil && s.Preview.Summary != "" {
		return s.Preview.Summary
	}
	if s.Description != "" {
		return s.Description
	}
	words := []string{}
	command, _ := s.With["command"].([]any)
	for _, word := range command {
		text, ok := word.(string)
		if !ok {
			text = value(word)
		}
		words = append(words, shellWord(text))
	}
	switch text, _ := s.With["instructions"].(string); {
	case text != "":
		return firstLine(text)
	case len(words) > 0:
		return "run: " + truncate(sanitize(strings.Join(words, " ")), valueLimit, "…")
	case len(s.With) > 0:
		return s.Action + " with " + shortValue(s.With)
	}
	return s.Action
}

// Subject names what the digest that is approved is of.
func (a *ApprovalView) Subject() string {
	switch {
	case a.Rollback:
		return "the rollback"
	case a.Gate.Selection != "":
		return "the list of " + a.Gate.Name
	}
	return "stage " + a.Gate.Stage
}

// ApprovalText writes what is approved for people. The error is that of w.
func ApprovalText(w io.Writer, a ApprovalView, opts TextOptions) error {
	t := approvalText{page: newPage(w, opts), a: &a}
	g := &a.Gate
	t.para(0, 2, in(Heading, "Run "+a.Run), plain(" asks for "+askedFor(&a)+": "), in(Strong, firstLine(g.Question)))
	t.question()
	t.blank()
	t.field("Platform", in(Strong, a.Platform))
	t.field("Digest", plain(shortDigest(g.Named())))
	if g.Facts != "" {
		t.field("Facts", plain(shortDigest(g.Facts)))
	}
	t.field("Chain", plain(shortDigest(a.Head)))
	if len(g.From) > 0 || g.Count > 1 {
		t.field("Who", plain(whoMay(g)))
	}
	if d := a.Duration; d.Typical > 0 || d.Worst > 0 {
		t.field("Duration", plain(about(d)))
	}
	for _, d := range a.Downtime {
		t.field("Downtime", in(Warn, d.Component), plain(" "+about(plan.Estimate{
			Typical: d.Typical, Worst: d.Worst, Known: d.Known,
		})))
	}
	t.facts()
	t.members()
	t.steps()
	for _, text := range sameReasons(a.NoReturn) {
		t.blank()
		t.rule(Danger, "═", "POINT OF NO RETURN")
		t.para(4, 4, in(Danger, text))
		t.rule(Danger, "═", "")
	}
	t.blank()
	return t.close()
}

// question shows what is asked when it has several lines: they are instructions, and
// commands among them are to be copied, so that none of their lines is broken.
func (t *approvalText) question() {
	text := strings.TrimSpace(t.a.Gate.Question)
	if firstLine(text) == text {
		return
	}
	t.blank()
	for line := range strings.SplitSeq(text, "\n") {
		const indent, code = 2, "    "
		switch {
		case strings.TrimSpace(line) == "":
			t.blank()
		case strings.HasPrefix(line, code):
			t.line(indent, t.clean([]span{in(Strong, line)}))
		default:
			t.para(indent, indent, plain(line))
		}
	}
}

// sameReasons puts the steps that have one reason into one line.
func sameReasons(list []string) []string {
	const most = 5
	var reasons []string
	steps := map[string][]string{}
	for _, text := range list {
		step, reason, _ := strings.Cut(text, ": ")
		if steps[reason] == nil {
			reasons = append(reasons, reason)
		}
		steps[reason] = append(steps[reason], step)
	}
	out := make([]string, 0, len(reasons))
	for _, reason := range reasons {
		names := steps[reason]
		if n := len(names) - most; n > 0 {
			names = append(names[:most:most], "and "+count(n, "more step"))
		}
		out = append(out, strings.Join(names, ", ")+": "+reason)
	}
	return out
}

type approvalText struct {
	*page
	a *ApprovalView
}

func askedFor(a *ApprovalView) string {
	switch {
	case a.Rollback:
		return "an approval of its rollback"
	case a.Gate.Kind == run.WaitPerson:
		return "a person's work, " + a.Gate.Name + " of stage " + a.Gate.Stage
	case a.Gate.Name == "approval":
		return "an approval of stage " + a.Gate.Stage
	default:
		return "the approval " + a.Gate.Name + " of stage " + a.Gate.Stage
	}
}

func whoMay(g *GateView) string {
	text := orText(strings.Join(g.From, ", "), "anybody")
	if g.Count > 1 {
		text += fmt.Sprintf("; %d different persons, %d so far", g.Count, len(g.By))
	}
	if len(g.By) > 0 {
		text += " (" + strings.Join(g.By, ", ") + ")"
	}
	return text
}

func (t *approvalText) facts() {
	for i := range t.a.Facts {
		if e := &t.a.Facts[i]; e.Declared || t.opts.Full {
			t.field("Starts from", in(Strong, e.Fact), plain(" "+expectText(e)))
		}
	}
	for _, c := range t.a.Changed {
		t.field("Changed", in(Danger, c.Name), plain(" is "+c.Got+", the plan expects "+c.Want))
	}
	shown := false
	for i := range t.a.Findings {
		shown = shown || classOf(&t.a.Findings[i]) != classPasses
	}
	if shown {
		t.findingList(t.a.Findings)
	}
}

// members lists what an approval of a list is for: all of it.
func (t *approvalText) members() {
	if len(t.a.Gate.Members) == 0 {
		return
	}
	t.blank()
	t.para(0, 2, in(Heading, "What is picked out"), plain(": "+count(len(t.a.Gate.Members), "member")))
	for _, m := range t.a.Gate.Members {
		t.para(2, 4, in(Danger, "! "), in(Strong, m.Key), in(Muted, "  "+m.Note))
	}
}

func (t *approvalText) steps() {
	if len(t.a.Items) > 0 {
		t.blank()
		t.para(0, 2, in(Heading, "What the rollback will do"))
		for _, item := range t.a.Items {
			t.para(2, 4, in(Warn, "← "), plain(item))
		}
	}
	if len(t.a.Steps) == 0 {
		return
	}
	t.blank()
	t.para(0, 2, in(Heading, "What the stage will do"))
	const most = 40
	for i, s := range t.a.Steps {
		if i >= most && !t.opts.Full && s.mark != markNoReturn {
			continue
		}
		text := s.Text
		if s.Skip != "" {
			text = "skipped: " + s.Skip
		}
		t.para(2, 4, in(s.mark.role(), s.mark.sign()+" "), in(Strong, s.ID), plain("  "+text))
	}
	if hidden := len(t.a.Steps) - most; hidden > 0 && !t.opts.Full {
		t.para(2, 4, in(Muted, more(hidden, "step")))
	}
}
