package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// findingClass orders findings for the reader: what blocks comes first.
type findingClass int

const (
	classBlocks findingClass = iota
	classWarns
	classAccepted
	classPasses
)

func classOf(f *plan.Finding) findingClass {
	switch {
	case f.Blocks():
		return classBlocks
	case f.Accepted != nil:
		return classAccepted
	case f.Outcome == plan.Warn:
		return classWarns
	default:
		return classPasses
	}
}

// findings lists what the checks found and how to let it pass.
func (t *planText) findings() {
	if len(t.plan.Findings) == 0 {
		return
	}
	t.findingList(t.plan.Findings)
	t.howToAccept(t.plan.Findings)
	t.blank()
}

// findingList writes findings under their heading, those that block first.
// Those that passed are only counted unless everything is wanted.
func (p *page) findingList(findings []plan.Finding) {
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(a, b plan.Finding) int { return cmp.Compare(classOf(&a), classOf(&b)) })
	p.findingsTitle(findings)
	for len(findings) > 0 {
		same := alike(findings)
		if classOf(&findings[0]) != classPasses || p.opts.Full {
			p.finding(2, findings[:same]...)
		}
		findings = findings[same:]
	}
}

// alike returns how many of the first findings say the same of different things, so
// that it is said once. Those of one place stand for themselves.
func alike(findings []plan.Finding) int {
	n, first := 1, &findings[0]
	for n < len(findings) {
		f := &findings[n]
		if classOf(f) != classOf(first) || f.Message != first.Message || f.Remedy != first.Remedy ||
			f.Accepted != nil || first.Accepted != nil {
			break
		}
		n++
	}
	return n
}

// findingsTitle writes the heading with the number in every class.
func (p *page) findingsTitle(findings []plan.Finding) {
	n := map[findingClass]int{}
	for i := range findings {
		n[classOf(&findings[i])]++
	}
	spans := []span{in(Heading, "Findings")}
	sep := ": "
	add := func(c findingClass, role Role, one, many string) {
		if n[c] == 0 {
			return
		}
		if n[c] == 1 {
			many = one
		}
		spans = append(spans, plain(sep), in(role, number(n[c])+" "+many))
		sep = ", "
	}
	add(classBlocks, Danger, "blocks", "block")
	add(classWarns, Warn, "warning", "warnings")
	add(classAccepted, Text, "accepted", "accepted")
	add(classPasses, Good, "passed", "passed")
	p.blank()
	p.para(0, 2, spans...)
}

// finding writes findings that say the same, with their remedy.
func (p *page) finding(indent int, same ...plan.Finding) {
	f := &same[0]
	sign, role := "✗ ", Danger
	switch classOf(f) {
	case classBlocks:
	case classWarns:
		sign, role = "! ", Warn
	case classAccepted:
		sign, role = "· ", Muted
	case classPasses:
		sign, role = "✓ ", Good
	}
	spans := []span{in(role, sign)}
	for i := range same {
		if i > 0 {
			spans = append(spans, plain(", "))
		}
		spans = append(spans, in(Strong, same[i].Name))
		// The name of a finding about a stage tells the stage.
		if where := findingPlace(&same[i]); where != "" && !strings.HasSuffix(same[i].Name, "/"+where) {
			spans = append(spans, in(Muted, " ("+where+")"))
		}
	}
	p.para(indent, indent+2, append(spans, plain(": "), in(outcomeRole(f), f.Message))...)
	if f.Remedy != "" && f.Accepted == nil && f.Outcome != plan.Pass {
		p.para(indent+2, indent+4, in(Muted, "Remedy: "), plain(f.Remedy))
	}
	if a := f.Accepted; a != nil {
		p.para(indent+2, indent+4, in(Muted, fmt.Sprintf("Accepted by %s until %s: %s", a.By, a.Expires, a.Reason)))
	}
}

// outcomeRole paints what could not be found out differently from what failed.
func outcomeRole(f *plan.Finding) Role {
	if f.Outcome == plan.UnknownOutcome && f.Accepted == nil {
		return Warn
	}
	return Text
}

func findingPlace(f *plan.Finding) string {
	switch {
	case f.Stage != "" && f.Step != "":
		return f.Stage + "/" + f.Step
	case f.Stage != "":
		return f.Stage
	default:
		return f.Step
	}
}

// howToAccept shows what to write into the platform file to let the blocking
// findings pass.
func (p *page) howToAccept(findings []plan.Finding) {
	var names []string
	for i := range findings {
		if findings[i].Blocks() && !slices.Contains(names, findings[i].Name) {
			names = append(names, findings[i].Name)
		}
	}
	if len(names) == 0 {
		return
	}
	const shown = 3
	p.blank()
	p.para(2, 2, plain("Mend what blocks, or let it pass by name in the platform file, then plan again:"))
	p.para(4, 4, in(Muted, "accept:"))
	for _, name := range names[:min(shown, len(names))] {
		p.para(6, 8, in(Muted, "- {name: "), in(Strong, yamlText(name)),
			in(Muted, `, by: "…", reason: "…", expires: YYYY-MM-DD}`))
	}
	if more := len(names) - shown; more > 0 {
		p.para(6, 8, in(Muted, fmt.Sprintf("… and so on for %s more", number(more))))
	}
}

// yamlText quotes a name where YAML needs it inside a flow mapping.
func yamlText(name string) string {
	if strings.ContainsAny(name, " ,:{}[]#&*!|>'\"%@`") {
		return value(name)
	}
	return name
}
