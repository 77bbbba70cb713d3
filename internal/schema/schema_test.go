package schema_test

import (
	"slices"
	"testing"

	"github.com/refitproject/refit/internal/schema"
)

func TestTypeString(t *testing.T) {
	t.Parallel()
	for want, typ := range map[string]schema.Type{
		"any":                 {},
		"string":              schema.Of(schema.String),
		"one of fast, safe":   {Kind: schema.String, Enum: []string{"fast", "safe"}},
		"list(any)":           schema.Of(schema.List),
		"map(list(int))":      schema.MapOf(schema.ListOf(schema.Of(schema.Int))),
		"object":              schema.ObjectOf(nil),
		"list(one of a)":      schema.ListOf(schema.Type{Kind: schema.String, Enum: []string{"a"}}),
		"map(list(duration))": schema.MapOf(schema.ListOf(schema.Of(schema.Duration))),
	} {
		if got := typ.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

// An Object without fields is closed when it was declared so, and open when
// nothing was said.
func TestOpen(t *testing.T) {
	t.Parallel()
	if schema.ObjectOf(nil).Open() || !schema.Of(schema.Object).Open() {
		t.Error("ObjectOf(nil) must be closed, Of(Object) open")
	}
	if got := schema.Check(schema.ObjectOf(nil), map[string]any{"x": 1}); len(got) != 1 {
		t.Errorf("an unknown field of a closed object: %v", got)
	}
}

// Every kind that an author can declare is checked: none admits nil but any.
func TestKinds(t *testing.T) {
	t.Parallel()
	kinds := schema.Kinds()
	if !slices.IsSorted(kinds) {
		t.Errorf("Kinds() = %v is not sorted", kinds)
	}
	for _, kind := range kinds {
		problems := schema.Check(schema.Of(schema.Kind(kind)), nil)
		if fits := kind == "any"; fits != (len(problems) == 0) {
			t.Errorf("null as %s: %v", kind, problems)
		}
	}
}
