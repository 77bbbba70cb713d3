package runbook

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

var heredoc = regexp.MustCompile(`<<-?\s*["'\\]?([A-Za-z_][A-Za-z0-9_]*)`)

// typed splits a block of commands into what is typed and what the page shows before
// it and as output.
func typed(info, code string) (before, commands, output string) {
	lines := strings.Split(code, "\n")
	root := rooted(info, lines)
	if i := slices.IndexFunc(lines, func(line string) bool { return promptOf(line, root) != "" }); i >= 0 {
		t := &terminal{lines: lines[i:], root: root, parser: syntax.NewParser(syntax.Variant(syntax.LangBash))}
		t.read()
		return strings.Trim(strings.Join(lines[:i], "\n"), "\n"), strings.Join(t.in, "\n"),
			strings.Trim(strings.Join(t.out, "\n"), "\n")
	}
	for i, line := range lines {
		if i > 0 && tableHead.MatchString(line) {
			return "", strings.TrimRight(strings.Join(lines[:i], "\n"), "\n "), strings.Join(lines[i:], "\n")
		}
	}
	return "", code, ""
}

// terminal takes apart what was copied from one.
type terminal struct {
	lines   []string
	root    bool
	in, out []string
	last    map[string]int
	parser  *syntax.Parser
}

func (t *terminal) read() {
	for i := 0; i < len(t.lines); i++ {
		prompt := promptOf(t.lines[i], t.root)
		line := t.lines[i][len(prompt):]
		switch {
		case prompt == "":
			t.out = append(t.out, line)
		case strings.TrimSpace(line) != "":
			indent := prompt[:len(prompt)-len(strings.TrimLeft(prompt, " \t"))]
			i += t.command(line, indent, t.lines[i+1:])
		}
	}
}

// command takes a command that begins with first, and returns how many of the lines
// behind it belong to it.
func (t *terminal) command(first, indent string, rest []string) int {
	lines := []string{first}
	for n := 0; ; {
		last := lines[len(lines)-1]
		more := t.heredoc(last, lines, rest[n:])
		if more == 0 && n < len(rest) && promptOf(rest[n], t.root) == "" {
			switch {
			case strings.HasSuffix(last, "\\"):
				more = 1
			case !t.unfinished(lines):
			case continued(rest[n], indent) != strings.TrimPrefix(rest[n], indent):
				more = 1
			default:
				more = t.finish(lines, indent, rest[n:])
			}
		}
		for _, line := range rest[n : n+more] {
			lines = append(lines, continued(line, indent))
		}
		if n += more; more == 0 {
			t.in = append(t.in, lines...)
			return n
		}
	}
}

// heredoc returns how many lines belong to the heredoc that a line begins: those up to
// its end, or, where the page lost that, up to the next prompt.
func (t *terminal) heredoc(line string, lines, rest []string) int {
	m := heredoc.FindStringSubmatch(line)
	if m == nil || !t.unfinished(lines) {
		return 0
	}
	if t.left(m[1]) < len(t.lines)-len(rest) {
		return t.untilPrompt(rest)
	}
	return slices.IndexFunc(rest, func(line string) bool { return bare(line) == m[1] }) + 1
}

// left returns the index of the last line that is a word alone, -1 when none is.
func (t *terminal) left(word string) int {
	if t.last == nil {
		t.last = map[string]int{}
		for i, line := range t.lines {
			t.last[bare(line)] = i
		}
	}
	if i, ok := t.last[word]; ok {
		return i
	}
	return -1
}

// bare returns a line without space around and the mark of one that goes on.
func bare(line string) string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "> "))
}

// finish returns how many lines before the next prompt finish a command, 0 when they
// do not: a quote in the middle of a word is no reason to type what was printed.
func (t *terminal) finish(lines []string, indent string, rest []string) int {
	all := slices.Clone(lines)
	rest = rest[:min(len(rest), mostLines)]
	for i, line := range rest[:t.untilPrompt(rest)] {
		if all = append(all, continued(line, indent)); t.unfinished(all) {
			continue
		}
		if t.parsed(all) != nil {
			return 0
		}
		return i + 1
	}
	return 0
}

func (t *terminal) untilPrompt(lines []string) int {
	for i, line := range lines {
		if promptOf(line, t.root) != "" {
			return i
		}
	}
	return len(lines)
}

// continued returns a line without what a terminal shows before one that goes on.
func continued(line, indent string) string {
	line = strings.TrimPrefix(line, indent)
	if line == ">" {
		return ""
	}
	return strings.TrimPrefix(line, "> ")
}

// mostLines and mostBytes are how long a command may be for a search of its end.
const (
	mostLines = 50
	mostBytes = 16 << 10
)

// unfinished tells whether a shell would ask for more lines.
func (t *terminal) unfinished(lines []string) bool {
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	if len(lines) > mostLines || size > mostBytes {
		return false
	}
	err := t.parsed(lines)
	var e syntax.ParseError
	return syntax.IsIncomplete(err) || errors.As(err, &e) && strings.HasPrefix(e.Text, "unclosed here-document")
}

func (t *terminal) parsed(lines []string) error {
	_, err := t.parser.Parse(strings.NewReader(strings.Join(lines, "\n")+"\n"), "")
	return err
}

// rooted tells whether "# " is a prompt here and not a comment: the block shows a
// terminal, nothing else in it is a prompt, and programs follow.
func rooted(info string, lines []string) bool {
	if !consoleLanguage(language(info)) {
		return false
	}
	for _, line := range lines {
		if promptOf(line, false) != "" {
			return false
		}
	}
	for _, line := range lines {
		if m := rootPrompt.FindString(line); m != "" && looksTyped([]string{line[len(m):]}) {
			return true
		}
	}
	return false
}
