package versions

import (
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/refitproject/refit/internal/diag"
)

// Find returns the version that text means, as the product writes it: text may
// be an alias, have a leading v or lack the prefix of the product.
func (g *Graph) Find(text string) (string, bool) {
	i := g.index(text)
	if i < 0 {
		return "", false
	}
	return g.name(i), true
}

// index returns the index of the version that text means, -1 for none.
func (g *Graph) index(text string) int {
	if i, ok := g.byName[text]; ok {
		return i
	}
	if !g.scheme.Ordered() {
		return -1
	}
	parsed, err := g.scheme.Parse(text)
	if err != nil {
		return -1
	}
	i := g.position(parsed)
	if i < len(g.versions) && g.scheme.Compare(g.versions[i].parsed, parsed) == 0 {
		return i
	}
	return -1
}

// position returns the index of the first version that is not older than v.
func (g *Graph) position(v Version) int {
	return sort.Search(len(g.versions), func(i int) bool {
		return g.scheme.Compare(g.versions[i].parsed, v) >= 0
	})
}

func (g *Graph) name(i int) string { return g.versions[i].Version }

func (g *Graph) names(set bitset) []string {
	names := []string{}
	for i := range set.all() {
		names = append(names, g.name(i))
	}
	return names
}

// allNames returns canonical texts and aliases in alphabetical order.
func (g *Graph) allNames() []string { return slices.Sorted(maps.Keys(g.byName)) }

// resolve returns the index of the version that text means.
func (g *Graph) resolve(text string) (int, error) {
	if i := g.index(text); i >= 0 {
		return i, nil
	}
	return 0, &UnknownVersionError{Product: g.product, Version: text, Suggestion: g.suggest(text)}
}

// suggest names the versions around one that is not known, or those that are
// written alike.
func (g *Graph) suggest(text string) string {
	parsed, err := g.scheme.Parse(text)
	if err != nil || !g.scheme.Ordered() {
		return diag.DidYouMean(text, g.allNames())
	}
	i := g.position(parsed)
	switch {
	case len(g.versions) == 0:
		return "it knows none at all"
	case i == 0:
		return fmt.Sprintf("the oldest one that it knows is %q", g.name(0))
	case i == len(g.versions):
		return fmt.Sprintf("the newest one that it knows is %q", g.name(i-1))
	default:
		return fmt.Sprintf("the nearest ones are %q and %q", g.name(i-1), g.name(i))
	}
}
