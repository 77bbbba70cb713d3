package runbook

import (
	"regexp"
	"strings"

	"github.com/refitproject/refit/internal/diag"
)

// walker goes through the blocks of the sections in their order and makes steps.
type walker struct {
	book  *Runbook
	draft *Draft
	in    inputs
	// set are the variables that some command of the page sets.
	set     map[string]bool
	secrets int

	stages map[string]int // their ids
	stage  *stage
	target *[]*step // where steps go: those of the stage, or of its way back
	at     part
	// pending is what the next step begins with; does tells that it asks for work.
	pending []piece
	does    bool
	// last is the step before, open a gate that takes what follows directly.
	last, open *step
	// made counts the steps of the section, items those of each list item around.
	made  int
	items []int
	// shown is the heading that pending text stands under, when that has no step yet.
	early []*step // gates that stand before the first stage
}

func (w *walker) warnf(code string, line int, format string, args ...any) *diag.Diagnostic {
	return w.draft.Findings.Warnf(code, diag.Position{File: w.book.Name, Line: line}, format, args...)
}

// tellAbout takes sections that only tell something: their text describes the
// procedure, and what they warn of is read before the first stage.
func (w *walker) tellAbout(parts []part) {
	for _, p := range parts {
		if p.section.Level > 0 && !blank(p.section) {
			w.draft.about = append(w.draft.about, piece{text: p.section.Source + ":", line: p.section.Line})
		}
		for _, b := range p.section.Blocks {
			text, code := w.text(b)
			if text == "" {
				continue
			}
			w.untaken(b, text)
			if !code && w.warns(b, text) {
				if len(w.early) == 0 {
					w.early = []*step{{kind: heed, phase: roleBefore}}
				}
				w.early[0].add(piece{text: text, marker: b.Marker, line: b.Line})
				continue
			}
			w.draft.about = append(w.draft.about, piece{
				text: text, code: code, note: b.Kind == Hidden, marker: b.Marker, depth: b.Depth, line: b.Line,
			})
		}
	}
}

// warns tells whether a paragraph holds something that has to be kept in mind.
func (w *walker) warns(b Block, text string) bool {
	if b.Warn {
		return true
	}
	for _, s := range sentences(text) {
		if kindOf(s) == cautions {
			return true
		}
	}
	return false
}

// text returns what a block says, without secrets, and whether its lines are kept.
func (w *walker) text(b Block) (string, bool) {
	switch b.Kind {
	case ItemStart, ItemEnd:
		return "", false
	case Prose:
		return w.hide(b, false), false
	default:
		return w.hide(b, true), true
	}
}

// hide replaces the secrets of a block.
func (w *walker) hide(b Block, code bool) string {
	command := b.Kind == Code && classify(b.Info, b.Text) == fenceCommands
	h := &hider{shows: func(name string) string {
		if command {
			return "$" + strings.ToUpper(name)
		}
		return "(secret " + name + ")"
	}}
	out := h.hide(b.Text, code)
	for _, name := range h.names {
		w.secrets++
		w.warnf("SecretLeftOut", b.Line, "a secret stands in the runbook and is not copied: %s", name).
			Suggest("give it as a reference, and change it: whoever could read the page knows it")
		w.in.add(name, name, b.Line).Secret = true
	}
	return out
}

// parts makes the steps of sections that follow each other.
func (w *walker) parts(parts []part) {
	for i, p := range parts {
		above := i+1 < len(parts) && (parts[i+1].section.Level > p.section.Level ||
			p.section.Flat && parts[i+1].role == p.role && roleOf(parts[i+1].section.Heading) == rolePlain)
		w.part(p, above)
	}
}

