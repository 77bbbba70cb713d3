package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// hidden stands where a secret stood.
const hidden = "***"

// minPart is the length from which on a part of a secret, a word or a line, is
// removed too, and base64 and hexadecimal digits. Shorter ones stand in too many
// texts by chance.
const minPart = 6

// Redactor removes secrets from texts and values. It knows them as they are,
// and as JSON, URLs, base64 and hexadecimal digits write them. It never changes and is safe for
// concurrent use.
type Redactor struct {
	forms    []string // the longest first
	replacer *strings.Replacer
}

// NewRedactor returns a Redactor of secrets. Empty ones are passed over.
func NewRedactor(secrets ...string) *Redactor {
	all := map[string]bool{}
	for _, s := range secrets {
		for _, part := range parts(s) {
			for _, form := range forms(part) {
				all[form] = true
			}
		}
	}
	delete(all, "")
	r := &Redactor{forms: slices.Collect(maps.Keys(all))}
	// Longer ones first: one that contains another must not be left in pieces.
	slices.SortFunc(r.forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	pairs := make([]string, 0, 2*len(r.forms))
	for _, form := range r.forms {
		pairs = append(pairs, form, hidden)
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// parts returns a secret, and what of it is printed alone: its lines, and the
// last word, which is the token in "Bearer TOKEN".
func parts(s string) []string {
	out := []string{s, strings.TrimSpace(s)}
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); len(line) >= minPart {
			out = append(out, line)
		}
	}
	if words := strings.Fields(s); len(words) > 1 && len(words[len(words)-1]) >= minPart {
		out = append(out, words[len(words)-1])
	}
	return out
}

// forms returns the ways in which a text is written.
func forms(s string) []string {
	out := []string{s, url.QueryEscape(s), url.PathEscape(s), strings.ReplaceAll(s, "\n", "\r\n")}
	if len(s) >= minPart {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			out = append(out, e.EncodeToString([]byte(s)), e.WithPadding(base64.NoPadding).EncodeToString([]byte(s)))
			out = append(out, within(e.WithPadding(base64.NoPadding), s)...)
		}
		digits := hex.EncodeToString([]byte(s))
		out = append(out, digits, strings.ToUpper(digits))
	}
	for _, escapeHTML := range []bool{true, false} {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(escapeHTML)
		if err := enc.Encode(s); err == nil {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b.String()), `"`), `"`))
		}
	}
	return out
}

// within returns what a text becomes within a longer one that is written as
// base64, such as USER:PASSWORD: where it begins at each place of a group of three
// bytes, without the characters that it shares with what stands around it.
func within(e *base64.Encoding, s string) []string {
	const group, bits = 3, 6
	out := make([]string, group)
	for before := range group {
		text := e.EncodeToString(append(make([]byte, before), s...))
		out[before] = text[(before*8+bits-1)/bits : (before+len(s))*8/bits]
	}
	return out
}

// Text returns s with *** in the place of each secret.
func (r *Redactor) Text(s string) string { return r.replacer.Replace(s) }

// Tail is Text for a text whose beginning was cut off, maybe within a secret:
// what is left of it there is removed too.
func (r *Redactor) Tail(s string) string {
	longest := 0
	for _, form := range r.forms {
		for from := 1; from < len(form) && len(form)-from > longest; from++ {
			if strings.HasPrefix(s, form[from:]) {
				longest = len(form) - from
			}
		}
	}
	if longest > 0 {
		s = hidden + s[longest:]
	}
	return r.Text(s)
}

// Head is Text for a text whose end was cut off, maybe within a secret: what is
// left of it there is removed too.
func (r *Redactor) Head(s string) string {
	longest := 0
	for _, form := range r.forms {
		for to := min(len(form)-1, len(s)); to > longest; to-- {
			if strings.HasSuffix(s, form[:to]) {
				longest = to
			}
		}
	}
	if longest > 0 {
		return r.Text(s[:len(s)-longest]) + hidden
	}
	return r.Text(s)
}

// Value returns a copy of the plain value v with *** in the place of each
// secret, in keys too.
func (r *Redactor) Value(v any) any {
	switch v := v.(type) {
	case string:
		return r.Text(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = r.Value(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			out[r.Text(key)] = r.Value(member)
		}
		return out
	default:
		return v
	}
}
