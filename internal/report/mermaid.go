package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// mermaidPhase is how many steps of a phase are drawn; a diagram with more is
// read by nobody and refused by most viewers.
const mermaidPhase = 40

// PlanMermaid writes p as a Mermaid flowchart: one subgraph for each stage and
// phase, an arrow for each need that the order of the phases does not imply,
// gates as diamonds and steps that cannot be taken back in a class of their
// own. The error is that of w.
func PlanMermaid(w io.Writer, p *plan.Plan) error {
	m := mermaid{out: bufio.NewWriter(w)}
	m.printf("flowchart TB")
	for i := range p.Stages {
		m.stage(p, i)
	}
	for i := 1; i < len(p.Stages); i++ {
		m.printf("  s%d ==> s%d", i-1, i)
	}
	m.printf("  classDef change fill:#fff3c4,stroke:#b58105")
	m.printf("  classDef add fill:#d9f2dd,stroke:#2e7d32")
	m.printf("  classDef danger fill:#ffd9d6,stroke:#b3261e,stroke-width:3px")
	m.printf("  classDef muted fill:#f2f2f2,stroke:#8a8a8a,color:#666666")
	m.printf("  classDef gate fill:#e3e9ff,stroke:#3b5bdb")
	m.printf("  classDef read fill:#ffffff,stroke:#8a8a8a")
	if err := m.out.Flush(); m.err == nil {
		m.err = err
	}
	return m.err
}

// mermaid is one rendering. The first error of the writer ends it.
type mermaid struct {
	out *bufio.Writer
	err error
}

func (m *mermaid) printf(format string, args ...any) {
	if m.err == nil {
		_, m.err = fmt.Fprintf(m.out, format+"\n", args...)
	}
}

// stage draws one stage. Node ids are counted, so that no name of an author
// can break the syntax; names appear in quoted labels only.
func (m *mermaid) stage(p *plan.Plan, i int) {
	s := &p.Stages[i]
	title := s.ID
	if s.Hop != nil {
		title += ": " + s.Hop.From + " → " + s.Hop.To
	}
	m.printf("  subgraph s%d[%s]", i, label(title))
	m.printf("    direction TB")
	before := ""
	for j := range s.Gates {
		node := fmt.Sprintf("s%dg%d", i, j)
		m.printf("    %s{%s}:::gate", node, label(s.Gates[j].Name))
		m.arrow("    ", before, node)
		before = node
	}
	node := make(map[string]string, len(s.Steps))
	for k, phase := range plan.Phases() {
		sub := fmt.Sprintf("s%dp%d", i, k)
		if m.phase(s, phase, sub, node) {
			m.arrow("    ", before, sub)
			before = sub
		}
	}
	m.needs(s, node)
	m.printf("  end")
}

func (m *mermaid) arrow(indent, from, to string) {
	if from != "" {
		m.printf("%s%s --> %s", indent, from, to)
	}
}

// phase draws the steps of one phase and records their nodes. It returns false
// when there are none.
func (m *mermaid) phase(s *plan.Stage, phase plan.Phase, sub string, node map[string]string) bool {
	n, folded := 0, 0
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Phase != phase {
			continue
		}
		if n == 0 {
			m.printf("    subgraph %s[%s]", sub, label(title(string(phase))))
		}
		if n++; n > mermaidPhase {
			folded++
			node[step.ID] = sub + "more"
			continue
		}
		node[step.ID] = fmt.Sprintf("%sn%d", sub, n)
		m.step(step, node[step.ID])
	}
	if folded > 0 {
		m.printf("      %smore[%s]:::muted", sub, label(count(folded, "more step")))
	}
	if n > 0 {
		m.printf("    end")
	}
	return n > 0
}

// step draws one step.
func (m *mermaid) step(s *plan.Step, node string) {
	open, closing, class := "[", "]", "change"
	switch markOf(s) {
	case markNoReturn:
		class = "danger"
	case markAdd:
		class = "add"
	case markRead:
		class = "read"
	case markGate:
		open, closing, class = "{", "}", "gate"
	case markSkip:
		class = "muted"
	case markChange:
	}
	text := label(s.ID, s.Action)
	if s.Skip != "" {
		text = label(s.ID, "skipped: "+s.Skip)
	}
	m.printf("      %s%s%s%s:::%s", node, open, text, closing, class)
}

// needs draws the needs that the phases do not imply, each pair of nodes once.
func (m *mermaid) needs(s *plan.Stage, node map[string]string) {
	phaseOf := make(map[string]plan.Phase, len(s.Steps))
	for i := range s.Steps {
		phaseOf[s.Steps[i].ID] = s.Steps[i].Phase
	}
	drawn := map[[2]string]bool{}
	for i := range s.Steps {
		step := &s.Steps[i]
		for _, need := range notObvious(step, phaseOf) {
			pair := [2]string{node[need], node[step.ID]}
			if pair[0] == "" || pair[0] == pair[1] || drawn[pair] {
				continue
			}
			drawn[pair] = true
			m.arrow("    ", pair[0], pair[1])
		}
	}
}

// label quotes lines of text. Signs with a meaning for Mermaid, HTML or
// Markdown are written as character codes.
func label(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = mermaidEscape(sanitize(line))
	}
	return `"` + strings.Join(escaped, "<br/>") + `"`
}

func mermaidEscape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\"#<>&`[](){}|\\;%", r) {
			fmt.Fprintf(&b, "#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
