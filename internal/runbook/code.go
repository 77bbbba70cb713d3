package runbook

import (
	"regexp"
	"slices"
	"strings"
)

var (
	exampleIntro = regexp.MustCompile(`(?i)^(?:for example|e\.g\.|for instance|example)\b`)
	fileIntro    = regexp.MustCompile(`(?i):$`)
)

// code makes a step of a block of commands, or shows any other one where it stands.
func (w *walker) code(b Block) {
	text, _ := w.text(b)
	if b.Warn && w.last != nil && w.last.kind == heed {
		w.last.add(piece{text: text, code: true, line: b.Line})
		return
	}
	switch kind := classify(b.Info, text); {
	case kind == fenceCommands:
		w.commands(b, text)
	case kind == fenceFile && !changesData(b.Info, text):
		w.file(b, text)
	case textLanguage(language(b.Info)):
		w.shown(b, text)
	default:
		w.unclear(b, text)
	}
}

// shown adds a block that is neither typed nor written into a file.
func (w *walker) shown(b Block, text string) {
	p := piece{text: text, code: true, depth: b.Depth, line: b.Line}
	if w.open == nil && !w.hasText() && w.made > 0 && w.last != nil {
		w.last.add(p)
		return
	}
	w.put(p)
}

// file makes a step of a file that somebody writes.
func (w *walker) file(b Block, text string) {
	if !strings.Contains(text, "</") {
		text = w.in.places(text, b.Line)
	}
	p := piece{text: text, code: true, depth: b.Depth, line: b.Line}
	if !w.does && (w.open != nil || !fileIntro.MatchString(w.intro())) {
		if w.open == nil && w.made == 0 && !w.hasText() && w.works() {
			w.task(b, text) // nothing says that it is there to be looked at
			return
		}
		if p.unclear = w.works(); w.open != nil || w.hasText() {
			w.put(p)
		} else {
			w.shown(b, text)
		}
		return
	}
	w.pending = append(w.pending, p)
	w.does = true
	w.flush()
}

// intro returns the sentence before what comes now.
func (w *walker) intro() string {
	list := w.pending
	if w.open != nil {
		list = w.open.pieces
	}
	for _, p := range slices.Backward(list) {
		if p.note {
			continue
		}
		if p.code {
			return ""
		}
		if all := sentences(p.text); len(all) > 0 {
			return strings.TrimSpace(all[len(all)-1])
		}
	}
	return ""
}

// commands makes a step of a block of commands.
func (w *walker) commands(b Block, text string) {
	before, in, output := typed(b.Info, text)
	if strings.TrimSpace(in) == "" {
		w.shown(b, text)
		return
	}
	c := w.in.read(in, b.Line, w.set)
	for _, name := range c.secrets {
		w.in.add(name, "$"+name, b.Line)
	}
	if !c.parsed {
		w.warnf("NotShell", b.Line, "the commands cannot be read as a shell script: they are shown as they stand")
	}
	pieces := []piece{{text: c.shows, code: true, typed: true, depth: b.Depth, line: b.Line}}
	if before != "" {
		pieces = slices.Insert(pieces, 0, piece{text: before, code: true, depth: b.Depth, line: b.Line})
	}
	if output != "" {
		pieces = append(pieces, piece{text: "The runbook shows this " +
			"output:", line: b.Line}, piece{text: output, code: true, line: b.End})
	}
	s := w.takes(c)
	if s == nil {
		s = w.commandStep(c)
	}
	for _, p := range pieces {
		s.add(p)
	}
	s.end = max(s.end, b.End)
	w.open = nil
}

// takes returns the step that a block of commands belongs to, nil when it is one of
// its own: a gate that it was introduced by, or the step whose example it is.
func (w *walker) takes(c command) *step {
	intro := w.intro()
	if w.open != nil {
		introduced := kindOf(intro) == looks || kindOf(intro) == waits
		leads := w.at.role == phaseVerify || strings.HasSuffix(intro, ":")
		if c.reads && len(c.sets) == 0 || introduced && leads && !c.changes {
			w.open.commands = append(w.open.commands, c)
			return w.open
		}
		// What is to be looked at comes with the command.
		if introduced && strings.HasSuffix(intro, ":") {
			s := w.open
			s.kind = w.commandKind(c)
			s.commands = append(s.commands, c)
			return s
		}
		return nil
	}
	if exampleIntro.MatchString(plainText(intro)) && w.made > 0 && w.last != nil && len(w.last.commands) > 0 {
		w.warnf("Example", w.pending[len(w.pending)-1].line, "an example of a command is shown with the step before "+
			"it, and is no step")
		w.toLast()
		w.does = false
		return w.last
	}
	return nil
}

// commandStep makes a step of what waits and a block of commands.
func (w *walker) commandStep(c command) *step {
	s := &step{kind: w.commandKind(c), commands: []command{c}}
	for _, p := range w.pending {
		s.add(p)
	}
	w.pending, w.does = nil, false
	return w.emit(s)
}

// commandKind says who answers for a block of commands: it is work unless it only
// reads, or stands where the page says that something is looked at or saved.
func (w *walker) commandKind(c command) stepKind {
	switch {
	case c.reads:
		return read
	case c.changes:
		return work
	case w.at.role == phaseVerify:
		return look
	case w.at.role == phaseBackup:
		return save
	default:
		return work
	}
}

// keep puts a section that holds no steps of the way into a comment.
func (w *walker) keep(s *Section, to *[]piece) {
	if s.Level > 0 && s.Source != "" {
		*to = append(*to, piece{text: strings.Repeat("#", s.Level) + " " + s.Source, code: true, line: s.Line})
	}
	for _, b := range s.Blocks {
		if text, code := w.text(b); text != "" {
			*to = append(*to, piece{text: text, code: code, marker: b.Marker, depth: b.Depth, line: b.Line})
		}
	}
}

// rest keeps what belongs to no stage.
func (w *walker) rest(l *layout) {
	for _, p := range l.reference {
		held := 0
		for _, b := range p.section.Blocks {
			if b.Kind == Code && classify(b.Info, b.Text) == fenceCommands {
				held++
			}
		}
		if held > 0 {
			w.warnf("NotAStep", p.section.Line, "%q is looked up, not gone through: its commands are kept as a comment",
				p.section.Heading).Suggest("write what helps against a failure into issues.yaml")
		}
		w.keep(p.section, &w.draft.tail)
	}
	for _, b := range w.book.Notes {
		text, _ := w.text(b)
		w.draft.tail = append(w.draft.tail, piece{text: text, code: true, line: b.Line})
	}
	for _, s := range w.early {
		w.draft.about = append(w.draft.about, s.pieces...)
	}
	w.early = nil
}