// part makes the steps of one section; above says that others stand below its
// heading.
func (w *walker) part(p part, above bool) {
	if len(w.early) > 0 && w.target == &w.stage.steps {
		w.stage.steps = append(w.early, w.stage.steps...)
		w.early = nil
	}
	w.at, w.made, w.items, w.open = p, 0, nil, nil
	if p.role == roleReference || p.role == roleAbout {
		w.keep(p.section, &w.draft.tail)
		return
	}
	if p.section.Level > 0 && p.section.Heading != w.stage.title {
		w.pending = append(w.pending, piece{text: p.section.Source, note: true, line: p.section.Line})
	}
	for i, b := range p.section.Blocks {
		leads := false // to a block of code that stands behind the list
		for _, next := range p.section.Blocks[i+1:] {
			if next.Kind != ItemEnd {
				leads = next.Kind == Code
				break
			}
		}
		w.block(b, leads)
	}
	w.endSection(above)
}

// endSection settles what no step of the section has taken.
func (w *walker) endSection(above bool) {
	heading := w.at.section.Heading
	switch {
	case w.does:
		w.flush()
	case !w.hasText():
	case w.made > 0 && w.last != nil:
		w.toLast()
	case above:
	case w.at.role != phaseUpgrade && w.at.role != rolePlain && w.at.role != roleBack || imperative(heading):
		w.flush()
	}
	w.open = nil
}

// hasText tells whether something waits that a person should read.
func (w *walker) hasText() bool {
	for _, p := range w.pending {
		if !p.note {
			return true
		}
	}
	return false
}

// toLast adds what waits to the step before.
func (w *walker) toLast() {
	for _, p := range w.pending {
		w.last.add(p)
	}
	w.pending = nil
}

// leave settles what waits at the end of a stage: it tells about the stage.
func (w *walker) leave() {
	w.stage.notes = append(w.stage.notes, w.pending...)
	w.pending = nil
}

func (w *walker) block(b Block, leads bool) {
	switch b.Kind {
	case ItemStart:
		if w.does {
			w.flush()
		}
		w.items, w.open = append(w.items, w.made), nil
	case ItemEnd:
		before := w.items[len(w.items)-1]
		w.items = w.items[:len(w.items)-1]
		switch {
		case leads && strings.HasSuffix(w.intro(), ":"):
			return
		case w.does || w.made == before && w.hasText():
			w.flush()
		case w.hasText() && w.last != nil:
			w.toLast()
		}
		w.open = nil
	case Prose:
		w.prose(b)
	case Code:
		w.code(b)
	case Raw:
		text, _ := w.text(b)
		if plainText(strings.Join(strings.Fields(text), " ")) == "" { // tags around what is shown
			w.pending = append(w.pending, piece{text: text, note: true, line: b.Line})
			return
		}
		w.put(piece{text: text, code: true, marker: b.Marker, depth: b.Depth, line: b.Line})
	case Hidden:
		text, _ := w.text(b)
		w.pending = append(w.pending, piece{text: text, note: true, line: b.Line})
	}
}

// put adds a piece to the gate that is open, else to what waits.
func (w *walker) put(p piece) {
	if w.open != nil {
		w.open.add(p)
		return
	}
	w.pending = append(w.pending, p)
}

// emit appends a step.
func (w *walker) emit(s *step) *step {
	s.phase, s.heading = w.at.role, w.at.section
	if s.phase == rolePlain {
		s.phase = phaseUpgrade
	}
	if s.kind == save {
		s.phase = phaseBackup
	}
	if s.line == 0 {
		s.line = max(1, w.at.section.Line)
	}
	s.end = max(s.end, s.line)
	*w.target = append(*w.target, s)
	w.last = s
	w.made++
	return s
}

// flush makes a step of what waits.
func (w *walker) flush() {
	s := &step{kind: w.kind()}
	for _, p := range w.pending {
		s.add(p)
	}
	w.pending, w.does = nil, false
	if w.made == 0 && imperative(w.at.section.Heading) && len(w.items) == 0 || s.firstProse() == "" {
		s.about = summaryOf(w.at.section.Heading)
		if s.firstProse() == "" {
			s.add(piece{text: w.at.section.Heading, line: w.at.section.Line})
		}
	}
	w.emit(s)
}

