package report

import (
	"bufio"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Columns that a page may have. Rules end at maxRule; right-hand columns end
// at maxRight, because an eye does not follow lines that are longer.
const (
	defaultWidth = 80
	minWidth     = 40
	maxRule      = 120
	maxRight     = 100
)

// span is a piece of text with one meaning.
type span struct {
	role Role
	text string
}

// in returns text with a meaning.
func in(role Role, text string) span { return span{role: role, text: text} }

// plain returns text without a meaning of its own.
func plain(text string) span { return span{text: text} }

// page lays out lines. The first error of the writer is kept and ends the
// output.
type page struct {
	out    *bufio.Writer
	err    error
	opts   TextOptions
	width  int // no line is wider
	style  Style
	blanks bool // the last line was blank, or there was none
}

// newPage returns an empty page over w.
func newPage(w io.Writer, opts TextOptions) *page {
	p := &page{out: bufio.NewWriter(w), opts: opts, width: opts.Width, style: opts.Style, blanks: true}
	if p.width == 0 {
		p.width = defaultWidth
	}
	p.width = max(p.width, minWidth)
	if p.style == nil {
		p.style = Plain{}
	}
	return p
}

// close writes what is left and returns the first error.
func (p *page) close() error {
	if err := p.out.Flush(); p.err == nil {
		p.err = err
	}
	return p.err
}

// blank separates two parts by one empty line, however often it is called.
func (p *page) blank() {
	if !p.blanks {
		p.raw("\n")
	}
	p.blanks = true
}

// para writes spans from column indent on; further lines begin at hang.
func (p *page) para(indent, hang int, spans ...span) {
	lines := layout(p.clean(spans), p.width-indent, p.width-hang)
	for i, line := range lines {
		if i > 0 {
			indent = hang
		}
		p.line(indent, line)
	}
}

// row writes left and, at the right edge of the same line, right. It returns
// false and writes nothing when they do not fit into one line.
func (p *page) row(indent int, left, right []span) bool {
	left, right = p.clean(left), p.clean(right)
	gap := min(p.width, maxRight) - indent - spansWidth(left) - spansWidth(right)
	if gap < 2 && len(right) > 0 || gap < 0 {
		return false
	}
	if len(right) > 0 {
		left = append(append(left, plain(strings.Repeat(" ", gap))), right...)
	}
	p.line(indent, left)
	return true
}

// rule writes a line across the page with a title in it.
func (p *page) rule(role Role, stroke, title string) {
	stroke = p.cleanText(stroke)
	edge := min(p.width, maxRule)
	text := strings.Repeat(stroke, 2)
	if title != "" {
		title = truncate(p.cleanText(title), edge-8, p.cleanText("…"))
		text += " " + title + " "
	}
	text += strings.Repeat(stroke, max(0, edge-width(text)))
	p.line(0, []span{in(role, text)})
}

// field writes a label and, beside it, its value.
func (p *page) field(label string, spans ...span) {
	const indent, column = 2, 12
	lines := layout(p.clean(spans), p.width-indent-column, p.width-indent-column)
	for i, line := range lines {
		if i > 0 {
			label = ""
		}
		head := in(Muted, label+strings.Repeat(" ", max(1, column-width(label))))
		p.line(indent, append([]span{head}, line...))
	}
}

// line writes spans, which are clean and fit, as one line.
func (p *page) line(indent int, spans []span) {
	for len(spans) > 0 {
		last := len(spans) - 1
		spans[last].text = strings.TrimRight(spans[last].text, " \u00a0")
		if spans[last].text != "" {
			break
		}
		spans = spans[:last]
	}
	if len(spans) > 0 {
		p.raw(strings.Repeat(" ", indent))
	}
	for _, s := range spans {
		p.paint(s)
	}
	p.raw("\n")
	p.blanks = false
}

// paint writes one span; spaces around it stay without colour. Spaces that
// were kept from breaking have done their duty and become ordinary ones.
func (p *page) paint(s span) {
	if !isPlainASCII(s.text) {
		s.text = strings.ReplaceAll(s.text, "\u00a0", " ")
	}
	core := strings.TrimLeft(s.text, " ")
	p.raw(s.text[:len(s.text)-len(core)])
	text := strings.TrimRight(core, " ")
	switch {
	case text == "":
	case s.role == Text:
		p.raw(text)
	default:
		p.raw(p.style.Paint(s.role, text))
	}
	p.raw(core[len(text):])
}

func (p *page) raw(text string) {
	if p.err == nil {
		_, p.err = p.out.WriteString(text)
	}
}

// clean makes spans safe to show; the result is a copy.
func (p *page) clean(spans []span) []span {
	out := make([]span, 0, len(spans)+2)
	for _, s := range spans {
		if s.text = p.cleanText(s.text); s.text != "" {
			out = append(out, s)
		}
	}
	return out
}

// width returns the number of columns that text takes.
func width(text string) int {
	if isPlainASCII(text) {
		return len(text)
	}
	return ansi.StringWidth(text)
}

func spansWidth(spans []span) int {
	n := 0
	for _, s := range spans {
		n += width(s.text)
	}
	return n
}
