package report

import (
	"strings"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// What the forms of a report say in the same words.

// roleClass is the class of a page for a meaning.
func roleClass(r Role) string {
	switch r {
	case Good, Add:
		return "good"
	case Warn, Change:
		return "warn"
	case Danger:
		return "danger"
	case Muted:
		return "muted"
	case Text, Heading, Strong:
	}
	return "text"
}

func statusClass(s run.Status) string { return roleClass(statusRole(s)) }

func stepClass(s run.StepStatus) string {
	_, role := statusSign(s)
	return roleClass(role)
}

// stepText says how far a step has come, and with how many attempts.
func stepText(s StepView) string {
	text := string(s.Status)
	if s.Wait != "" {
		text += " (" + string(s.Wait) + ")"
	}
	if s.Attempts > 1 {
		text += ", attempt " + number(s.Attempts)
	}
	if s.Held {
		text += ", lease held"
	}
	return text
}

// stepWhy says why a step stands where it stands, unless all is well.
func stepWhy(s StepView) string {
	if s.Status == run.StepSucceeded {
		return ""
	}
	return orText(s.Message, s.Reason)
}

func findingText(f plan.Finding) string {
	if f.Accepted != nil {
		return string(f.Outcome) + ", accepted by " + oneLine(f.Accepted.By)
	}
	return string(f.Outcome)
}

func findingClassName(f plan.Finding) string {
	switch classOf(&f) {
	case classBlocks:
		return "danger"
	case classWarns, classAccepted:
		return "warn"
	case classPasses:
	}
	return "good"
}

// leaseText says what became of a temporary change.
func leaseText(l LeaseStory) string {
	switch {
	case l.Taken:
		return "somebody else changed it: left alone"
	case l.Failed != "":
		return "not given back"
	case l.Held:
		return "held"
	case l.GivenBack.IsZero():
		return "not held any more"
	default:
		return "given back"
	}
}

func leaseClass(l LeaseStory) string {
	switch {
	case l.Taken, l.Failed != "":
		return "danger"
	case l.Held:
		return "warn"
	default:
		return "good"
	}
}

// provenText says how well a backup has been checked. A backup succeeds only with
// its proof.
func provenText(b BackupView) string {
	text := proofText(b.Proof)
	if b.Proof == 0 || b.Status == run.StepSucceeded || b.Status == run.StepUndone {
		return text
	}
	return "not proved; the plan asks for " + text
}

func outcomeClass(o Outcome) string {
	switch o {
	case OutcomeDone, OutcomeFound:
		return "good"
	case OutcomeFailed, OutcomeInDoubt:
		return "danger"
	case OutcomeLost:
		return "warn"
	case OutcomeOpen:
	}
	return "muted"
}

// attemptsText says when an operation was tried, and how often.
func attemptsText(o OperationStory) string {
	text := clock(o.Began)
	if took := since(o.Began, o.Ended); took != "" {
		text += ", " + took
	}
	switch n := len(o.Attempts); n {
	case 0:
		text += ", only looked at"
	case 1:
	default:
		text += ", " + count(n, "attempt")
	}
	return text
}

// diffSpan is one line of a difference.
type diffSpan struct{ Class, Text string }

// diffSpans cleans the lines of a difference and says what each does.
func diffSpans(diff string) []diffSpan {
	var out []diffSpan
	for line := range strings.SplitSeq(block(diff), "\n") {
		s := diffSpan{Class: "same", Text: line}
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"), strings.HasPrefix(line, "diff "):
			s.Class = "muted"
		case strings.HasPrefix(line, "@@"):
			s.Class = "hunk"
		case strings.HasPrefix(line, "+"):
			s.Class = "add"
		case strings.HasPrefix(line, "-"):
			s.Class = "del"
		}
		out = append(out, s)
	}
	return out
}
