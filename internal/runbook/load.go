package runbook

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/diag"
)

// Load reads a runbook. The Runbook is nil exactly when there is an Error; name
// stands in positions. Time and memory grow with the size of data alone.
func Load(name string, data []byte) (*Runbook, diag.Diagnostics) {
	var ds diag.Diagnostics
	pos := diag.Position{File: name}
	switch {
	case len(data) > MaxSize:
		ds.Errorf("FileTooLarge", pos, "the runbook has %.1f MiB, at most %d MiB are read",
			float64(len(data))/(1<<20), MaxSize>>20).Suggest("is this the file that you mean?")
	case bytes.IndexByte(data, 0) >= 0:
		ds.Errorf("NotText", pos, "the file is not text: it holds zero bytes").
			Suggest("save the page as Markdown in UTF-8")
	case !utf8.Valid(data):
		pos.Line = 1 + bytes.Count(data[:invalidAt(data)], []byte("\n"))
		ds.Errorf("NotUTF8", pos, "the file is not UTF-8 text").Suggest("save the page as Markdown in UTF-8")
	case len(bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))) == 0:
		ds.Errorf("EmptyFile", pos, "the file is empty")
	}
	if ds.HasErrors() {
		return nil, ds
	}
	p := &page{book: &Runbook{Name: name}, lines: strings.Split(clean(string(data)), "\n")}
	p.frontMatter()
	if line := p.tooDeep(); line > 0 {
		pos.Line = line
		ds.Errorf("TooDeep", pos, "more than %d lists and quotations stand one inside the other", maxNesting).
			Suggest("is this the file that you mean?")
		return nil, ds
	}
	p.prepare()
	p.parse()
	p.leftOver()
	p.title()
	return p.book, nil
}

// invalidAt returns where the first bytes stand that are not UTF-8.
func invalidAt(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}

// clean unifies the ends of lines and makes visible what neither a terminal nor
// YAML should see as it is. The number of lines stays.
func clean(s string) string {
	s = strings.TrimPrefix(s, "\ufeff")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\u00a0' || r == '\v' || r == '\f':
			return ' '
		case r == tokenStart, r == tokenEnd, r == '\ufeff', r == '\ufffe', r == '\uffff', unicode.IsControl(r),
			unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		default:
			return r
		}
	}, s)
}

// page is a runbook while it is read.
type page struct {
	book  *Runbook
	lines []string
	// flat are the lines of headings whose level is not known, by index.
	flat map[int]bool
	// taken are the lines that stand in a block, or are known to say nothing.
	taken []bool
}

func (p *page) warnf(code string, line int, format string, args ...any) *diag.Diagnostic {
	return p.book.Findings.Warnf(code, diag.Position{File: p.book.Name, Line: line}, format, args...)
}

var frontTitle = regexp.MustCompile(`^title:\s*["']?(.*?)["']?\s*$`)

// frontMatter takes the head of a page of a site generator away: lines between
// two of "---". Its title is the title of the page.
func (p *page) frontMatter() {
	const longest = 100
	p.taken = make([]bool, len(p.lines))
	if strings.TrimRight(p.lines[0], " ") != "---" {
		return
	}
	for i := 1; i < len(p.lines) && i < longest; i++ {
		line := strings.TrimRight(p.lines[i], " ")
		if line != "---" && line != "..." {
			continue
		}
		head := p.lines[1:i]
		for _, l := range head {
			if m := frontTitle.FindStringSubmatch(l); m != nil {
				p.book.Title = m[1]
			}
		}
		if text := strings.Join(head, "\n"); strings.TrimSpace(text) != "" {
			p.book.Notes = append(p.book.Notes, Block{Kind: Raw, Text: text, Line: 2, End: i})
		}
		for j := range i + 1 {
			p.lines[j], p.taken[j] = "", true
		}
		return
	}
}

var (
	templateTag = regexp.MustCompile(`^\s*(\{%.*%\}|\{\{[<%].*[>%]\}\})\s*$`)
	fenceLine   = regexp.MustCompile("^(?:\\s|[-*+>]\\s|\\d+[.)]\\s)*(`{3,}|~{3,})(.*)$")
	flatHeading = regexp.MustCompile(`^[^\s#>|*+\-` + "`" + `].{0,98}[^\s#][#¶]$`)
	mystFence   = regexp.MustCompile("^\\s*(`{3,}|:{3,}|~{3,})\\s*\\{?([A-Za-z]+)\\}?\\s*(.*)$")
	bangBlock   = regexp.MustCompile(`^(?:!!!|\?\?\?\+?)\s*([A-Za-z]+)\s*(?:"(.*)")?\s*$`)
)

// admonitions maps the kinds of boxes that pages set texts off with to whether they warn.
func admonitions() map[string]bool {
	return map[string]bool{
		"warning": true, "caution": true, "danger": true, "important": true, "attention": true, "error": true,
		"critical": true,
		"note":     false, "info": false, "tip": false, "hint": false, "seealso": false, "example": false,
		"success": false, "question": false, "abstract": false,
	}
}

