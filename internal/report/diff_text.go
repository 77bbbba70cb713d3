package report

import (
	"io"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// DiffText writes d for people: whether approvals survive, then what differs.
// The error is that of w.
func DiffText(w io.Writer, d Diff, opts TextOptions) error {
	t := diffText{page: newPage(w, opts)}
	versus := ": " + shortDigest(d.Old.Digest) + " → " + shortDigest(d.New.Digest)
	t.para(0, 2, in(Heading, "Plan for "+d.New.Platform), plain(versus))
	if d.Equal {
		t.para(0, 2, in(Good, "Both plans do the same, approvals survive."))
	}
	t.section("Plan", d.Changes)
	t.stages(d.Stages)
	t.findings(d.Findings)
	t.section("Predictions", d.Predictions)
	return t.close()
}

// diffText is one rendering of a Diff.
type diffText struct{ *page }

func (t *diffText) section(title string, changes []FieldChange) {
	if len(changes) == 0 {
		return
	}
	t.blank()
	t.para(0, 0, in(Heading, title))
	t.fields(2, changes)
}

func (t *diffText) fields(indent int, changes []FieldChange) {
	for i := range changes {
		c := &changes[i]
		role := opRole(c.Op)
		name := Strong
		if !c.Decisive {
			name = Muted
		}
		spans := []span{in(role, opSign(c.Op)+" "), in(name, c.Name), plain(": ")}
		switch c.Op {
		case Added:
			spans = append(spans, in(Add, shortValue(c.New)))
		case Removed:
			spans = append(spans, in(Danger, shortValue(c.Old)))
		case Changed, Unchanged:
			before, after := c.texts()
			spans = append(spans, in(Danger, before), plain(" → "), in(Add, after))
		}
		t.para(indent, indent+4, spans...)
	}
}

// texts returns both values of a change. Durations are written as in the rest
// of the text.
func (c *FieldChange) texts() (before, after string) {
	a, isText := c.Old.(string)
	b, areTexts := c.New.(string)
	if !c.Decisive && isText && areTexts {
		x, errA := time.ParseDuration(a)
		y, errB := time.ParseDuration(b)
		if errA == nil && errB == nil {
			return human(plan.Duration(x)), human(plan.Duration(y))
		}
	}
	return valuePair(c.Old, c.New)
}

// stages writes what became of each stage.
func (t *diffText) stages(stages []StageDiff) {
	if len(stages) == 0 {
		return
	}
	t.blank()
	t.para(0, 0, in(Heading, "Stages"))
	for i := range stages {
		t.stage(&stages[i])
	}
}

func (t *diffText) stage(s *StageDiff) {
	head := []span{in(opRole(s.Op), opSign(s.Op)+" "), in(Strong, s.ID), in(Muted, " "+digests(s))}
	switch {
	case s.ApprovalsSurvive:
		head = append(head, plain(": "), in(Good, "approvals survive, the digest is equal"))
	case s.Op == Added:
		head = append(head, plain(": new"))
	case s.Op == Removed:
		head = append(head, plain(": no longer done"))
	case s.Op == Changed:
		head = append(head, plain(": "), in(Warn, "changed, approvals end"))
	}
	t.para(2, 4, head...)
	t.fields(6, s.Changes)
	for i := range s.Steps {
		step := &s.Steps[i]
		t.para(6, 8, in(opRole(step.Op), opSign(step.Op)+" "), in(Strong, step.ID),
			in(Muted, "  "+step.Action+" in "+string(step.Phase)))
		t.fields(10, step.Changes)
	}
}

func digests(s *StageDiff) string {
	before, after := shortDigest(s.OldDigest), shortDigest(s.NewDigest)
	switch {
	case before == after, after == "":
		return before
	case before == "":
		return after
	default:
		return before + " → " + after
	}
}

// findings writes what became of findings.
func (t *diffText) findings(changes []FindingChange) {
	if len(changes) == 0 {
		return
	}
	t.blank()
	t.para(0, 0, in(Heading, "Findings"))
	for i := range changes {
		c := &changes[i]
		f := c.New
		if f == nil {
			f = c.Old
		}
		spans := []span{in(opRole(c.Op), opSign(c.Op)+" "), in(Strong, c.Name)}
		if where := findingPlace(f); where != "" {
			spans = append(spans, in(Muted, " ("+where+")"))
		}
		before, after := standing(c.Old), standing(c.New)
		switch {
		case before != "" && after != "" && before != after:
			spans = append(spans, plain(": "+before+" → "+after))
		default:
			spans = append(spans, plain(": "+before+strings.TrimPrefix(after, before)))
		}
		t.para(2, 6, append(spans, in(Muted, "; "), plain(f.Message))...)
	}
}

// standing says in one word what a finding means for the plan.
func standing(f *plan.Finding) string {
	switch {
	case f == nil:
		return ""
	case f.Accepted != nil:
		return "accepted"
	case f.Blocks():
		return "blocks"
	case f.Outcome == plan.Warn:
		return "warning"
	default:
		return "passed"
	}
}

func opSign(op Op) string {
	switch op {
	case Added:
		return "+"
	case Removed:
		return "-"
	case Changed:
		return "~"
	case Unchanged:
		return "="
	default:
		return " "
	}
}

func opRole(op Op) Role {
	switch op {
	case Added:
		return Add
	case Removed:
		return Danger
	case Changed:
		return Change
	case Unchanged:
		return Good
	default:
		return Text
	}
}
