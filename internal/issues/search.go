package issues

import (
	"cmp"
	"slices"
	"strings"
)

// Search returns the issues that a person means by a text, the best first: those
// that recognise the text as that of a failure, then those that speak of all its
// words.
func (s *Set) Search(text string) []Issue {
	if s == nil || fold(text) == "" {
		return nil
	}
	f := &Failure{Message: text}
	l := newLooker(s, f)
	words := strings.Fields(strings.ToLower(text))
	type hit struct {
		*known
		rank int
	}
	var hits []hit
	for _, k := range s.list {
		_, _, fits := l.look(k)
		switch {
		case fits && (k.text != "" || k.pattern != nil):
			hits = append(hits, hit{k, 0})
		case k.speaksOf(words):
			hits = append(hits, hit{k, 1})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.rank, b.rank) })
	out := make([]Issue, len(hits))
	for i, h := range hits {
		out[i] = h.Issue
	}
	return out
}

// speaksOf tells whether all words stand somewhere in the issue.
func (k *known) speaksOf(words []string) bool {
	all := strings.ToLower(strings.Join([]string{
		k.ID, k.Explanation, k.Text, k.Pattern, k.State, k.Remedy, k.Source.String(), strings.Join(k.Actions, " "),
	}, "\n"))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) })
}
