package action_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/action"
)

func TestPath(t *testing.T) {
	t.Parallel()
	doc := map[string]any{
		"hub": map[string]any{"image": map[string]any{"tag": "4.2.0"}}, "version": "1",
		"items": []any{map[string]any{"name": "a", "null": nil}}, "a.b": map[string]any{"c d": int64(3)},
	}
	cases := map[string]struct {
		path  action.Path
		found bool
		want  any
	}{
		"version":         {action.Path{"version"}, true, "1"},
		"hub.image.tag":   {action.Path{"hub", "image", "tag"}, true, "4.2.0"},
		"items[0].name":   {action.Path{"items", 0, "name"}, true, "a"},
		"items[0].null":   {action.Path{"items", 0, "null"}, true, nil},
		`["a.b"]["c d"]`:  {action.Path{"a.b", "c d"}, true, int64(3)},
		"items[1].name":   {action.Path{"items", 1, "name"}, false, nil},
		"version.major":   {action.Path{"version", "major"}, false, nil},
		"hub[0]":          {action.Path{"hub", 0}, false, nil},
		"none":            {action.Path{"none"}, false, nil},
		"x-y_z[2][3].w/v": {action.Path{"x-y_z", 2, 3, "w/v"}, false, nil},
	}
	for text, tc := range cases {
		p, err := action.ParsePath(text)
		if diff := cmp.Diff(tc.path, p); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
			continue
		}
		if got, ok := p.Find(doc); ok != tc.found || got != tc.want {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
		if p.String() != text {
			t.Errorf("%s is written as %s", text, p)
		}
	}
	for _, text := range []string{"", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", `a["x`, `a["x"`, "a[0]b", "a b", `a"b`} {
		if p, err := action.ParsePath(text); err == nil || !strings.Contains(err.Error(), "is not a path such as") {
			t.Errorf("%q: got %v, %v", text, p, err)
		}
	}
}

// TestPathProperty writes paths and reads them again.
func TestPathProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := action.Path(rapid.SliceOfN(rapid.OneOf(
			rapid.Map(rapid.String(), func(s string) any { return s }),
			rapid.Map(rapid.IntRange(0, 99), func(n int) any { return n }),
		), 1, 5).Draw(t, "path"))
		got, err := action.ParsePath(p.String())
		if diff := cmp.Diff(p, got); diff != "" || err != nil {
			t.Fatalf("%s: %v (-want +got):\n%s", p, err, diff)
		}
	})
}

func TestEqual(t *testing.T) {
	t.Parallel()
	cases := []struct {
		a, b any
		want bool
	}{
		{int64(1), 1.0, true},
		{1, int64(1), true},
		{"1", int64(1), false},
		{nil, nil, true},
		{nil, false, false},
		{[]any{"a", int64(1)}, []any{"a", 1.0}, true},
		{[]any{"a"}, []any{"a", "b"}, false},
		{[]any{}, map[string]any{}, false},
		{map[string]any{"a": nil}, map[string]any{"b": nil}, false},
		{map[string]any{"a": []any{1}}, map[string]any{"a": []any{1}}, true},
		{true, []any{}, false},
		{true, true, true},
		{1.5, int64(1), false},
	}
	for _, tc := range cases {
		if action.Equal(tc.a, tc.b) != tc.want || action.Equal(tc.b, tc.a) != tc.want {
			t.Errorf("Equal(%v, %v) must be %v", tc.a, tc.b, tc.want)
		}
	}
}