// prepare rewrites what is no Markdown into Markdown, line by line: boxes of
// site generators become quotations, headings copied from a browser headings.
func (p *page) prepare() {
	p.flat = map[int]bool{}
	fence := ""
	for i := 0; i < len(p.lines); i++ {
		line := p.lines[i]
		if m := fenceLine.FindStringSubmatch(line); fence == "" && m != nil && !boxed(line) {
			fence = m[1]
			continue
		}
		if fence != "" {
			t := strings.TrimLeft(strings.TrimSpace(line), "> ")
			if strings.HasPrefix(t, fence) && strings.Trim(t, fence[:1]) == "" {
				fence = ""
			}
			continue
		}
		switch {
		case templateTag.MatchString(line):
			p.warnf("TemplateTag", i+1, "a tag of a template is left out: %s", strings.TrimSpace(line))
			p.lines[i], p.taken[i] = "", true
		case bangBlock.MatchString(line):
			i = p.bang(i)
		case boxed(line):
			i = p.box(i)
		case flatHeading.MatchString(line) && (i == 0 || !strings.HasSuffix(p.lines[i-1], "\\")):
			p.flat[i] = true
			p.lines[i] = "# " + strings.TrimRight(line, "#¶")
		}
	}
}

// maxNesting is how many lists and quotations may stand one inside the other. The
// time that parsing takes grows with its square.
const maxNesting = 50

var nesting = regexp.MustCompile(`^(?:\s*(?:>|[-*+](?:\s|$)|\d{1,9}[.)](?:\s|$)))+`)

// tooDeep returns the first line that is nested too deeply, 0 when there is none.
func (p *page) tooDeep() int {
	for i, line := range p.lines {
		marks := nesting.FindString(line)
		if len(marks) <= maxNesting || strings.Trim(line, "-*+ \t") == "" {
			continue // a line of dashes alone is a rule
		}
		spaces := len(line) - len(strings.TrimLeft(line, " \t"))
		const narrowest = 2 // columns of a list in a list
		if depth := strings.Count(strings.Join(strings.Fields(marks), ""), ">"); depth > maxNesting ||
			len(strings.Fields(marks)) > maxNesting || spaces > narrowest*maxNesting {
			return i + 1
		}
	}
	return 0
}

// boxed tells whether a line opens a box with colons or a fence whose kind is
// that of a box.
func boxed(line string) bool {
	m := mystFence.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	_, known := admonitions()[strings.ToLower(m[2])]
	return known && (strings.HasPrefix(m[1], ":") || strings.Contains(line, "{"))
}

// box turns a box between fences into a quotation, and returns its last line.
func (p *page) box(start int) int {
	m := mystFence.FindStringSubmatch(p.lines[start])
	for end := start + 1; end < len(p.lines); end++ {
		if strings.TrimSpace(p.lines[end]) != m[1] {
			continue
		}
		p.lines[start] = quoteHead(m[2], m[3])
		for i := start + 1; i < end; i++ {
			p.lines[i] = "> " + p.lines[i]
		}
		p.lines[end], p.taken[end] = "", true
		return end
	}
	return start
}

// bang turns a box whose text is indented into a quotation.
func (p *page) bang(start int) int {
	m := bangBlock.FindStringSubmatch(p.lines[start])
	if _, known := admonitions()[strings.ToLower(m[1])]; !known {
		return start
	}
	p.lines[start] = quoteHead(m[1], m[2])
	last := start
	for i := start + 1; i < len(p.lines); i++ {
		line := strings.ReplaceAll(p.lines[i], "\t", "    ")
		switch {
		case strings.HasPrefix(line, "    "):
			p.lines[i] = "> " + line[4:]
			for j := last + 1; j < i; j++ {
				p.lines[j] = ">"
			}
			last = i
		case strings.TrimSpace(line) != "":
			return last
		}
	}
	return last
}

func quoteHead(kind, title string) string {
	if title = strings.TrimSpace(title); title != "" {
		if title = " " + title; !strings.ContainsAny(title[len(title)-1:], ".!?:") {
			title += "."
		}
	}
	return fmt.Sprintf("> **%s:**%s", strings.ToUpper(kind), title)
}

// title finds what the page is called: its first heading, when that stands above
// the next one.
func (p *page) title() {
	sections := p.book.Sections
	if len(sections) < 2 {
		return
	}
	first := sections[1]
	onlyTitle := len(sections) == 2 && first.Level == 1
	above := len(sections) > 2 && (first.Level < sections[2].Level || first.Flat && sections[2].Flat)
	if !blank(sections[0]) || !onlyTitle && !above {
		return
	}
	if p.book.Title == "" || p.book.Title == first.Heading {
		p.book.Title = first.Heading
		p.book.Sections = sections[1:]
		first.Level = 0
	}
}

func blank(s *Section) bool { return len(s.Blocks) == 0 }
