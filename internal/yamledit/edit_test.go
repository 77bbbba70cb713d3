package yamledit

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/action"
)

const values = `# Values of the hub.

hub:
  # The image that is run.
  image:
    name: "hub"   # from our registry
    tag: 4.1.0 # pinned

  db: {type: sqlite-pvc, upgrade: false}
  args:
    - --debug
    - 'it''s'
  compact:
  - name: a
    port: 1

  - name: b
  script: |
    line one

    line two
  # obsolete since 4.0
  old: true
proxy: &proxy
  secretToken: abc
copy: *proxy
`

// edits of these values, with the lines that must differ.
func TestEditYAML(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		change Change
		path   string
		want   string // - and + lines
	}{
		"Scalar":        {"a word is replaced, the comment stays", Change{Verb: "set", Value: "4.2.0"}, "hub.image.tag", "-    tag: 4.1.0 # pinned\n+    tag: 4.2.0 # pinned\n"},
		"Quoted":        {"quotes stay", Change{Verb: "set", Value: "hub2"}, "hub.image.name", "-    name: \"hub\"   # from our registry\n+    name: \"hub2\"   # from our registry\n"},
		"LooksLike":     {"a version that looks like a number stays a text", Change{Verb: "set", Value: "1.10"}, "hub.image.tag", "-    tag: 4.1.0 # pinned\n+    tag: \"1.10\" # pinned\n"},
		"Number":        {"other types are written plainly", Change{Verb: "set", Value: int64(5)}, "hub.image.name", "-    name: \"hub\"   # from our registry\n+    name: 5   # from our registry\n"},
		"Flow":          {"a word in flow style", Change{Verb: "set", Value: true}, "hub.db.upgrade", "-  db: {type: sqlite-pvc, upgrade: false}\n+  db: {type: sqlite-pvc, upgrade: true}\n"},
		"Item":          {"a member of a list", Change{Verb: "set", Value: "x: y"}, "hub.args[1]", "-    - 'it''s'\n+    - 'x: y'\n"},
		"NewKey":        {"behind the last key of its map", Change{Verb: "set", Value: "Always"}, "hub.image.pull", "+    pull: Always\n"},
		"NewMaps":       {"maps on the way are made", Change{Verb: "set", Value: int64(1)}, "proxy2.a.b", "+proxy2:\n+  a:\n+    b: 1\n"},
		"BehindBlock":   {"behind a text of several lines", Change{Verb: "set", Value: "x"}, "hub.last", "+  last: x\n"},
		"MapForScalar":  {"other lines take their place", Change{Verb: "set", Value: map[string]any{"a": int64(1), "b": []any{"c"}}}, "hub.old", "-  old: true\n+  old:\n+    a: 1\n+    b:\n+      - c\n"},
		"ScalarForMap":  {"and the other way round", Change{Verb: "set", Value: nil}, "hub.image", "-  image:\n-    name: \"hub\"   # from our registry\n-    tag: 4.1.0 # pinned\n+  image: null\n"},
		"ScalarForText": {"a text of several lines is replaced as a whole", Change{Verb: "set", Value: "one"}, "hub.script", "-  script: |\n-    line one\n-\n-    line two\n+  script: one\n"},
		"Delete":        {"with the comment above it", Change{Verb: "delete"}, "hub.old", "-  # obsolete since 4.0\n-  old: true\n"},
		"DeleteMap":     {"with all that is in it", Change{Verb: "delete"}, "hub.image", "-  # The image that is run.\n-  image:\n-    name: \"hub\"   # from our registry\n-    tag: 4.1.0 # pinned\n"},
		"DeleteText":    {"with all of its lines", Change{Verb: "delete"}, "hub.script", "-  script: |\n-    line one\n-\n-    line two\n"},
		"DeleteCompact": {"a list that is not indented", Change{Verb: "delete"}, "hub.compact", "-  compact:\n-  - name: a\n-    port: 1\n-\n-  - name: b\n"},
		"Append":        {"behind the last member", Change{Verb: "append", Value: "--more"}, "hub.args", "+    - --more\n"},
		"AppendMap":     {"in a list that is not indented", Change{Verb: "append", Value: map[string]any{"name": "c", "port": int64(3)}}, "hub.compact", "+  - name: c\n+    port: 3\n"},
		"AppendNew":     {"a list is made", Change{Verb: "append", Value: "x"}, "hub.hosts", "+  hosts:\n+    - x\n"},
		"InItem":        {"within a member", Change{Verb: "set", Value: int64(2)}, "hub.compact[1].port", "+    port: 2\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := action.ParsePath(tc.path)
			if err != nil {
				t.Fatal(err)
			}
			tc.change.Path = path
			got, err := Edit([]byte(values), []Change{tc.change})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, changedLines(values, string(got))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// changedLines returns the lines that two texts do not share at their
// beginning and end.
func changedLines(before, after string) string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var out strings.Builder
	for _, line := range a {
		out.WriteString("-" + line)
	}
	for _, line := range b {
		out.WriteString("+" + line)
	}
	return out.String()
}

// TestEditYAMLRewrites changes what cannot be changed line by line: comments
// and order are kept.
func TestEditYAMLRewrites(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text, path string
		change     Change
		want       string
	}{
		"FlowKey":   {"# a\nx: {a: 1} # b\ny: 2\n", "x.b", Change{Verb: "set", Value: int64(2)}, "# a\nx: {a: 1, b: 2} # b\ny: 2\n"},
		"LastKey":   {"# a\nx:\n  # c\n  a: 1\ny: 2 # d\n", "x.a", Change{Verb: "delete"}, "# a\nx: {}\ny: 2 # d\n"},
		"FlowItem":  {"x: [a, b] # c\n", "x[0]", Change{Verb: "delete"}, "x: [b] # c\n"},
		"FirstItem": {"x:\n- a: 1\n  b: 2\n# c\ny: 1\n", "x[0].a", Change{Verb: "delete"}, "x:\n- b: 2\n# c\ny: 1\n"},
		"Empty":     {"", "a.b", Change{Verb: "set", Value: "c"}, "a:\n  b: c\n"},
		"Null":      {"a: # nothing yet\nb: 1\n", "a.c", Change{Verb: "set", Value: int64(1)}, "a: # nothing yet\n  c: 1\nb: 1\n"},
		"NoEnd":     {"a: 1", "b", Change{Verb: "set", Value: int64(2)}, "a: 1\nb: 2\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := action.ParsePath(tc.path)
			if err != nil {
				t.Fatal(err)
			}
			tc.change.Path = path
			got, err := Edit([]byte(tc.text), []Change{tc.change})
			if diff := cmp.Diff(tc.want, string(got)); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestEditYAMLRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, verb, path, want string }{
		"Missing":   {values, "delete", "hub.none", "delete hub.none: no such place: it is not there"},
		"OnTheWay":  {values, "delete", "none.none", "no such place: none is not there"},
		"Scalar":    {values, "set", "hub.old.x", `no such place: what holds "x" in line 23 is no map`},
		"Place":     {values, "set", "hub.args[2]", "there is no member 2 in line 11"},
		"NoList":    {values, "append", "hub.image", "the value in line 6 is no list"},
		"Anchor":    {values, "set", "proxy", `other places use the value in line 24 by its anchor "proxy"`},
		"Used":      {values, "delete", "proxy", "other places use it by an anchor"},
		"Documents": {"a: 1\n---\nb: 1\n", "set", "a", "it holds several documents"},
		"Broken":    {"a: [", "set", "a", "yaml: "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := action.ParsePath(tc.path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Edit([]byte(tc.text), []Change{{Verb: tc.verb, Path: path, Value: int64(1)}})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// TestEditYAMLProperty edits documents at random places: each gives a document
// that says what the change says, and keeps every comment but those of what is
// removed, or an error about the place.
func TestEditYAMLProperty(t *testing.T) {
	t.Parallel()
	scalars := rapid.SampledFrom([]any{"x", "1.10", "two\nlines\n", "a: b", "", nil, true, int64(7), 1.5, []any{"l", int64(1)}, map[string]any{"k": "v"}})
	rapid.Check(t, func(t *rapid.T) {
		data := []byte(values)
		for range rapid.IntRange(1, 6).Draw(t, "edits") {
			c := Change{
				Verb:  rapid.SampledFrom([]string{"set", "delete", "append"}).Draw(t, "verb"),
				Value: scalars.Draw(t, "value"),
				Path: action.Path(rapid.SliceOfN(rapid.OneOf(
					rapid.SampledFrom([]any{"hub", "image", "name", "db", "args", "compact", "script", "old", "proxy", "new", "k"}),
					rapid.SampledFrom([]any{0, 1, 2}),
				), 1, 4).Draw(t, "path")),
			}
			want, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			failed := c.apply(want)
			got, err := Edit(data, []Change{c})
			switch {
			case errors.Is(err, ErrNoPlace):
				continue
			case err != nil || failed != nil:
				t.Fatalf("%v, %v", err, failed)
			}
			if tree, err := Parse(got); err != nil || !Same(tree, want) {
				t.Fatalf("%s %s in\n%s\ngives\n%s\n%v", c.Verb, c.Path, data, got, err)
			}
			if !strings.HasPrefix(string(got), "# Values of the hub.\n") {
				t.Fatalf("a comment is lost:\n%s", got)
			}
			data = got
		}
	})
}

// FuzzEditYAML edits arbitrary files.
func FuzzEditYAML(f *testing.F) {
	for _, seed := range []string{values, "", "a: [", "- - a", "a: &x {b: *x}", "? a\n: b\n", "a:\n- b\n", "\ta: 1", "a: \"b\\\"c\" # d"} {
		f.Add([]byte(seed), "a.b", "set", "v")
		f.Add([]byte(seed), "hub.args", "append", "v")
		f.Add([]byte(seed), "a", "delete", "")
	}
	f.Fuzz(func(t *testing.T, data []byte, where, verb, value string) {
		path, err := action.ParsePath(where)
		if err != nil || (verb != "set" && verb != "append" && verb != "delete") {
			return
		}
		got, err := Edit(data, []Change{{Verb: verb, Path: path, Value: value}})
		if err != nil {
			return
		}
		if _, err := Parse(got); err != nil {
			t.Errorf("%s %s in %q gives %q: %v", verb, where, data, got, err)
		}
	})
}
