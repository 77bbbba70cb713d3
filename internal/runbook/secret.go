package runbook

import (
	"regexp"
	"strings"
)

// Names that say that their value is a secret.
const secretName = `(?:[\w.-]*(?:passw(?:or)?d|passphrase|token|secret|api[_-]?key|access[_-]?key` +
	`|private[_-]?key|credentials?)|[\w-]*_pass|pgpassword|pass|pwd)`

var (
	isSecretName = regexp.MustCompile(`(?i)(?:passw(?:or)?d|passphrase|token|secret|api_?key|access_?key` +
		`|private_?key|credential)s?$|_pass$|^pass$|^pwd$`)

	secretFlag   = regexp.MustCompile(`(?i)(--?` + secretName + `)(=|\s+)("[^"\n]+"|'[^'\n]+'|[^\s"'\\]+)`)
	secretAssign = regexp.MustCompile(`(?i)\b(` + secretName + `)(["']?\s?=\s?|["']?:\s+)("[^"\n]+"|'[^'\n]+'` +
		`|[^\s"',;}\\]+)`)
	secretProse = regexp.MustCompile(`(?i)\b(` + secretName + `)(=|\s+is:?\s+)("[^"\n]+"` +
		`|'[^'\n]+'|` + "`[^`\n]+`" + `|[^\s"',;)` + "`" + `]+)`)
	secretURL    = regexp.MustCompile(`([a-z][a-z0-9+.-]*://[^\s:/@<>"']+:)([^\s@/"'<>]+)(@)`)
	secretHeader = regexp.MustCompile(`(?i)(authorization["']?\s*:\s*["']?(?:bearer|basic|token)\s+)([^\s"']+)`)
	secretUser   = regexp.MustCompile(`((?:^|\s)(?:-u|--user)[ =]["']?[^\s:"'$<]+:)([^\s"']+)`)
	secretMySQL  = regexp.MustCompile(`(\bmysql\w*\b[^\n|;]*\s-p)([^\s"'$<-][^\s"']*)`)
	secretKnown  = regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{20,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}` +
		`|xox[abprs]-[\w-]{10,}` +
		`|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|hvs\.[\w-]{20,}|sk-[A-Za-z0-9-]{20,})`)
	secretPEM  = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`)
	inlineCode = regexp.MustCompile("`[^`]+`")
)

// hider replaces the secrets of one text.
type hider struct {
	// shows returns what stands in the place of a secret.
	shows func(name string) string
	names []string
}

// hide removes secrets from a text. In code a name with a colon or an equals sign
// counts, in prose only what can be nothing else.
func (h *hider) hide(text string, code bool) string {
	text = secretPEM.ReplaceAllStringFunc(text, func(string) string { return h.found("private_key") })
	text = secretKnown.ReplaceAllStringFunc(text, func(string) string { return h.found("token") })
	text = h.parts(secretURL, text, func(m []string) (string, string, string) {
		return m[1], "password", m[2] + "\x00" + m[3]
	})
	text = h.parts(secretHeader, text, func(m []string) (string, string, string) { return m[1], "token", m[2] })
	if !code {
		text = inlineCode.ReplaceAllStringFunc(text, func(s string) string {
			return "`" + h.hide(strings.Trim(s, "`"), true) + "`"
		})
		return h.named(secretProse, text)
	}
	text = h.parts(secretUser, text, func(m []string) (string, string, string) { return m[1], "password", m[2] })
	text = h.parts(secretMySQL, text, func(m []string) (string, string, string) { return m[1], "password", m[2] })
	return h.named(secretAssign, h.named(secretFlag, text))
}

// parts replaces a part of each match: split returns what stands before it, the
// name of the secret, and its value, behind which a zero byte may stand with what
// follows.
func (h *hider) parts(re *regexp.Regexp, text string, split func(m []string) (before, name, value string)) string {
	return re.ReplaceAllStringFunc(text, func(match string) string {
		before, name, value := split(re.FindStringSubmatch(match))
		value, after, _ := strings.Cut(value, "\x00")
		if noLiteral(value) {
			return match
		}
		return before + h.found(name) + after
	})
}

// named replaces values behind names that say that they are secrets.
func (h *hider) named(re *regexp.Regexp, text string) string {
	return re.ReplaceAllStringFunc(text, func(match string) string {
		m := re.FindStringSubmatch(match)
		value := strings.Trim(m[3], "\"'`")
		if noLiteral(value) || strings.HasPrefix(m[2], " ") && re == secretFlag && strings.HasPrefix(m[3], "-") {
			return match
		}
		if strings.HasPrefix(h.shows(keyOf(m[1])), value) {
			return match // it was replaced already
		}
		quote := ""
		if strings.HasPrefix(m[3], `"`) {
			quote = `"`
		}
		return m[1] + m[2] + quote + h.found(strings.Trim(m[1], "-")) + quote
	})
}

var plainWord = regexp.MustCompile(`^(?i:true|false|null|none|yes|no|nil|required|optional|string|the|a|an|in` +
	`|of|for|to|not|now|set|stored|kept|used|` +
	`generic|tls|docker-registry|get|list|create|delete|describe|apply|your|this|that|random|empty|correct|wrong` +
	`|valid|invalid|\*+|\.{3}|x{3,})$`)

// noLiteral tells whether a value is no secret by itself: a variable, something
// to fill in, or an ordinary word.
func noLiteral(value string) bool {
	switch {
	case value == "" || strings.HasPrefix(value, "$") || strings.ContainsAny(value, "<>{}") ||
		strings.Contains(value, "$(") || strings.ContainsRune(value, tokenStart):
		return true
	case strings.HasPrefix(value, "/") || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "--") ||
		strings.Contains(value, "://"):
		return true
	case fillIn.MatchString(value) || strings.HasPrefix(value, "(secret") || strings.HasPrefix(value, "`"):
		return true
	default:
		return plainWord.MatchString(value)
	}
}

func (h *hider) found(name string) string {
	key := keyOf(name)
	if !isSecretName.MatchString(key) {
		key += "_secret"
	}
	h.names = append(h.names, key)
	return h.shows(key)
}
