package exec

import (
	"strconv"
	"strings"
	"unicode"
)

// Quote returns args as a person would type them in a shell, on one line: for
// reading, never for a shell to run.
func Quote(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = quoteWord(arg)
	}
	return strings.Join(words, " ")
}

func quoteWord(s string) string {
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		quoted := strconv.Quote(s)
		return "$'" + strings.ReplaceAll(quoted[1:len(quoted)-1], "'", `\'`) + "'"
	case s == "" || strings.ContainsFunc(s, needsQuotes):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	default:
		return s
	}
}

func needsQuotes(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("@%+=:,./-_", r)
}
