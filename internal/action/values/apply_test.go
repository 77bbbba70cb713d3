package values

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/yamledit"
)

func TestApply(t *testing.T) {
	t.Parallel()
	const why = "It is so."
	cases := map[string]struct {
		text  string
		rules []Rule
		want  string
	}{
		"NotThere":  {"a: 1\n", []Rule{{Move: "x.y", To: "z"}, {Remove: "q"}, {Invert: "on", To: "off"}, {Rename: "m", To: "n"}}, "a: 1\n"},
		"Empty":     {"", []Rule{{Set: "a.b", Value: true}}, "a:\n  b: true\n"},
		"Comments":  {"# only this\n", []Rule{{Remove: "a"}}, "# only this\n"},
		"Whole":     {"a:\n  b: # c\n    # d\n    x: |\n      one\n\n      two\n  e: 1\n", []Rule{{Move: "a.b", To: "f"}}, "a:\n  e: 1\nf: # c\n  # d\n  x: |\n    one\n\n    two\n"},
		"Deep":      {"a:\n  # one\n  b: # two\n    # three\n    c: 1 # four\nd: 1\n", []Rule{{Move: "a.b.c", To: "x.y"}}, "d: 1\nx:\n  # one\n  # two\n  # three\n  \"y\": 1 # four\n"},
		"DeepText":  {"z: 1\na:\n  # one\n  b: # two\n    # three\n    c: 1 # four\n  d: 1\n", []Rule{{Move: "a.b.c", To: "a.x.y"}}, "z: 1\na:\n  d: 1\n  x:\n    # one\n    # two\n    # three\n    \"y\": 1 # four\n"},
		"OnlyKey":   {"a: 1 # x\n", []Rule{{Move: "a", To: "b.c"}}, "b:\n  c: 1 # x\n"},
		"Merged":    {"a:\n  x: 1 # one\n  y: 2\nb:\n  y: 2 # two\n", []Rule{{Move: "a", To: "b"}}, "b:\n  y: 2 # two\n  x: 1 # one\n"},
		"IntoEmpty": {"a:\n  x: 1\nb: {}\n", []Rule{{Move: "a", To: "b"}}, "b:\n  x: 1\n"},
		"EmptyInto": {"a: {}\nb:\n  x: 1\n", []Rule{{Move: "a", To: "b"}}, "b:\n  x: 1\n"},
		"Equal":     {"a: [1]\nb: [1] # kept\nc: 1\n", []Rule{{Move: "a", To: "b"}}, "b: [1] # kept\nc: 1\n"},
		"Flow":      {"a: {b: 1, c: 2} # x\nd: 1\n", []Rule{{Move: "a.b", To: "e"}}, "a: {c: 2} # x\nd: 1\ne: 1\n"},
		"Quoted":    {"\"a b\": 1\n'c': 2\n", []Rule{{Rename: "[\"a b\"]", To: "true"}, {Rename: "c", To: "d"}}, "\"true\": 1\nd: 2\n"},
		"Invert":    {"on: true # as ever\nx: 1\n", []Rule{{Invert: "on", To: "off"}}, "\"off\": false # as ever\nx: 1\n"},
		"InvertOff": {"on: false\noff: true\n", []Rule{{Invert: "on", To: "off"}}, "off: true\n"},
		"Prune":     {"a:\n  b:\n    c: 1\nd: 1\n", []Rule{{Remove: "a.b.c"}}, "d: 1\n"},
		"PruneAll":  {"a:\n  b: 1\n", []Rule{{Remove: "a.b"}}, "{}\n"},
		"Star":      {"s:\n  one: {token: a}\n  two:\n    token: b # x\n    url: c\n  three: 1\n", []Rule{{Rename: "s.*.token", To: "s.*.apiToken"}}, "s:\n  one: {apiToken: a}\n  two:\n    apiToken: b # x\n    url: c\n  three: 1\n"},
		"StarList":  {"l:\n- a: 1 # x\n  b: 2\n- b: 3\n", []Rule{{Remove: "l.*.b"}}, "l:\n- a: 1 # x\n- {}\n"},
		"SetStar":   {"s:\n  one:\n    x: 1\n  two:\n    y: 2\n", []Rule{{Set: "s.*.y", Value: int64(2)}}, "s:\n  one:\n    x: 1\n    \"y\": 2\n  two:\n    y: 2\n"},
		"Overwrite": {"a: 1 # x\n", []Rule{{Set: "a", Value: int64(2), Overwrite: true}}, "a: 2 # x\n"},
		"If": {
			"a: 1\nb: x\n",
			[]Rule{
				{Remove: "a", If: []Condition{{Path: "b", Equals: "x"}}},
				{Set: "c", Value: "old value counts", If: []Condition{{Path: "a", Is: "there"}, {Path: "d", Is: "absent"}}},
				{Set: "no", If: []Condition{{Path: "a", Equals: int64(1)}, {Path: "b", Differs: "x"}}},
				{Set: "no2", If: []Condition{{Path: "d", Is: "there"}}},
				{Set: "e", Value: true, If: []Condition{{Path: "d", Differs: "x"}}},
			},
			"b: x\nc: old value counts\ne: true\n",
		},
		"Chain":   {"a: 1\n", []Rule{{Rename: "a", To: "b"}, {Rename: "b", To: "c"}}, "c: 1\n"},
		"Numbers": {"1: a\nx: b\n", []Rule{{Rename: "x", To: "y"}}, "1: a\n\"y\": b\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range tc.rules {
				tc.rules[i].Reason = why
			}
			got, done, err := migrate("values.yaml", []byte(tc.text), tc.rules)
			if diff := cmp.Diff(tc.want, string(got)); err != nil || diff != "" {
				t.Fatalf("%v (-want +got):\n%s", err, diff)
			}
			if string(got) != tc.text && len(done) == 0 {
				t.Error("it does not say what was done")
			}
			if tc.rules[0].If != nil {
				return // conditions are about the old values
			}
			again, done, err := migrate("values.yaml", got, tc.rules)
			if string(again) != string(got) || err != nil || len(done) != 0 {
				t.Errorf("the rules change what they gave: %v, %v\n%s", err, done, again)
			}
		})
	}
}

