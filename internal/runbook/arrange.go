package runbook

import "slices"

// layout says which sections make which stages.
type layout struct {
	about, reference []part
	groups           []*group
}

// group are the sections of one stage.
type group struct {
	title, source string
	line          int
	parts, back   []part
	// counted tells that the sections are numbered, so that they belong together.
	counted bool
	reached int // the latest phase of a section
}

// part is a section with what it is for.
type part struct {
	section *Section
	role    role
}

// top is a section with those below it.
type top struct {
	parts []part
	role  role
}

func (t *top) head() *Section { return t.parts[0].section }

// arrange finds the stages: each heading of the highest level that names no phase
// is one, with the phases around it.
func arrange(book *Runbook) *layout {
	l := &layout{}
	tops := topsOf(book.Sections[1:])
	preamble := part{book.Sections[0], roleAbout}
	if holdsWork(preamble.section) || len(tops) == 0 {
		preamble.role = roleBefore
		if len(tops) == 0 {
			preamble.role = phaseUpgrade
		}
	}
	var waiting []part
	if preamble.role == roleAbout {
		l.about = append(l.about, preamble)
	} else {
		waiting = append(waiting, preamble)
	}
	for i, t := range tops {
		waiting = l.place(book, t, waiting, laterStage(tops[i+1:]))
	}
	if len(waiting) > 0 {
		if len(l.groups) == 0 {
			l.open(book, nil)
		}
		last := l.groups[len(l.groups)-1]
		last.take(waiting)
	}
	return l
}

// place puts one top section where it belongs and returns the parts that wait
// for the next stage.
func (l *layout) place(book *Runbook, t *top, waiting []part, more bool) []part {
	var last *group
	if len(l.groups) > 0 {
		last = l.groups[len(l.groups)-1]
	}
	counted := numbered.MatchString(t.head().Heading)
	switch {
	case t.role == roleReference:
		l.reference = append(l.reference, t.parts...)
	case t.role == roleAbout && !holdsCode(t):
		l.about = append(l.about, t.parts...)
	case t.role == roleBack && last != nil:
		last.back = append(last.back, t.parts...)
	case t.role == roleBack:
		return append(waiting, t.parts...)
	case makesStage(t):
		head := t.head()
		last = l.open(book, head)
		last.take(append(waiting, t.parts...))
		return nil
	case counted && (last == nil || !last.counted):
		last = l.open(book, nil)
		last.counted = true
		last.take(append(waiting, t.parts...))
		return nil
	case last == nil, more && !counted && phaseIndex(t.role) < last.reached:
		return append(waiting, t.parts...)
	default:
		last.take(t.parts)
	}
	return waiting
}

// makesStage tells whether a top section is a stage of its own.
func makesStage(t *top) bool {
	named := t.role == rolePlain || t.role == phaseUpgrade || t.role == roleAbout
	return named && !numbered.MatchString(t.head().Heading)
}

func laterStage(tops []*top) bool {
	return slices.ContainsFunc(tops, makesStage)
}

// open begins a stage, called like its heading, or like the page.
func (l *layout) open(book *Runbook, head *Section) *group {
	g := &group{title: book.Title}
	if head != nil {
		g.title, g.source, g.line = head.Heading, head.Source, head.Line
	}
	l.groups = append(l.groups, g)
	return g
}

// take adds sections to a stage.
func (g *group) take(parts []part) {
	for _, p := range parts {
		if p.role == roleBack {
			g.back = append(g.back, p)
			continue
		}
		g.parts = append(g.parts, p)
		if !blank(p.section) {
			g.reached = max(g.reached, phaseIndex(p.role))
		}
	}
}

// phaseIndex returns the place of a role among the phases.
func phaseIndex(r role) int {
	if r == roleBefore {
		return 0
	}
	for i, p := range phaseOrder() {
		if p == r {
			return i
		}
	}
	return index4
}

// topsOf groups the sections below those of the highest level, and gives each the
// role that its heading or those above say.
func topsOf(sections []*Section) []*top {
	levels(sections)
	var tops []*top
	var above outline
	for _, s := range sections {
		own := roleOf(s.Heading)
		if len(tops) == 0 || s.Level <= tops[len(tops)-1].head().Level {
			if s.Flat && s.Level > 1 && own == rolePlain {
				own = roleAbout // it stands before the first stage
			}
			tops = append(tops, &top{role: own})
			above = outline{}
		}
		t := tops[len(tops)-1]
		t.parts = append(t.parts, part{s, above.role(s, own, len(t.parts) == 0)})
	}
	return tops
}

// outline are the headings that a section stands below.
type outline struct {
	levels []int
	roles  []role
	flat   role // of the last heading whose level is not known
}

// role returns what a section is for: what its own heading says, else what those
// above it do. What stands below a way back or below what is looked up is part of it.
func (o *outline) role(s *Section, own role, first bool) role {
	for len(o.levels) > 0 && o.levels[len(o.levels)-1] >= s.Level {
		o.levels, o.roles = o.levels[:len(o.levels)-1], o.roles[:len(o.roles)-1]
	}
	out := own
	switch {
	case s.Flat && first:
	case s.Flat:
		if own == rolePlain {
			out = o.flat
		}
		if o.flat = out; out == roleReference || out == roleAbout {
			o.flat = rolePlain
		}
	case len(o.roles) > 0:
		above := o.roles[len(o.roles)-1]
		if own == rolePlain || above == roleReference || above == roleBack {
			out = above
		}
	}
	o.levels, o.roles = append(o.levels, s.Level), append(o.roles, out)
	return out
}

// levels gives levels to headings that were copied without: one with nothing
// below it but the next heading stands above those that follow.
func levels(sections []*Section) {
	parents := false
	for i, s := range sections {
		if s.Flat && blank(s) && i+1 < len(sections) {
			parents = true
		}
	}
	for i, s := range sections {
		if !s.Flat {
			continue
		}
		s.Level = 1
		if parents && (!blank(s) || i+1 == len(sections)) {
			s.Level = 2
		}
	}
}

// holdsWork tells whether a section has commands or a list of steps.
func holdsWork(s *Section) bool {
	for _, b := range s.Blocks {
		if b.Kind == ItemStart || b.Kind == Code && classify(b.Info, b.Text) == fenceCommands {
			return true
		}
	}
	return false
}

func holdsCode(t *top) bool {
	for _, p := range t.parts {
		if holdsWork(p.section) {
			return true
		}
	}
	return false
}