// kind returns what a step of the section asks for when its text does not say.
func (w *walker) kind() stepKind {
	if w.does && savesFirst.MatchString(plainText(w.firstWaiting())) {
		return save
	}
	switch w.at.role {
	case phaseBackup:
		return save
	case phaseVerify:
		return look
	case roleBefore:
		if !w.does {
			return look
		}
	default:
	}
	return work
}

var savesFirst = regexp.MustCompile(`(?i)^(?:(?:always|please|first|now|then)[, ]+)*(?:back(?:ing)?[ -]?up` +
	`|(?:take|make|create|do) (?:an? )?(?:\w+ )?(?:backup|snapshot|dump)|snapshot|dump)\b`)

// firstWaiting returns the first sentence of what waits that says what to do.
func (w *walker) firstWaiting() string {
	for _, p := range w.pending {
		if p.code || p.note {
			continue
		}
		for _, s := range sentences(p.text) {
			if imperative(s) {
				return s
			}
		}
	}
	return ""
}

var imageOnly = regexp.MustCompile(`!\[[^\]]*\]\([^)]*\)`)

// prose takes a paragraph apart into what is told, to be done, to be looked at,
// to be waited for and to be kept in mind.
func (w *walker) prose(b Block) {
	text, _ := w.text(b)
	if imageOnly.MatchString(text) {
		w.warnf("ImageLeftOut", b.Line, "a picture cannot be shown, its link is kept")
	}
	if b.Warn {
		w.caution(b, text)
		return
	}
	w.open = nil
	var run []string // sentences that belong together
	put := func() {
		if len(run) > 0 {
			w.put(piece{text: strings.Join(run, " "), marker: b.Marker, depth: b.Depth, line: b.Line})
			b.Marker = ""
		}
		run = nil
	}
	for _, s := range sentences(text) {
		kind := kindOf(s)
		backs := w.at.role == phaseBackup && !cautionWords.MatchString(s)
		if kind == cautions && (w.open != nil && len(run) > 0 || backs) {
			kind = says // it belongs to what is looked at, or says why there is a backup
		}
		switch kind {
		case looks, waits:
			put()
			w.look(kind, s)
			run = append(run, s)
		case does:
			if w.open != nil {
				put()
				w.open = nil
			}
			run = append(run, s)
			w.does = true
		case cautions:
			put()
			w.caution(b, s)
			if strings.HasSuffix(s, ":") {
				run = append(run, s) // it leads to the command as well
			} else {
				b.Marker = ""
			}
		default:
			run = append(run, s)
		}
	}
	put()
}

var expects = regexp.MustCompile(`(?i)\bshould (?:now |then |also )*(?:see|return|show|print|report|output` +
	`|display)\b`)

// look opens a gate, or goes on with the one that is open.
func (w *walker) look(kind sentenceKind, sentence string) {
	if w.open != nil && w.open.kind != heed {
		return
	}
	if w.does {
		w.flush()
	}
	printed := w.last != nil && w.made > 0 && !w.hasText() && w.last.kind.gate() && len(w.last.commands) > 0
	if printed && expects.MatchString(sentence) {
		w.open = w.last // it says what the command before should print
		return
	}
	s := &step{kind: look}
	if kind == waits {
		s.kind = wait
	}
	for _, p := range w.pending {
		if p.unclear {
			w.warnf("NotAStep", p.line, "a block is shown with what is looked at behind it, and is no step").
				Suggest("end the sentence before it with a colon when somebody writes it")
		}
		s.add(p)
	}
	w.pending = nil
	w.open = w.emit(s)
}

// caution makes a gate before the next step, one for all that stands together.
func (w *walker) caution(b Block, text string) {
	p := piece{text: text, marker: b.Marker, depth: b.Depth, line: b.Line}
	if w.last != nil && w.last.kind == heed && w.made > 0 && !w.hasText() {
		w.last.add(p)
		return
	}
	s := &step{kind: heed}
	if !w.hasText() {
		for _, note := range w.pending {
			s.add(note)
		}
		w.pending = nil
	}
	s.add(p)
	before := w.last
	w.emit(s)
	if before == nil && w.at.section.Level == 0 && w.book.Title == "" {
		s.heading = nil
	}
}
