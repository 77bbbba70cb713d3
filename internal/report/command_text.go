package report

import (
	"strings"
	"unicode/utf8"
)

// shellWord quotes a word for a shell where that is needed.
func shellWord(word string) string {
	safe := strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-") == ""
	if safe && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// command writes a command so that it can be copied: a line that is too long goes on
// behind a backslash. Between two words the next line is indented further; within a
// word it is not, as a shell joins such lines again.
func (p *page) command(indent int, text string) {
	const further = 4
	text = p.cleanText(text)
	for at := indent; ; {
		if width(text) <= p.width-at {
			p.line(at, []span{in(Strong, text)})
			return
		}
		head, rest, between := breakCommand(text, p.width-at-1)
		p.line(at, []span{in(Strong, head+`\`)})
		if text, at = rest, 0; between {
			at = indent + further
		}
	}
}

// breakCommand cuts a command so that its head takes at most so many columns: between
// two words if it can be, else within one. A quoted word is closed and opened again.
func breakCommand(text string, columns int) (head, rest string, between bool) {
	limit := len(truncate(text, columns-1, "")) // A quote may have to be added.
	space, cut, open, quoted := 0, 0, false, false
	for at := 0; at <= limit; {
		cut, open = at, quoted
		c, size := utf8.DecodeRuneInString(text[at:])
		switch {
		case c == '\'':
			quoted = !quoted
		case c == '\\' && !quoted:
			_, escaped := utf8.DecodeRuneInString(text[at+size:])
			size += escaped
		case c == ' ' && !quoted && at < limit:
			space = at + size
		}
		at += max(size, 1)
	}
	switch {
	case space > 0:
		return text[:space], text[space:], true
	case cut == 0: // A sign wider than the line: nothing can be done.
		_, cut = utf8.DecodeRuneInString(text)
		return text[:cut], text[cut:], false
	case open:
		return text[:cut] + "'", "'" + text[cut:], false
	}
	return text[:cut], text[cut:], false
}

// choice writes a command and, below it, what it is for.
func (p *page) choice(c *NextCommand) {
	p.command(2, c.Command)
	p.para(6, 6, in(Muted, strings.TrimRight(c.Why, ".:")))
}
