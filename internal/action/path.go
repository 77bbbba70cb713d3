package action

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Path leads to a value within plain values: string for the key of a map, int
// for the place in a list, counted from 0.
type Path []any

// ParsePath reads a path as expressions write it: hub.image.tag, items[0].name,
// annotations["example.org/owner"].
func ParsePath(text string) (Path, error) {
	var p Path
	for rest := text; rest != ""; {
		var err error
		var part any
		if strings.HasPrefix(rest, "[") {
			part, rest, err = bracket(rest[1:])
		} else {
			if len(p) > 0 && !strings.HasPrefix(rest, ".") {
				return nil, badPath(text, "a dot or [ must stand before "+strconv.Quote(rest))
			} else if len(p) > 0 {
				rest = rest[1:]
			}
			part, rest, err = word(rest)
		}
		if err != nil {
			return nil, badPath(text, err.Error())
		}
		p = append(p, part)
	}
	if len(p) == 0 {
		return nil, badPath(text, "it is empty")
	}
	return p, nil
}

func badPath(text, why string) error {
	return fmt.Errorf("%q is not a path such as items[0].name or labels[\"a.b\"]: %s", text, why)
}

// word reads a name up to the next dot or bracket.
func word(text string) (part any, rest string, err error) {
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	name := text[:end]
	odd := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`]"'`, r) }
	if name == "" || strings.ContainsFunc(name, odd) {
		return nil, "", fmt.Errorf("%q is no name: write [\"…\"] around it", name)
	}
	return name, text[end:], nil
}

// bracket reads what stands between brackets, of which the first is read.
func bracket(text string) (part any, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return nil, "", errors.New("a quoted name has no end")
		}
		name, err := strconv.Unquote(quoted)
		rest, closed := strings.CutPrefix(text[len(quoted):], "]")
		if err != nil || !closed {
			return nil, "", errors.New("a bracket has no end")
		}
		return name, rest, nil
	}
	digits, rest, closed := strings.Cut(text, "]")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || !closed {
		return nil, "", errors.New("brackets hold a number or a quoted name")
	}
	return n, rest, nil
}

// String returns p as ParsePath reads it.
func (p Path) String() string {
	var b strings.Builder
	for i, part := range p {
		switch part := part.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", part)
		case string:
			if _, rest, err := word(part); err != nil || rest != "" {
				fmt.Fprintf(&b, "[%q]", part)
				continue
			}
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(part)
		}
	}
	return b.String()
}

// Find returns the value within v that p leads to, false when there is none.
func (p Path) Find(v any) (any, bool) {
	for _, part := range p {
		switch part := part.(type) {
		case string:
			m, _ := v.(map[string]any)
			member, ok := m[part]
			if !ok {
				return nil, false
			}
			v = member
		case int:
			list, _ := v.([]any)
			if part >= len(list) {
				return nil, false
			}
			v = list[part]
		}
	}
	return v, true
}

// Equal tells whether two plain values are the same, whatever Go types their
// numbers have.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		m, ok := b.(map[string]any)
		return ok && equalMaps(a, m)
	case []any:
		list, ok := b.([]any)
		return ok && slices.EqualFunc(a, list, Equal)
	case int64:
		if n, ok := b.(int64); ok {
			return a == n // a float64 holds no large ones
		}
	}
	x, isNumber := number(a)
	y, isAlso := number(b)
	if isNumber || isAlso {
		return isNumber && isAlso && x == y
	}
	return a == b
}

func equalMaps(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for key := range a {
		if other, there := b[key]; !there || !Equal(a[key], other) {
			return false
		}
	}
	return true
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}
