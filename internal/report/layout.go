package report

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// word is a piece of text that is kept on one line when it can be.
type word struct {
	parts []span
	width int
	// gap is how many spaces stand before it: two between columns.
	gap int
}

// layout breaks clean spans into lines of at most first columns for the first
// line and rest columns for the others. Words that are longer than a line are
// cut.
func layout(spans []span, first, rest int) [][]span {
	first, rest = max(first, 2), max(rest, 2)
	if spansWidth(spans) <= first {
		return [][]span{spans}
	}
	b := breaker{limit: first, rest: rest}
	for _, w := range words(spans) {
		b.add(w)
	}
	b.flush()
	return b.lines
}

// breaker collects words into lines.
type breaker struct {
	lines [][]span
	line  []span
	used  int
	limit int // of the current line
	rest  int // of the lines after it
}

func (b *breaker) add(w word) {
	if b.used > 0 && b.used+w.gap+w.width > b.limit {
		b.flush()
	}
	if b.used > 0 {
		b.put(b.gap(w), w.gap)
	}
	for _, part := range w.parts {
		b.addPart(part)
	}
}

// gap returns the spaces before w; it belongs to the text around it when both
// sides have one meaning, so that a style paints them in one go.
func (b *breaker) gap(w word) span {
	blanks := strings.Repeat(" ", w.gap)
	if last := b.line[len(b.line)-1]; last.role == w.parts[0].role {
		return in(last.role, blanks)
	}
	return plain(blanks)
}

// addPart puts one part of a word on the line and cuts it where it must.
func (b *breaker) addPart(part span) {
	for {
		n := width(part.text)
		if b.used+n <= b.limit {
			b.put(part, n)
			return
		}
		head := ansi.Truncate(part.text, b.limit-b.used, "")
		if head == "" && b.used == 0 {
			head = part.text // A sign wider than the line: nothing can be done.
		}
		if head != "" {
			b.put(in(part.role, head), width(head))
			part.text = part.text[len(head):]
		}
		if part.text == "" {
			return
		}
		b.flush()
	}
}

// put appends a span and joins it with the one before when both have the same
// meaning.
func (b *breaker) put(s span, columns int) {
	b.used += columns
	if last := len(b.line) - 1; last >= 0 && b.line[last].role == s.role {
		b.line[last].text += s.text
		return
	}
	b.line = append(b.line, s)
}

func (b *breaker) flush() {
	if b.used == 0 {
		return
	}
	b.lines = append(b.lines, b.line)
	b.line, b.used, b.limit = nil, 0, b.rest
}

// words splits spans at spaces. Spans that touch each other without a space
// form one word.
func words(spans []span) []word {
	var out []word
	glued, gap := false, 0
	for _, s := range spans {
		for i, text := range strings.Split(s.text, " ") {
			if i > 0 {
				glued = false
				gap++
			}
			if text == "" {
				continue
			}
			n := width(text)
			if glued {
				w := &out[len(out)-1]
				w.parts = append(w.parts, in(s.role, text))
				w.width += n
			} else {
				out = append(out, word{parts: []span{in(s.role, text)}, width: n, gap: gap})
			}
			glued, gap = true, 0
		}
	}
	return out
}
