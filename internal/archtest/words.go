package archtest

import (
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
)

// wordsFile holds the words of the project, as tables "word | meaning | not",
// and the exceptions, as a table "name | why". Words of the column "not" that
// stand between backticks are checked; the others are for people.
const wordsFile = "docs/reference/words.md"

// words checks that the exported names of internal, the names of YAML and JSON
// members, of commands and of flags use the project's words. Exceptions that
// nothing needs any more are problems too.
func words(t *Tree) []Problem {
	instead, problems := unwanted(t)
	exceptions := t.tables(wordsFile, "name")
	used := map[int]bool{}
	for _, n := range t.publicNames() {
		for _, w := range splitName(n.last()) {
			right, bad := instead[w]
			if !bad {
				continue
			}
			if i := slices.IndexFunc(exceptions, func(r row) bool { return matches(r, n.Name) }); i >= 0 {
				used[i] = true
				continue
			}
			problems = append(problems, at(n.File, n.Line,
				"%s uses the word %q: %s says %q", n.Name, w, wordsFile, right))
		}
	}
	for i, r := range exceptions {
		if !used[i] {
			problems = append(problems, at(wordsFile, r.Line,
				"exception %s is needed by no name: delete it", r.Cells[0]))
		}
		if len(r.Cells) != 2 || r.Cells[1] == "" {
			problems = append(problems, at(wordsFile, r.Line, "exception %s has no reason", r.Cells[0]))
		}
	}
	return problems
}

// unwanted maps each unwanted word to the one that stands for it.
func unwanted(t *Tree) (map[string]string, []Problem) {
	rows := t.tables(wordsFile, "word")
	if len(rows) == 0 {
		return nil, []Problem{{File: wordsFile, Text: "has no table | word | meaning | not |"}}
	}
	instead := map[string]string{}
	var problems []Problem
	for _, r := range rows {
		if len(r.Cells) != 3 || r.Cells[1] == "" {
			problems = append(problems, at(wordsFile, r.Line, "row is not | word | meaning | not |"))
			continue
		}
		for _, not := range quoted(r.Cells[2]) {
			instead[not] = r.Cells[0]
		}
	}
	for _, r := range rows {
		for word := range strings.SplitSeq(r.Cells[0], ",") {
			if right, bad := instead[strings.TrimSpace(word)]; bad {
				problems = append(problems, at(wordsFile, r.Line, "word %q is unwanted in the row of %q", word, right))
			}
		}
	}
	return instead, problems
}

// matches tells whether an exception stands for a name; "*" stands for any
// part of it.
func matches(r row, name string) bool {
	return slices.ContainsFunc(quoted(r.Cells[0]), func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	})
}

// splitName splits "HTTPProbeURLs" into http, probe, url and urls: lower case,
// and a plural also without its s.
func splitName(name string) []string {
	set := map[string]bool{}
	runes := []rune(name)
	start := 0
	for i := range runes {
		if i < len(runes)-1 && !boundary(runes, i) {
			continue
		}
		word := strings.ToLower(strings.Trim(string(runes[start:i+1]), "-_. "))
		set[word] = true
		set[strings.TrimSuffix(word, "s")] = true
		start = i + 1
	}
	return slices.Sorted(maps.Keys(set))
}

// boundary tells whether a word ends with runes[i], which is not the last.
func boundary(runes []rune, i int) bool {
	upper := func(j int) bool { return j >= len(runes) || unicode.IsUpper(runes[j]) }
	next := runes[i+1]
	switch {
	case strings.ContainsRune("-_. ", next):
		return true
	case !upper(i):
		return upper(i + 1)
	case next == 's' && upper(i+2):
		return false // The plural of an abbreviation: IDs.
	}
	return upper(i+1) && i+2 < len(runes) && !upper(i+2) && (runes[i+2] != 's' || !upper(i+3))
}
