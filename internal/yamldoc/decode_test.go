package yamldoc_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// decode reads data as a sampleDocument.
func decode(data string) (sampleDocument, diag.Diagnostics) {
	var doc sampleDocument
	root, ds := parse(data)
	yamldoc.Decode(root, &doc, &ds)
	ds.Sort()
	return doc, ds
}

func pos(line, column int) diag.Position {
	return diag.Position{File: "f.yaml", Line: line, Column: column}
}

func text(line, column int, value string) yamldoc.Text {
	return yamldoc.Text{Value: value, Pos: pos(line, column)}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	got, ds := decode(sampleGood)
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	root, _ := parse(sampleGood)
	node := func(keys ...string) *yamldoc.Node {
		n := root
		for _, key := range keys {
			n = n.Get(key)
		}
		return n
	}
	want := sampleDocument{
		Pos:      pos(1, 1),
		Kind:     text(1, 7, "Procedure"),
		Metadata: sampleMetadata{Name: text(2, 18, "hub"), Summary: "Upgrades.", Level: "low"},
		From:     node("from"),
		Inputs: yamldoc.Ordered[*sampleInput]{
			{Name: "b", Pos: pos(5, 3), Value: &sampleInput{
				Pos: pos(5, 6), Type: text(5, 13, "string"), Default: node("inputs", "b", "default"),
			}},
			{Name: "a", Pos: pos(6, 3), Value: &sampleInput{
				Pos: pos(7, 5), Type: text(7, 11, "object"), Optional: true,
				Fields: yamldoc.Ordered[*sampleInput]{{Name: "x", Pos: pos(9, 14), Value: &sampleInput{
					Pos: pos(9, 17), Type: text(9, 24, "int"), Default: node("inputs", "a", "fields", "x", "default"),
				}}},
			}},
		},
		Steps: yamldoc.Ordered[sampleStep]{
			{Name: "one", Pos: pos(11, 3), Value: sampleStep{
				Action: text(12, 13, "helm.upgrade"), With: node("steps", "one", "with"),
				Needs:   []yamldoc.Text{text(14, 13, "zero"), text(14, 19, "2")},
				Targets: map[string]yamldoc.Text{"here": text(15, 21, "there")},
				Weights: map[string]float64{"a": 1, "b": 1.5}, Max: 3, Small: -128, Status: []int{200, 204},
				Timeout: yamldoc.Duration{Value: 36 * time.Hour, Pos: pos(20, 14)},
				Retry: &sampleRetry{
					Attempts: 3, Backoff: yamldoc.Duration{Value: 500 * time.Millisecond, Pos: pos(21, 35)},
				},
				Matrix: [][]string{{"a"}, {"b", "c"}, {}},
			}},
			{Name: "two", Pos: pos(23, 3), Value: sampleStep{Command: node("steps", "two", "command")}},
		},
		Expects: yamldoc.Ordered[*yamldoc.Node]{
			{Name: "release.version", Pos: pos(24, 11), Value: node("expects", "release.version")},
			{Name: "replicas", Pos: pos(24, 34), Value: node("expects", "replicas")},
			{Name: "ready", Pos: pos(24, 47), Value: node("expects", "ready")},
			{Name: "path", Pos: pos(24, 60), Value: node("expects", "path")},
		},
		Windows: []sampleWindow{{Pos: pos(26, 3), Days: []yamldoc.Text{text(26, 11, "Mon"), text(26, 16, "Tue")}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if one, ok := got.Steps.Get("one"); !ok || !one.Timeout.IsSet() || one.Retry.Backoff.Or(0) != 500*time.Millisecond {
		t.Errorf("Get(one) = %v, %v", one, ok)
	}
	two, _ := got.Steps.Get("two")
	if two.Timeout.IsSet() || two.Timeout.Or(time.Minute) != time.Minute || two.Action.IsSet() || two.Retry != nil {
		t.Errorf("keys that were not written are set: %+v", two)
	}
	if _, ok := got.Steps.Get("three"); ok || !reflect.DeepEqual(got.Steps.Names(), []string{"one", "two"}) {
		t.Errorf("Names() = %v", got.Steps.Names())
	}
}

const head = "kind: Procedure\nmetadata: {name: n, summary: s}\n"

func TestDecodeProblems(t *testing.T) {
	t.Parallel()
	const example = ": write a number with a unit, such as 90s, 20m, 1h30m or 7d"
	cases := map[string]struct {
		data string
		want []string
	}{
		"NotAMapping": {"- a\n", []string{"1:1: error: the document must be a mapping, is a list"}},
		"Missing": {"metadata: {}\n", []string{
			`1:1: error: the document needs the key "kind": kind: Kind of document.`,
			`1:11: error: metadata needs the key "name": name: Name.`,
			`1:11: error: metadata needs the key "summary"`,
		}},
		"MissingInMembers": {head + "inputs: {a: {}, b: {fields: {c: {}}}}\n", []string{
			`3:13: error: a needs the key "type": type: Type.`,
			`3:20: error: b needs the key "type": type: Type.`,
			`3:33: error: c needs the key "type": type: Type.`,
		}},
		"MisspeltRequiredKey": {head + "inputs: {a: {tipe: int}}\n", []string{
			`3:14: error: unknown key "tipe": did you mean "type"?`,
		}},
		"UnknownKey": {head + "step: {}\nsteps: {s: {neds: [], retries: 1}}\nPos: 1\nNote: 2\n", []string{
			`3:1: error: unknown key "step": did you mean "steps"?`,
			`4:13: error: unknown key "neds": did you mean "needs"?`,
			`4:23: error: unknown key "retries": one of: action, command, matrix, max, needs, retry, small, status, targets, timeout, weights, with`,
			`5:1: error: unknown key "Pos": one of: expects, from, inputs, kind, metadata, steps, windows`,
			`6:1: error: unknown key "Note": one of: expects, from, inputs, kind, metadata, steps, windows`,
		}},
		"Strings": {"kind: [a]\nmetadata: {name: 1.10, summary: {}, level: true}\n", []string{
			"1:7: error: kind must be a string, is a list",
			`2:18: error: name must be a string, is the number 1.10: put it in quotes: "1.10"`,
			"2:33: error: summary must be a string, is a mapping",
			`2:44: error: level must be a string, is true: put it in quotes: "true"`,
		}},
		"Null": {"kind:\nmetadata:\nfrom:\nsteps:\nwindows:\ninputs: {a: {type: int, default: }}\n", []string{
			"1:6: error: kind must be a string, has no value: give it a value, or remove the key",
			"2:10: error: metadata must be a mapping, has no value: give it a value, or remove the key",
			"3:6: error: from must be a text, has no value: give it a value, or remove the key",
			"4:7: error: steps must be a mapping, has no value: give it a value, or remove the key",
			"5:9: error: windows must be a list, has no value: give it a value, or remove the key",
		}},
		"Enum": {"kind: Proceduer\nmetadata: {name: n, summary: s, level: none}\nwindows: [{days: [Mon, Tus, Fri]}]\n", []string{
			`1:7: error: unknown value "Proceduer" of kind: did you mean "Procedure"?`,
			`2:40: error: unknown value "none" of level: one of: high, low`,
			`3:24: error: unknown value "Tus" of days[1]: did you mean "Tue"?`,
			`3:29: error: unknown value "Fri" of days[2]: one of: Mon, Tue, Wed`,
		}},
		"Bool": {head + "inputs:\n  a: {type: int, optional: yes}\n  b: {type: int, optional: \"false\"}\n  c: {type: int, optional: maybe}\n  d: {type: int, optional: 1}\n  e: {type: int, optional: \"${x}\"}\n  f: {type: int, optional: []}\n", []string{
			`4:28: error: optional must be true or false, is the string "yes": write true`,
			`5:28: error: optional must be true or false, is the string "false": write false`,
			`6:28: error: optional must be true or false, is the string "maybe"`,
			`7:28: error: optional must be true or false, is the number 1`,
			`8:28: error: optional must be true or false, is the string "${x}": an expression is not permitted here, write the value`,
			`9:28: error: optional must be true or false, is a list`,
		}},
		"Numbers": {head + "steps:\n  s: {max: 1.5, small: 128, status: [200, ok, \"3\"], weights: {a: x, b: 1, c: true}}\n", []string{
			"4:12: error: max must be a whole number, is the number 1.5",
			"4:24: error: small is 128, which is too large",
			`4:43: error: status[1] must be a whole number, is the string "ok"`,
			`4:47: error: status[2] must be a whole number, is the string "3": remove the quotes`,
			`4:66: error: a must be a number, is the string "x"`,
			`4:78: error: c must be a number, is true`,
		}},
		"Durations": {head + "steps:\n  a: {timeout: 20}\n  b: {timeout: 0s}\n  c: {timeout: -5m}\n  d: {timeout: soon}\n  e: {timeout: [1s]}\n  f: {timeout: 5 minutes}\n  g: {timeout: \"\"}\n  h: {timeout: 0d}\n", []string{
			"4:16: error: timeout must be a duration, is the number 20" + example,
			`5:16: error: timeout must be longer than zero, is "0s"` + example,
			`6:16: error: timeout must be longer than zero, is "-5m"` + example,
			`7:16: error: timeout must be a duration, is "soon"` + example,
			"8:16: error: timeout must be a duration, is a list",
			`9:16: error: timeout must be a duration, is "5 minutes"` + example,
			`10:16: error: timeout must be a duration, is ""` + example,
			`11:16: error: timeout must be longer than zero, is "0d"` + example,
		}},
		"Nodes": {head + "from: [x]\nexpects: {a: {}, b: [], c: 1}\nsteps: {s: {with: x, command: \"${c}\"}, t: {with: [], command: {}}}\n", []string{
			"3:7: error: from must be a text, is a list",
			"4:14: error: a must be a text, is a mapping",
			"4:21: error: b must be a text, is a list",
			`5:19: error: with must be a mapping, is the string "x"`,
			`5:31: error: command must be a list, is the string "${c}": an expression is not permitted here, write the value`,
			"5:50: error: with must be a mapping, is a list",
			"5:63: error: command must be a list, is a mapping",
		}},
		"Containers": {head + "steps: {s: {needs: x, targets: [], retry: 3, matrix: [a, [1]]}, t: u}\nwindows: {a: b}\n", []string{
			`3:20: error: needs must be a list, is the string "x"`,
			"3:32: error: targets must be a mapping, is a list",
			"3:43: error: retry must be a mapping, is the number 3",
			`3:55: error: matrix[0] must be a list, is the string "a"`,
			`3:59: error: matrix[0] must be a string, is the number 1: put it in quotes: "1"`,
			`3:68: error: t must be a mapping, is the string "u"`,
			"4:10: error: windows must be a list, is a mapping",
		}},
		"WithProblemsOfParse": {"kind: 0755\nkind: x\nmetadata: {name: n, summary: s, summary: t, summry: u}\n", []string{
			`1:7: error: "0755" is octal to some programs and decimal to others: put it in quotes for a text, or write 0o before an octal number`,
			`2:1: error: the key "kind" is already on line 1: remove one of them`,
			`3:33: error: the key "summary" is already on line 3: remove one of them`,
			`3:45: error: unknown key "summry": did you mean "summary"?`,
		}},
		"LongNames": {head + strings.Repeat("é", 100) + ": 1\n", []string{
			`3:1: error: unknown key "` + strings.Repeat("é", 30) + `…": one of: expects, from, inputs, kind, metadata, steps, windows`,
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := decode(tc.data)
			if diff := cmp.Diff(tc.want, lines(ds)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What fits is filled although other keys are wrong.
func TestDecodeFillsTheRest(t *testing.T) {
	t.Parallel()
	doc, ds := decode("kind: [x]\nmetadata: {name: n, summary: 1, extra: 2}\nsteps: {s: {max: 4, timeout: 0s}}\n")
	if len(ds) != 4 {
		t.Errorf("got %d problems, want 4:\n%v", len(ds), ds)
	}
	s, _ := doc.Steps.Get("s")
	if doc.Metadata.Name.Value != "n" || s.Max != 4 || !s.Timeout.IsSet() || s.Timeout.Value != 0 {
		t.Errorf("document = %+v", doc)
	}
}

func TestDecodeIntoWrongTypes(t *testing.T) {
	t.Parallel()
	root, _ := parse("a: 1\n")
	var number int
	for name, out := range map[string]any{
		"Nil": nil, "NotAPointer": sampleDocument{}, "NilPointer": (*sampleDocument)(nil), "PointerToInt": &number,
		"PointerToNode": &yamldoc.Node{}, "UnknownField": &struct {
			A chan int `yaml:"a"`
		}{},
	} {
		var ds diag.Diagnostics
		yamldoc.Decode(root, out, &ds)
		if len(ds) != 1 || ds[0].Code != yamldoc.CodeInternal {
			t.Errorf("%s: got %v, want one %s", name, ds, yamldoc.CodeInternal)
		}
	}
	var ds diag.Diagnostics
	yamldoc.Decode(nil, nil, &ds)
	if len(ds) > 0 {
		t.Errorf("decoding nothing: %v", ds)
	}
}

func TestCheckTags(t *testing.T) {
	t.Parallel()
	type recursive struct {
		Again yamldoc.Ordered[*recursive] `yaml:"again"`
	}
	cases := map[string]struct {
		value any
		want  string // part of the error; empty for none
	}{
		"Sample":     {sampleDocument{}, ""},
		"Recursive":  {recursive{}, ""},
		"NotAStruct": {3, "type int is not a struct"},
		"NoTag":      {struct{ A string }{}, "A has no yaml tag"},
		"Unexported": {struct {
			a string `yaml:"a"`
		}{}, "a has a yaml tag and is not exported"},
		"Twice": {struct {
			A string `yaml:"a"`
			B string `yaml:"a"`
		}{}, `B: the key "a" is used twice`},
		"Option": {struct {
			A string `yaml:"a,omitempty"`
		}{}, `unknown option "omitempty"`},
		"EnumOnInt": {struct {
			A int `yaml:"a" enum:"1,2"`
		}{}, "an enum needs a text"},
		"TypeOnText": {struct {
			A string `yaml:"a" type:"text"`
		}{}, "a type tag is text, list or map"},
		"UnknownType": {struct {
			A *yamldoc.Node `yaml:"a" type:"string"`
		}{}, "a type tag is text, list or map"},
		"Interface": {struct {
			A any `yaml:"a"`
		}{}, `key "a"`},
		"Unsigned": {struct {
			A []uint `yaml:"a"`
		}{}, "type uint cannot be decoded"},
		"PointerToInt": {struct {
			A map[string]*int `yaml:"a"`
		}{}, "type *int cannot be decoded"},
		"MapKey": {struct {
			A map[int]string `yaml:"a"`
		}{}, "type map[int]string cannot be decoded"},
		"Position": {struct {
			Pos diag.Position `yaml:"pos"`
		}{}, "type diag.Position cannot be decoded"},
		"Deep": {struct {
			A yamldoc.Ordered[[]struct {
				B func() `yaml:"b"`
			}] `yaml:"a"`
		}{}, "type func() cannot be decoded"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := yamldoc.CheckTags(reflect.TypeOf(tc.value))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("CheckTags() = %v, want nil", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("CheckTags() = %v, want %q", err, tc.want)
			}
		})
	}
	if err := yamldoc.CheckTags(nil); err == nil {
		t.Error("CheckTags(nil) = nil, want an error")
	}
}
