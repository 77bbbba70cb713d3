package report

import (
	"io"
	"strings"

	"github.com/refitproject/refit/internal/issues"
)

// KnownIssue is a known issue with the procedure that it belongs to.
type KnownIssue struct {
	// Procedure is the name of a procedure, or of the file that was asked for.
	Procedure string `json:"procedure"`
	issues.Issue
}

// IssuesText lists known issues. The error is that of w.
func IssuesText(w io.Writer, list []KnownIssue, opts TextOptions) error {
	p := newPage(w, opts)
	if len(list) == 0 {
		p.para(0, 0, in(Muted, "There are no known issues that fit."))
		return p.close()
	}
	for i := range list {
		known := &list[i]
		note := known.Procedure
		if known.Benign != "" {
			note += ", may be benign"
		}
		if known.Planned {
			note += ", Refit helps itself"
		}
		p.para(0, 2, in(Strong, known.ID), in(Muted, "  "+note))
		p.para(2, 2, plain(known.Explanation))
	}
	return p.close()
}

// IssueText shows one known issue. The error is that of w.
func IssueText(w io.Writer, known KnownIssue, opts TextOptions) error {
	p := newPage(w, opts)
	p.para(0, 2, in(Heading, known.ID), in(Muted, "  "+known.Procedure))
	p.para(2, 2, plain(known.Explanation))
	p.blank()
	field := func(name, text string) {
		if text != "" {
			p.field(name, plain(text))
		}
	}
	field("Text", known.Text)
	field("Pattern", known.Pattern)
	field("State", known.State)
	field("Reasons", strings.Join(known.Reasons, ", "))
	field("Actions", strings.Join(known.Actions, ", "))
	field("Phases", strings.Join(known.Phases, ", "))
	switch known.Benign {
	case "":
	case "true":
		field("Benign", "always")
	default:
		field("Benign", "when "+known.Benign)
	}
	field("Remedy", known.Remedy)
	if known.Planned {
		field("", "Refit takes a step by itself, which the plan shows.")
	}
	field("Source", known.Source.String())
	return p.close()
}
