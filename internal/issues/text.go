package issues

import (
	"strings"
	"unicode/utf8"
)

// fold brings a text into the form in which exact texts are compared: without
// what colours a terminal, every run of white space and control characters as one
// space, none at the ends.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == escape:
			i += sequence(s[i:])
			continue
		case c <= ' ' || c == del:
			space = true
			i++
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		from := i
		for i < len(s) && s[i] > ' ' && s[i] != del {
			i++
		}
		b.WriteString(s[from:i])
	}
	return b.String()
}

// lines brings a text into the form in which patterns are tried: without what
// colours a terminal, and a line for everything that a program wrote over another.
func lines(s string) string {
	if !strings.ContainsAny(s, "\x1b\r") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		switch s[i] {
		case escape:
			i += sequence(s[i:])
		case '\r':
			b.WriteByte('\n')
			i++
		default:
			from := i
			for i < len(s) && s[i] != escape && s[i] != '\r' {
				i++
			}
			b.WriteString(s[from:i])
		}
	}
	return b.String()
}

const (
	escape = 0x1b
	del    = 0x7f
)

// sequence returns how long the control sequence is that s begins with. One that
// has no end is its first byte only, so that nothing is lost behind it.
func sequence(s string) int {
	const longest = 64
	if len(s) < 2 || s[1] != '[' {
		return 1
	}
	for i := 2; i < min(len(s), longest); i++ {
		if s[i] >= 0x40 && s[i] <= 0x7e {
			return i + 1
		}
		if s[i] < 0x20 || s[i] > 0x3f {
			break
		}
	}
	return 1
}

// The longest parts that an excerpt has before and behind the beginning of what
// it is about, in bytes.
const (
	excerptBefore = 60
	excerptBehind = 240
)

// excerpt returns what stands around s[from:to] on one line, shortened.
func excerpt(s string, from, to int) string {
	start, end := max(0, from-excerptBefore), min(len(s), max(from+excerptBehind, min(to, from+excerptBehind)))
	for start > 0 && !utf8.RuneStart(s[start]) {
		start--
	}
	for end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	out := fold(strings.ToValidUTF8(s[start:end], "�"))
	if start > 0 {
		out = "…" + out
	}
	if end < len(s) {
		out += "…"
	}
	return out
}
