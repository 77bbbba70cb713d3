package runbook

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/expr"
)

// textWidth is how wide texts for people are.
const textWidth = 76

// compose lays the pieces of a text out: prose wrapped, code indented.
func compose(pieces []piece) string {
	const indent = "    "
	var b strings.Builder
	item := false // the piece before is an item of a list
	for _, p := range pieces {
		if p.note || strings.TrimSpace(p.text) == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n")
			if !item || p.marker == "" || p.code {
				b.WriteString("\n")
			}
		}
		switch {
		case p.code:
			for i, line := range strings.Split(p.text, "\n") {
				if i > 0 {
					b.WriteString("\n")
				}
				b.WriteString(strings.TrimRight(indent+line, " \t"))
			}
		case p.marker != "":
			before := strings.Repeat("  ", max(0, p.depth-1)) + p.marker + " "
			b.WriteString(before + wrap(p.text, textWidth-len(before), strings.Repeat(" ", len(before))))
		default:
			b.WriteString(wrap(p.text, textWidth, ""))
		}
		item = p.marker != "" && !p.code
	}
	return strings.TrimLeft(b.String(), "\n")
}

// wrap breaks a text into lines; the second and later ones begin with indent.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// template writes a text so that Refit's expressions give it back, with inputs in
// the place of tokens.
func template(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range tokens.FindAllStringSubmatchIndex(text, -1) {
		literal := expr.Escape(text[at:m[0]])
		if rest, ends := strings.CutSuffix(literal, "$"); ends {
			literal = rest + `${"$"}` // or it would make text of the expression behind it
		}
		b.WriteString(literal + "${inputs." + text[m[2]:m[3]] + "}")
		at = m[1]
	}
	b.WriteString(expr.Escape(text[at:]))
	return b.String()
}

// original writes a text as it stands on the page.
func (d *Draft) original(text string) string {
	return tokens.ReplaceAllStringFunc(text, func(t string) string {
		key := strings.Trim(t, string(tokenStart)+string(tokenEnd))
		for _, in := range d.Inputs {
			if in.Name == key {
				return in.Text
			}
		}
		return key
	})
}

// writer writes YAML.
type writer struct {
	b strings.Builder
}

func (w *writer) line(indent int, text string) {
	w.b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+text, " \t") + "\n")
}

// comment writes a text as lines of a comment.
func (w *writer) comment(indent int, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		w.line(indent, "# "+line)
	}
}

// text writes a key with a text: on its line when it is short, else as a block.
func (w *writer) text(indent int, key, value string) {
	lines := strings.Split(value, "\n")
	const short = 90
	if len(lines) == 1 && len(value) <= short {
		w.line(indent, key+": "+scalar(value))
		return
	}
	if !blockable(lines) {
		w.line(indent, key+": "+quote(value))
		return
	}
	w.line(indent, key+": |-")
	for _, line := range lines {
		w.line(indent+2, line)
	}
}

// blockable tells whether a text may stand as a block of YAML.
func blockable(lines []string) bool {
	if lines[0] == "" || strings.HasPrefix(lines[0], " ") || lines[len(lines)-1] == "" {
		return false
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "\t") || strings.TrimRight(line, " \t") != line {
			return false
		}
	}
	return true
}

var (
	plainScalar = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 _./()'’,;+-]*$`)
	plainItem   = regexp.MustCompile(`^(?:[A-Za-z/_.]|--?[A-Za-z])[A-Za-z0-9_./=@+-]*$`)
	yamlWord    = regexp.MustCompile(`(?i)^(?:true|false|yes|no|on|off|null|y|n|\.inf|\.nan|\.)$`)
)

// scalar writes a value of one line.
func scalar(s string) string {
	if plainScalar.MatchString(s) && !yamlWord.MatchString(s) && strings.TrimSpace(s) == s {
		return s
	}
	return quote(s)
}

// listItem writes a value of a list in brackets.
func listItem(s string) string {
	if plainItem.MatchString(s) && !yamlWord.MatchString(s) {
		return s
	}
	return quote(s)
}

// quote writes a value in double quotes. JSON is YAML.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a string can always be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}
