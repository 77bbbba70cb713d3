package runbook

import (
	"regexp"
	"sort"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// reader turns the tree of the Markdown parser into sections of blocks. The text
// of a paragraph stays as it is written: links, emphasis and code are for people.
type reader struct {
	page    *page
	source  []byte
	starts  []int // offset of every line
	section *Section
	depth   int
	warn    bool
	marker  string
}

// parse reads the lines of the page. Only blocks are parsed: what is inside of a
// paragraph is kept as it stands.
func (p *page) parse() {
	source := []byte(strings.Join(p.lines, "\n"))
	r := &reader{page: p, source: source, section: &Section{}}
	offset := 0
	for _, line := range p.lines {
		r.starts = append(r.starts, offset)
		offset += len(line) + 1
	}
	p.book.Sections = []*Section{r.section}
	md := parser.NewParser(parser.WithBlockParsers(parser.DefaultBlockParsers()...))
	r.children(md.Parse(text.NewReader(source)))
}

// lineAt returns the index of the line that holds an offset.
func (r *reader) lineAt(offset int) int {
	return sort.SearchInts(r.starts, offset+1) - 1
}

// span marks the lines of a node as taken and returns the first and the last,
// counted from 1; both are 0 for a node without lines.
func (r *reader) span(lines *text.Segments) (first, last int) {
	if lines.Len() == 0 {
		return 0, 0
	}
	lo := r.lineAt(lines.At(0).Start)
	hi := r.lineAt(max(lines.At(lines.Len()-1).Stop-1, lines.At(0).Start))
	for i := lo; i <= hi && i < len(r.page.taken); i++ {
		r.page.taken[i] = true
	}
	return lo + 1, hi + 1
}

func (r *reader) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		r.node(c)
	}
}

func (r *reader) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		r.heading(n)
	case *ast.Paragraph, *ast.TextBlock:
		r.prose(n.Lines())
	case *ast.FencedCodeBlock:
		info := ""
		if n.Info != nil {
			info = strings.TrimSpace(string(n.Info.Segment.Value(r.source)))
			r.page.taken[r.lineAt(n.Info.Segment.Start)] = true
		}
		r.code(n.Lines(), info)
	case *ast.CodeBlock:
		r.code(n.Lines(), "")
	case *ast.HTMLBlock:
		r.html(n)
	case *ast.List:
		r.list(n)
	case *ast.Blockquote:
		r.quote(n)
	default:
		r.children(n)
	}
}

func (r *reader) add(b Block) {
	b.Depth, b.Warn = r.depth, r.warn
	if b.Kind != ItemStart && b.Kind != ItemEnd {
		b.Marker, r.marker = r.marker, ""
	}
	r.section.Blocks = append(r.section.Blocks, b)
}

// raw returns the text of a node, its lines as they are.
func (r *reader) raw(lines *text.Segments) string {
	var b strings.Builder
	for i := range lines.Len() {
		seg := lines.At(i)
		b.Write(seg.Value(r.source))
	}
	return strings.TrimRight(b.String(), "\n")
}

func (r *reader) heading(n *ast.Heading) {
	source := strings.TrimSpace(r.raw(n.Lines()))
	line, _ := r.span(n.Lines())
	words := plainText(source)
	switch {
	case words == "":
		return
	case r.depth > 0 || r.warn || n.Parent().Kind() != ast.KindDocument:
		r.add(Block{Kind: Prose, Text: source, Line: line, End: line})
		return
	}
	r.section = &Section{Level: n.Level, Source: source, Heading: words, Line: line, Flat: r.page.flat[line-1]}
	r.page.book.Sections = append(r.page.book.Sections, r.section)
}

var tableRule = regexp.MustCompile(`^\s*\|?\s*:?-+:?\s*(\|\s*:?-*:?\s*)+$`)

