package expr

import "strings"

// opener starts an expression, escaped writes it as text.
const (
	opener  = "${"
	escaped = "$${"
)

// Escape returns the text of a template string that evaluates to s: every ${
// is written as $${.
func Escape(s string) string { return strings.ReplaceAll(s, opener, escaped) }

// segment is a part of a template string: text, or an expression.
type segment struct {
	text   string // unescaped
	source string // between the braces
	start  int    // offset of the ${ in bytes
	isExpr bool
}

// scanError is a string whose expressions cannot be told apart.
type scanError struct {
	offset        int
	code, message string
	suggestion    string
}

// scan splits a template string. Neighbouring texts are one segment; a string
// without expressions gives at most one segment.
func scan(s string) ([]segment, *scanError) {
	var segments []segment
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			segments = append(segments, segment{text: text.String()})
			text.Reset()
		}
	}
	for at := 0; at < len(s); {
		next := strings.IndexByte(s[at:], '$')
		if next < 0 {
			text.WriteString(s[at:])
			break
		}
		text.WriteString(s[at : at+next])
		at += next
		switch {
		case strings.HasPrefix(s[at:], escaped):
			text.WriteString(opener)
			at += len(escaped)
		case strings.HasPrefix(s[at:], opener):
			end, problem := expressionEnd(s, at)
			if problem != nil {
				return nil, problem
			}
			flush()
			segments = append(segments, segment{source: s[at+len(opener) : end], start: at, isExpr: true})
			at = end + 1
		default:
			text.WriteByte('$')
			at++
		}
	}
	flush()
	return segments, nil
}

// expressionEnd returns the offset of the } that closes the ${ at start.
func expressionEnd(s string, start int) (int, *scanError) {
	depth := 0
	for i := start + len(opener); i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\'':
			end, closed := literalEnd(s, i)
			if !closed {
				return 0, &scanError{
					offset: i, code: CodeUnterminated, message: "the string literal in the expression is not closed",
					suggestion: "write the closing " + string(c),
				}
			}
			i = end
		case strings.HasPrefix(s[i:], "//"):
			line := strings.IndexByte(s[i:], '\n')
			if line < 0 {
				i = len(s)
			} else {
				i += line
			}
		case c == '{':
			depth++
			i++
		case c == '}' && depth > 0:
			depth--
			i++
		case c == '}':
			if strings.TrimSpace(s[start+len(opener):i]) == "" {
				return 0, &scanError{
					offset: start, code: CodeEmptyExpression, message: "${} holds no expression",
					suggestion: "write an expression between the braces, or $${} for the text itself",
				}
			}
			return i, nil
		default:
			i++
		}
	}
	return 0, &scanError{
		offset: start, code: CodeUnterminated, message: "the ${ has no closing }",
		suggestion: "write the }, or $${ for the text itself",
	}
}

// literalEnd returns the offset behind the string literal whose opening quote
// stands at i. It knows triple quotes and raw literals.
func literalEnd(s string, i int) (end int, closed bool) {
	raw := isRaw(s, i)
	quote := s[i : i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s[i:], triple) {
		quote = triple
	}
	for i += len(quote); i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote), true
		case s[i] == '\\' && !raw:
			i += 2
		case s[i] == '\n' && len(quote) == 1:
			return i, false
		default:
			i++
		}
	}
	return len(s), false
}

// isRaw tells whether the literal whose quote stands at i has the prefix r,
// alone or together with b.
func isRaw(s string, i int) bool {
	start := i
	for start > 0 && i-start < 2 && strings.IndexByte("rRbB", s[start-1]) >= 0 {
		start--
	}
	if start > 0 && isNameByte(s[start-1]) {
		return false // the letters end a name
	}
	return strings.ContainsAny(s[start:i], "rR")
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// Fill returns the text of a template string with a word in the place of every
// expression, for who looks at text whose values are not known yet. It is empty when the
// expressions cannot be told apart.
func Fill(s, word string) string {
	segments, problem := scan(s)
	if problem != nil {
		return ""
	}
	var b strings.Builder
	for _, one := range segments {
		if one.isExpr {
			b.WriteString(word)
		} else {
			b.WriteString(one.text)
		}
	}
	return b.String()
}