// judge tests what is true of any values and any rules: the result is YAML, says
// the same again, and has all comments of keys that no rule touches.
func judge(t interface {
	Errorf(format string, args ...any)
}, data []byte, rules []Rule,
) {
	got, _, err := migrate("values.yaml", data, rules)
	if err != nil {
		if text := err.Error(); text == "" || strings.ContainsAny(text, "\r\n") {
			t.Errorf("an error is one line, not %q", text)
		}
		return
	}
	doc, err := yamledit.Parse(got)
	if err != nil {
		t.Errorf("%q by %+v becomes %q: %v", data, rules, got, err)
		return
	}
	var touched []string
	for _, rule := range rules {
		if p, err := rule.parse(); err == nil {
			for _, path := range [][]any{p.from, p.to} {
				if len(path) > 0 {
					name, _ := path[0].(string)
					touched = append(touched, name)
				}
			}
		}
	}
	was, err := yamledit.Parse(data)
	if err != nil || slices.Contains(touched, star) {
		return
	}
	text := string(got)
	root := was.Content[0]
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
		if slices.Contains(touched, root.Content[i].Value) {
			continue
		}
		var walk func(n *yaml.Node)
		walk = func(n *yaml.Node) {
			for line := range strings.Lines(n.LineComment) {
				if !strings.Contains(text, strings.TrimSpace(line)) {
					t.Errorf("%q by %+v loses the comment %q:\n%s", data, rules, line, text)
				}
			}
			for _, child := range n.Content {
				walk(child)
			}
		}
		walk(root.Content[i+1])
	}
	_ = doc
}

const someValues = `# Values.
hub:
  # uid
  uid: 1 # one
  db: {type: pvc, upgrade: false} # two
  list:
  - a: 1 # three
    on: true
  - b: 2

  text: |
    # no comment
    line
  anchor: &x
    on: false # four
proxy: *x
more:
  <<: *x
  # five
  deep: # six
    # seven
    er: {on: true}
on: true # eight
`

func TestApplyProperty(t *testing.T) {
	t.Parallel()
	path := rapid.Custom(func(t *rapid.T) string {
		part := rapid.SampledFrom([]string{"hub", "uid", "db", "type", "upgrade", "list", "*", "a", "on", "text", "anchor", "proxy", "more", "deep", "er", "new", "b"})
		return strings.Join(rapid.SliceOfN(part, 1, 3).Draw(t, "path"), ".")
	})
	value := rapid.SampledFrom([]any{nil, true, int64(1), "text", "a\nb", []any{"x"}, map[string]any{"k": "v"}})
	rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Rule {
		r := Rule{Reason: "It is so."}
		from, to := path.Draw(t, "from"), path.Draw(t, "to")
		switch rapid.IntRange(0, 4).Draw(t, "verb") {
		case 0:
			r.Rename, r.To = from, to
		case 1:
			r.Move, r.To = from, to
		case 2:
			r.Remove = from
		case 3:
			r.Invert, r.To = from, to
		default:
			r.Set, r.Value, r.Overwrite = from, value.Draw(t, "value"), rapid.Bool().Draw(t, "overwrite")
		}
		return r
	}), 1, 4)
	rapid.Check(t, func(t *rapid.T) { judge(t, []byte(someValues), rules.Draw(t, "rules")) })
}

func FuzzMigrate(f *testing.F) {
	for _, seed := range []string{someValues, "", "a: [", "a: &x {b: *x}", "? a\n: b\n", "a:\n- b\n", "a: {b: {c: 1}} # d", "\"a\": 1 # x\nb: |2\n   x\n", "a: 2020-01-01\n1: 2\n"} {
		f.Add([]byte(seed), "move", "hub.uid", "a.c", "")
		f.Add([]byte(seed), "rename", "a", "b", "")
		f.Add([]byte(seed), "remove", "a.b", "", "")
		f.Add([]byte(seed), "invert", "on", "off", "")
		f.Add([]byte(seed), "set", "a.*.c", "", "# x: ")
	}
	f.Fuzz(func(t *testing.T, data []byte, verb, from, to, value string) {
		r := Rule{Reason: "It is so.", To: to}
		switch verb {
		case "move":
			r.Move = from
		case "rename":
			r.Rename = from
		case "remove":
			r.Remove, r.To = from, ""
		case "invert":
			r.Invert = from
		default:
			r.Set, r.Value, r.To = from, value, ""
		}
		judge(t, data, []Rule{r})
	})
}
