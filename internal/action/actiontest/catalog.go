package actiontest

import (
	"maps"
	"slices"

	"github.com/refitproject/refit/internal/action"
)

// Catalog holds specs without actions, for tests of packages that only plan.
// Specs are not validated, so that tests can have odd ones.
type Catalog struct{ specs map[string]action.Spec }

var _ action.Catalog = Catalog{}

// NewCatalog returns a catalog of specs. A spec without version gets version
// 1; of several versions of one name the last one is the newest.
func NewCatalog(specs ...action.Spec) Catalog {
	c := Catalog{specs: map[string]action.Spec{}}
	for _, s := range specs {
		s.Version = max(s.Version, 1)
		c.specs[s.Name], c.specs[s.ID()] = s, s
	}
	return c
}

// Spec implements action.Catalog.
func (c Catalog) Spec(name string) (action.Spec, bool) {
	s, ok := c.specs[name]
	return s, ok
}

// Names implements action.Catalog.
func (c Catalog) Names() []string {
	names := map[string]bool{}
	for _, s := range c.specs {
		names[s.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}