// prose adds a paragraph. A table is kept line by line, and so are lines that
// are commands although nothing sets them off.
func (r *reader) prose(segments *text.Segments) {
	first, last := r.span(segments)
	if first == 0 {
		return
	}
	lines := strings.Split(r.raw(segments), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	for i := 1; i < len(lines); i++ {
		if tableRule.MatchString(lines[i]) && strings.Contains(lines[i-1], "|") {
			if i > 1 {
				r.add(Block{Kind: Prose, Text: strings.Join(lines[:i-1], " "), Line: first, End: first + i - 2})
			}
			r.add(Block{Kind: Raw, Text: strings.Join(lines[i-1:], "\n"), Line: first + i - 1, End: last})
			return
		}
	}
	if bareCommands(lines) {
		r.page.warnf("BareCommands", first, "lines that look like commands are taken as commands").
			Suggest("set them between lines of ```")
		r.add(Block{Kind: Code, Text: strings.Join(lines, "\n"), Info: "sh", Line: first, End: last})
		return
	}
	r.add(Block{Kind: Prose, Text: strings.Join(lines, " "), Line: first, End: last})
}

func (r *reader) code(segments *text.Segments, info string) {
	first, last := r.span(segments)
	body := r.raw(segments)
	if strings.TrimSpace(body) == "" {
		return
	}
	for strings.HasPrefix(body, "\n") {
		body = body[1:]
		first++
	}
	r.add(Block{Kind: Code, Text: strings.TrimRight(body, "\n "), Info: info, Line: first, End: last})
}

func (r *reader) html(n *ast.HTMLBlock) {
	first, last := r.span(n.Lines())
	body := r.raw(n.Lines())
	if n.HasClosure() {
		body += "\n" + strings.TrimRight(string(n.ClosureLine.Value(r.source)), "\n")
		end := r.lineAt(n.ClosureLine.Start)
		r.page.taken[end] = true
		if first == 0 {
			first = end + 1
		}
		last = end + 1
	}
	body = strings.Trim(body, "\n")
	if strings.TrimSpace(body) == "" {
		return
	}
	kind := Raw
	if strings.HasPrefix(strings.TrimSpace(body), "<!--") {
		kind = Hidden
	}
	r.add(Block{Kind: kind, Text: body, Line: first, End: last})
}

// list adds the items of a list. Those of a numbered list and of a list of boxes
// to tick are steps; those of any other list are steps when they say what to do.
func (r *reader) list(n *ast.List) {
	if r.contents(n) {
		return
	}
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		marker := string(n.Marker)
		body := strings.TrimSpace(r.firstText(item))
		steps := n.IsOrdered()
		if n.IsOrdered() {
			marker = itoa(number) + string(n.Marker)
			number++
		} else {
			steps = taskItem.MatchString(body) || imperative(body) && !alternative.MatchString(body)
		}
		r.marker = marker
		if steps {
			r.add(Block{Kind: ItemStart})
		}
		r.depth++
		r.children(item)
		r.depth--
		if steps {
			r.add(Block{Kind: ItemEnd})
		}
		r.marker = ""
	}
}

var (
	taskItem     = regexp.MustCompile(`^\[[ xX]\]\s`)
	alternative  = regexp.MustCompile(`(?i)(,| )\s*or[.;]?$|^(either|or|if)\b`)
	contentsHead = regexp.MustCompile(`(?i)^[*_]*(?:table of )?contents:?[*_:]*$`)
	contentItem  = regexp.MustCompile(`^\[[^\]]*\]\((#[^)]*|)\)$`)
)

// firstText returns the first paragraph of an item.
func (r *reader) firstText(item ast.Node) string {
	first := item.FirstChild()
	if first == nil || first.Kind() != ast.KindParagraph && first.Kind() != ast.KindTextBlock {
		return ""
	}
	return strings.ReplaceAll(r.raw(first.Lines()), "\n", " ")
}

// contents leaves out a list that only leads to the headings of the page.
func (r *reader) contents(n *ast.List) bool {
	if !r.leads(n) {
		return false
	}
	line := 0
	var take func(n ast.Node)
	take = func(n ast.Node) {
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			if c.Kind() == ast.KindParagraph || c.Kind() == ast.KindTextBlock {
				if first, _ := r.span(c.Lines()); line == 0 {
					line = first
				}
			}
			take(c)
		}
	}
	take(n)
	if blocks := r.section.Blocks; len(blocks) > 0 && contentsHead.MatchString(blocks[len(blocks)-1].Text) {
		r.section.Blocks = blocks[:len(blocks)-1]
	}
	r.page.warnf("ContentsLeftOut", line, "the table of contents is left out")
	return true
}

// leads tells whether all items of a list are links into the page.
func (r *reader) leads(n ast.Node) bool {
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		if !contentItem.MatchString(strings.TrimSpace(r.firstText(item))) {
			return false
		}
		for c := item.FirstChild().NextSibling(); c != nil; c = c.NextSibling() {
			if c.Kind() != ast.KindList || !r.leads(c) {
				return false
			}
		}
	}
	return true
}

var boxHead = regexp.MustCompile(`^(?:\*\*|__|\[!)?\s*(?:⚠️?|🚨|❗️?|:\w+:)?\s*([A-Za-z]+)\b`)

// quote adds a quotation. When it begins with a word that warns, all of it does.
func (r *reader) quote(n ast.Node) {
	first := n.FirstChild()
	for first != nil && first.Kind() == ast.KindBlockquote {
		first = first.FirstChild()
	}
	if first == nil {
		return
	}
	outer := r.warn
	if first.Kind() == ast.KindParagraph {
		if m := boxHead.FindStringSubmatch(r.raw(first.Lines())); m != nil && admonitions()[strings.ToLower(m[1])] {
			r.warn = true
		}
	}
	r.children(n)
	r.warn = outer
}

var saysNothing = regexp.MustCompile("^[\\s>*+-]*(`{3,}.*|~{3,}.*|[-=_*\\s>#]*|\\d+[.)])$")

// leftOver keeps lines that stand in no block: the parser uses some up.
func (p *page) leftOver() {
	for i, line := range p.lines {
		if p.taken[i] || saysNothing.MatchString(line) {
			continue
		}
		p.book.Notes = append(p.book.Notes, Block{Kind: Raw, Text: strings.TrimSpace(line), Line: i + 1, End: i + 1})
	}
}
