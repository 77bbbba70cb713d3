package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// ProceduresText lists procedures, one line each. The error is that of w.
func ProceduresText(w io.Writer, procedures []ProcedureSummary, opts TextOptions) error {
	p := newPage(w, opts)
	if len(procedures) == 0 {
		p.para(0, 0, in(Muted, "There are no procedures."))
		return p.close()
	}
	tab := table{header: []string{"procedure", "versions", "summary"}}
	for i := range procedures {
		s := &procedures[i]
		tab.add(cell(Strong, s.Name), cell(Text, orDash(versionRange(s.Graph))), cell(Text, s.Summary))
	}
	tab.write(p)
	return p.close()
}

// versionRange says which versions a procedure knows: "0.4 … 4.4.0".
func versionRange(g *Graph) string {
	switch {
	case g == nil || len(g.Versions) == 0:
		return ""
	case len(g.Versions) == 1:
		return g.Versions[0].Version
	default:
		return g.Versions[0].Version + " … " + g.Versions[len(g.Versions)-1].Version
	}
}

// ProcedureText shows one procedure: what it needs and what it does, without
// its version graph, which GraphText draws. The error is that of w.
func ProcedureText(w io.Writer, s ProcedureSummary, opts TextOptions) error {
	t := procedureText{page: newPage(w, opts)}
	t.para(0, 2, in(Heading, s.Name), plain(": "+s.Summary))
	t.blank()
	if s.Description != "" {
		t.para(2, 2, plain(s.Description))
		t.blank()
	}
	t.field("File", plain(s.File))
	if s.Source != "" {
		t.field("Source", plain(s.Source))
	}
	if r := versionRange(s.Graph); r != "" {
		t.field("Versions", plain(r), in(Muted, fmt.Sprintf(" (%s)", count(len(s.Graph.Versions), "version"))))
	}
	t.kinds("Targets", s.Targets)
	t.kinds("Components", s.Components)
	t.inputs(s.Inputs)
	t.factSources(s.Facts)
	for i := range s.Stages {
		t.stage(&s.Stages[i])
	}
	return t.close()
}

// procedureText is one rendering of a ProcedureSummary.
type procedureText struct{ *page }

func (t *procedureText) kinds(title string, kinds []NamedKind) {
	if len(kinds) == 0 {
		return
	}
	t.blank()
	t.para(0, 0, in(Heading, title))
	tab := table{indent: 2}
	for _, k := range kinds {
		tab.add(cell(Strong, k.Name), cell(Muted, k.Kind), cell(Text, k.Description))
	}
	tab.write(t.page)
}

func (t *procedureText) inputs(inputs []InputSummary) {
	if len(inputs) == 0 {
		return
	}
	t.blank()
	t.para(0, 0, in(Heading, "Inputs"))
	tab := table{indent: 2, header: []string{"name", "type", "default", "description"}}
	for i := range inputs {
		input := &inputs[i]
		def := cell(Muted, "may be left out")
		switch {
		case input.Required:
			def = cell(Warn, "required")
		case input.Default != nil:
			def = cell(Text, shortValue(input.Default))
		}
		kind := input.Type
		if len(input.Enum) > 0 {
			kind = "one of " + list(input.Enum, 0)
		}
		tab.add(cell(Strong, input.Name), cell(Muted, kind), def, cell(Text, input.Description))
	}
	tab.write(t.page)
}

func (t *procedureText) factSources(facts []FactSource) {
	if len(facts) == 0 {
		return
	}
	t.blank()
	t.para(0, 0, in(Heading, "Facts that it observes"))
	tab := table{indent: 2}
	for _, f := range facts {
		tab.add(cell(Strong, f.Name), cell(Muted, f.Action), cell(Text, f.Description))
	}
	tab.write(t.page)
}

// stage lists the steps of a stage in the order of their phases.
func (t *procedureText) stage(s *StageOverview) {
	t.blank()
	head := []span{in(Heading, "Stage "), in(Strong, s.ID)}
	if s.ForEach != "" {
		head = append(head, in(Muted, " for each of "+s.ForEach))
	}
	t.para(0, 2, head...)
	if s.Description != "" {
		t.para(2, 2, plain(s.Description))
	}
	tab := table{indent: 2}
	phase := ""
	for _, step := range s.Steps {
		shown := step.Phase
		if shown == phase {
			shown = ""
		}
		phase = step.Phase
		tab.add(cell(Muted, shown), cell(Strong, step.ID), cell(Muted, step.Action), cell(Text, step.Description))
	}
	tab.write(t.page)
}

// sortedKeys returns the keys of m in alphabetical order.
func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
