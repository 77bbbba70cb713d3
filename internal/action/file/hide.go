package file

import (
	"regexp"
	"strings"
)

// HideSecrets hides values of keys that look like those of secrets in a
// difference of YAML files, with all that is below such a key: what stands next to
// a change comes into it too.
func HideSecrets(text string) string {
	var out strings.Builder
	words, pair := SecretWords(), regexp.MustCompile(`^([-+ ])(\s*(?:- )*)(["']?[\w.$/-]+["']?)(\s*:)(\s+\S.*|\s*)$`)
	below := -1 // how far the key is indented that hides all below it; -1 for none
	for line := range strings.Lines(text) {
		body, _, _ := strings.Cut(line, "\n")
		end := line[len(body):]
		if len(body) > 0 && below >= 0 && !strings.HasPrefix(body, "@@") {
			rest := strings.TrimLeft(body[1:], " ")
			isItem := strings.HasPrefix(rest, "- ")
			if indent := len(body) - 1 - len(rest); rest == "" || indent > below || isItem && indent == below {
				out.WriteString(hidden(pair, body) + end)
				continue
			}
		}
		below = -1
		if m := pair.FindStringSubmatch(body); m != nil && words.MatchString(m[3]) {
			if value := strings.TrimSpace(m[5]); value == "" || strings.ContainsAny(value[:1], `|>"'&!`) {
				below = len(m[2])
			}
			body = hidden(pair, body)
		}
		out.WriteString(body + end)
	}
	return out.String()
}

// hidden replaces what a line says by stars, but for a key.
func hidden(pair *regexp.Regexp, body string) string {
	m := pair.FindStringSubmatch(body)
	switch {
	case m != nil && strings.TrimSpace(m[5]) == "":
		return body
	case m != nil:
		return m[1] + m[2] + m[3] + m[4] + " ***"
	case strings.TrimSpace(body[1:]) == "":
		return body
	}
	rest := strings.TrimLeft(body[1:], " ")
	lead := body[:len(body)-len(rest)]
	if strings.HasPrefix(rest, "- ") {
		lead += "- "
	}
	return lead + "***"
}

// SecretWords returns what the names of keys match whose values are secrets as
// a rule.
func SecretWords() *regexp.Regexp {
	return regexp.MustCompile(`(?i)password|passwd|secret|token|api-?_?key|credential|private-?_?key|cryptkeeper`)
}
