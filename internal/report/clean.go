package report

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// asciiOf returns what stands for the signs of this package where only ASCII
// is wanted; "" for signs that are no business of this package.
func asciiOf(r rune) string {
	switch r {
	case '→':
		return "->"
	case '…':
		return "..."
	case '═', '━':
		return "="
	case '─', '–':
		return "-"
	case '·':
		return "."
	case '●', '○':
		return "o"
	case '◆':
		return "*"
	case '│':
		return "|"
	case '┆':
		return ":"
	case '‖':
		return "?"
	case '✗':
		return "x"
	case '✓':
		return "="
	case '▸', '▹':
		return ">"
	case '▾':
		return "v"
	case '←':
		return "<"
	case '≥':
		return ">="
	default:
		return ""
	}
}

// cleanText makes text safe to show on one line: texts of plans come from
// files and servers and must not move the cursor, hide other text or start a
// new line.
func (p *page) cleanText(text string) string {
	if isPlainASCII(text) {
		return text
	}
	text = sanitize(text)
	if !p.opts.ASCII {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if s := asciiOf(r); s != "" {
			b.WriteString(s)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// sanitize removes escape sequences, replaces control characters by spaces
// and drops signs that change the direction or the width of others.
func sanitize(text string) string {
	text = ansi.Strip(strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
			return -1
		default:
			return r
		}
	}, text)
}

// isPlainASCII tells whether text consists of printable ASCII only, which
// needs no care and has one column a byte.
func isPlainASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// truncate shortens text to at most limit columns with tail at its end.
func truncate(text string, limit int, tail string) string {
	if width(text) <= limit {
		return text
	}
	return ansi.Truncate(text, max(0, limit), tail)
}
