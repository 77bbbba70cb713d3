package yamldoc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

func parse(data string) (*yamldoc.Node, diag.Diagnostics) {
	return yamldoc.Parse("f.yaml", []byte(data), yamldoc.DefaultLimits())
}

// lines gives Diagnostics as an author sees them; nil for none.
func lines(ds diag.Diagnostics) []string {
	var out []string
	for _, d := range ds {
		out = append(out, strings.TrimPrefix(d.String(), "f.yaml:"))
	}
	return out
}

func TestParseScalars(t *testing.T) {
	t.Parallel()
	cases := map[string]any{
		"text": "text", "two words": "two words", "''": "", `"12"`: "12", "'true'": "true",
		"12": int64(12), "-12": int64(-12), "+12": int64(12), "0": int64(0), "-0": int64(0),
		"0x1F": int64(31), "0o17": int64(15), "0x": "0x", "0o8": "0o8", "0b11": "0b11",
		"9223372036854775807": int64(9223372036854775807), "-9223372036854775808": int64(-9223372036854775808),
		"1.5": 1.5, "-.5": -0.5, "5.": 5.0, "1e3": 1000.0, "1E-3": 0.001, "1.10": 1.1, "0.1": 0.1,
		"1.2.3": "1.2.3", "1e": "1e", ".": ".", "-": "-", "+": "+", "1_000": "1_000", "--5": "--5", "e5": "e5",
		"12:30:45": "12:30:45", "2026-01-02": "2026-01-02", "2026-01-02T03:04:05Z": "2026-01-02T03:04:05Z",
		"true": true, "False": false, "TRUE": true, "tRue": "tRue",
		"yes": "yes", "no": "no", "on": "on", "Off": "Off", "y": "y",
		"~": nil, "null": nil, "Null": nil, "": nil, "nil": "nil",
		"!!str 12": "12", "!!str": "", "${a.b}": "${a.b}", "<<": "<<", "! 12": int64(12),
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			if text == "-" {
				text = "'-'"
			}
			root, ds := parse("k: " + text + "\n")
			if len(ds) > 0 {
				t.Fatal(ds)
			}
			got := root.Get("k")
			if diff := cmp.Diff(want, got.Plain()); diff != "" {
				t.Errorf("value of %q (-want +got):\n%s", text, diff)
			}
		})
	}
}

func TestParseTree(t *testing.T) {
	t.Parallel()
	root, ds := parse("# head\na: 1.10 # tail\nlist:\n- x\n- \"q\"\nempty:\nblock: |\n  two\n  lines\nflow: {k: [1, true]}\n")
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	at := func(line, column int) diag.Position { return diag.Position{File: "f.yaml", Line: line, Column: column} }
	scalar := func(line, column int, value any, raw string, quoted bool) *yamldoc.Node {
		return &yamldoc.Node{Kind: yamldoc.Scalar, Pos: at(line, column), Value: value, Raw: raw, Quoted: quoted}
	}
	want := &yamldoc.Node{Kind: yamldoc.Mapping, Pos: at(2, 1), Pairs: []yamldoc.Pair{
		{Key: "a", KeyPos: at(2, 1), Value: scalar(2, 4, 1.1, "1.10", false)},
		{Key: "list", KeyPos: at(3, 1), Value: &yamldoc.Node{Kind: yamldoc.Sequence, Pos: at(4, 1), Items: []*yamldoc.Node{
			scalar(4, 3, "x", "x", false), scalar(5, 3, "q", "q", true),
		}}},
		{Key: "empty", KeyPos: at(6, 1), Value: &yamldoc.Node{Kind: yamldoc.Null, Pos: at(6, 7)}},
		{Key: "block", KeyPos: at(7, 1), Value: scalar(7, 8, "two\nlines\n", "two\nlines\n", true)},
		{Key: "flow", KeyPos: at(10, 1), Value: &yamldoc.Node{Kind: yamldoc.Mapping, Pos: at(10, 7), Pairs: []yamldoc.Pair{
			{Key: "k", KeyPos: at(10, 8), Value: &yamldoc.Node{Kind: yamldoc.Sequence, Pos: at(10, 11), Items: []*yamldoc.Node{
				scalar(10, 12, int64(1), "1", false), scalar(10, 15, true, "true", false),
			}}},
		}}},
	}}
	if diff := cmp.Diff(want, root); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if root.Get("nothing") != nil || (*yamldoc.Node)(nil).Get("a") != nil {
		t.Error("Get of a key that is not there is not nil")
	}
}

func TestParseProblems(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		data string
		want []string
	}{
		"Tab": {"a:\n\tb: 1\n", []string{"2:1: error: a tab is used for indentation: use spaces"}},
		"Tabs": {
			"a:\n\tb: 1\n\tc: 2\n\n\t\nd: 1\n  \te: 2\n",
			[]string{"2:1: error: a tab is used for indentation: use spaces", "3:1: error: a tab is used for indentation: use spaces"},
		},
		"TabAfterSpaces":  {"a:\n  b:\n  \tc: 1\n", []string{"3:3: error: a tab is used for indentation: use spaces"}},
		"TabAfterDash":    {"a:\n- \tb: 1\n", []string{"2:3: error: a tab is used for indentation: use spaces"}},
		"TabInEmptyLine":  {"a: b\n\t\nc: d\n", []string{"2:1: error: a tab is used for indentation: use spaces"}},
		"TwoColons":       {"x: 1\na: b: c\n", []string{`2: error: a key is not permitted here: check the indentation, and put a text that holds ": " in quotes`}},
		"Indented":        {"a: 1\n  b: 2\nc: 3\n", []string{`2: error: a key is not permitted here: check the indentation, and put a text that holds ": " in quotes`}},
		"ListInMapping":   {"a: 1\nb: 2\n- c\nd: 4\n", []string{"3: error: this line does not fit the mapping that it stands in: check the indentation and the quotes"}},
		"MappingInList":   {"- a\n- b\nc: 1\n", []string{`3: error: this line does not fit the list that it stands in: start a member with "- ", or check the indentation`}},
		"Dedented":        {"a:\n  - b\n c: 1\n", []string{"3: error: this line does not fit the mapping that it stands in: check the indentation and the quotes"}},
		"OpenList":        {"x: 1\na: [1, 2\nb: 3\nc: 4\n", []string{"2: error: the list in [ ] that starts here cannot be read: check for a missing comma, quote or ]"}},
		"OpenMapping":     {"x: 1\na: {b: 1\n", []string{"2: error: the mapping in { } that starts here cannot be read: check for a missing comma, quote or }"}},
		"OpenQuote":       {"x: 1\na: \"x\nb: 2\nc: 3\nd: 4\n", []string{"2: error: the text in quotes that starts here is not closed: add the closing quote"}},
		"QuoteInQuotes":   {"x: 1\na: 'it's'\n", []string{"2: error: this line does not fit the mapping that it stands in: check the indentation and the quotes"}},
		"NoColon":         {"x: 1\nfoo\nbar: 2\n", []string{`2: error: this line is not a key with a value: write "key: value", or check the indentation`}},
		"Reserved":        {"x: 1\na: @x\n", []string{"2:4: error: a value cannot start with this character: put it in quotes"}},
		"Percent":         {"a: [x, %y]\n", []string{"1:8: error: a value cannot start with this character: put it in quotes"}},
		"Bracket":         {"a: ]\n", []string{"1: error: a value is missing here: check for a bracket or comma too many"}},
		"TooManyBrackets": {"{a: 1}}\n", []string{"1: error: this line stands behind the end of the document: check for a closing bracket too many, or a line that starts with %"}},
		"Escape":          {"x: 1\na: \"\\q\"\n", []string{"2: error: a text in double quotes has an unknown escape: use single quotes, or write \\\\ for a backslash"}},
		"Directive":       {"%x\na: 1\n", []string{"1: error: a line that starts with % is not permitted: put it in quotes, or remove it"}},
		"BlockHeader":     {"a: | x\n  s\n", []string{"1: error: a text block starts on the line after | or >: move the text to the next line"}},
		"UnknownAnchor":   {"x: 1\na: *y\n", []string{"2: error: the alias *y has no anchor &y above it: define the anchor, or put a text that starts with * in quotes"}},
		"Empty":           {"", []string{"1: error: the document is empty"}},
		"OnlyComments":    {"# a\n\n# b\n", []string{"1: error: the document is empty"}},
		"OnlyMarker":      {"---\n", []string{"1: error: the document is empty"}},
		"SecondDocument":  {"a: 1\n---\nb: 2\n", []string{"2:1: error: a second document starts here, only one is read: remove it, or put it into a file of its own"}},
		"SecondIsBroken":  {"a: 1\n---\n\tb: 2\n", []string{"3:1: error: a tab is used for indentation: use spaces"}},
		"InvalidUTF8":     {"a: 1\nb: é\xff\n", []string{"2:5: error: the byte 0xff is not UTF-8 text: save the file as UTF-8"}},
		"NUL":             {"a: \x00\n", []string{"1:4: error: the file holds a NUL character: is it a text file? if so, save it as UTF-8"}},
		"Control":         {"a: \x07\n", []string{"1:4: error: the file holds the control character U+0007: remove it"}},
		"UTF16":           {"\xff\xfea\x00", []string{"1: error: the file is UTF-16: save it as UTF-8"}},
		"Delete":          {"a: \x7f\n", []string{"1:4: error: the file holds the control character U+007F: remove it"}},
		"C1":              {"a: \u0080\n", []string{"1:4: error: the file holds the control character U+0080: remove it"}},
		"Mark":            {"a: 1\n\ufeffb: 2\n", []string{"2:1: error: the file holds the control character U+FEFF: remove it"}},
		"EscapedNUL":      {"a: \"x\\0\"\n", []string{"1:4: error: the text holds a NUL character: remove the escape \\0"}},
		"DuplicateKeys": {
			"a: 1\nb: {x: 1, x: 2}\na: 3\na: 4\n",
			[]string{
				`2:11: error: the key "x" is already on line 2: remove one of them`,
				`3:1: error: the key "a" is already on line 1: remove one of them`,
				`4:1: error: the key "a" is already on line 1: remove one of them`,
			},
		},
		"Keys": {
			"1: a\ntrue: b\n~: c\n[x]: e\n? {y: 1}\n: f\n1.0: g\n",
			[]string{
				`1:1: error: the key 1 is not a string: put it in quotes: "1"`,
				`2:1: error: the key true is not a string: put it in quotes: "true"`,
				`3:1: error: the key ~ is not a string: put it in quotes: "~"`,
				`4:1: error: a key must be a string, is a list: put a text that starts with [ or { in quotes`,
				`5:3: error: a key must be a string, is a mapping: put a text that starts with [ or { in quotes`,
				`7:1: error: the key 1.0 is not a string: put it in quotes: "1.0"`,
			},
		},
		"NoKey":          {"? \n: d\n", []string{"1:2: error: a key is missing before the colon"}},
		"TemplateBraces": {"a: {{ x }}\n", []string{"1:5: error: a key must be a string, is a mapping: put a text that starts with [ or { in quotes"}},
		"MergeKey":       {"a: &a {x: 1}\nb:\n  <<: *a\n", []string{"3:3: error: merge keys (<<) are not read: write the keys out, or use an alias for a whole value"}},
		"SelfReference":  {"a: &x [1, *x]\n", []string{"1:11: error: the alias *x refers to what it is part of: write the value out"}},
		"KeyReference": {"? &x [1]\n: 1\nb: *x\n", []string{
			"1:3: error: a key must be a string, is a list: put a text that starts with [ or { in quotes",
			"3:4: error: the alias *x refers to what it is part of: write the value out",
		}},
		"Tags": {
			"a: !foo 1\nb: !!binary aGk=\nc: !!set {x: }\nd: !!int \"3\"\n",
			[]string{
				"1:4: error: the tag !foo is not read: remove it, or put a text that starts with ! in quotes",
				"2:4: error: the tag !!binary is not read: remove it, or put a text that starts with ! in quotes",
				"3:4: error: the tag !!set is not read: remove it, or put a text that starts with ! in quotes",
				"4:4: error: the tag !!int is not read: remove it, or put a text that starts with ! in quotes",
			},
		},
		"Numbers": {
			"a: 9223372036854775808\nb: .inf\nc: -.INF\nd: .NaN\ne: 0755\nf: 1e999\ng: 0xFFFFFFFFFFFFFFFFF\nh: -007\n",
			[]string{
				"1:4: error: the number 9223372036854775808 does not fit in 64 bits: put it in quotes if it is a text",
				"2:4: error: infinity is not a number that is read: write a finite number, or quotes around a text",
				"3:4: error: infinity is not a number that is read: write a finite number, or quotes around a text",
				`4:4: error: "not a number" is not a number that is read: write a number, or quotes around a text`,
				`5:4: error: "0755" is octal to some programs and decimal to others: put it in quotes for a text, or write 0o before an octal number`,
				"6:4: error: the number 1e999 is too large: put it in quotes if it is a text",
				"7:4: error: the number 0xFFFFFFFFFFFFFFFFF does not fit in 64 bits: put it in quotes if it is a text",
				`8:4: error: "-007" is octal to some programs and decimal to others: put it in quotes for a text, or write 0o before an octal number`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := parse(tc.data)
			if diff := cmp.Diff(tc.want, lines(ds)); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tc.data, diff)
			}
			for _, d := range ds {
				if d.Code == "" || d.Severity != diag.Error {
					t.Errorf("no code or severity: %+v", d)
				}
			}
		})
	}
}

// What is wrong is left out of the tree or Invalid; the rest is there, so that
// Decode finds further problems.
func TestParseKeepsTheRest(t *testing.T) {
	t.Parallel()
	root, ds := parse("a: 1\na: 2\n3: x\nb: 0755\nc: ok\n---\nd: 1\n")
	if len(ds) != 4 {
		t.Errorf("got %d problems, want 4:\n%v", len(ds), ds)
	}
	want := map[string]any{"a": int64(1), "b": nil, "c": "ok"}
	if diff := cmp.Diff(want, root.Plain()); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if got := root.Get("b").Kind; got != yamldoc.Invalid {
		t.Errorf("kind of the refused value is %v, want %v", got, yamldoc.Invalid)
	}
}

func TestParseAliases(t *testing.T) {
	t.Parallel()
	_, unknown := parse("a: &k x\nb: *k\n? *k2\n: 1\n")
	if diff := cmp.Diff([]string{"3: error: the alias *k2 has no anchor &k2 above it: " +
		"define the anchor, or put a text that starts with * in quotes"}, lines(unknown)); diff != "" {
		t.Errorf("unknown alias as key (-want +got):\n%s", diff)
	}
	root, ds := parse("\xef\xbb\xbfa: &a\n  x: &x [1]\n&k key: *k\nb: *a\nc: [*x, *x]\nd: {*k : 1}\n")
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	one := []any{int64(1)}
	want := map[string]any{
		"a": map[string]any{"x": one}, "key": "key", "b": map[string]any{"x": one},
		"c": []any{one, one}, "d": map[string]any{"key": int64(1)},
	}
	if diff := cmp.Diff(want, root.Plain()); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if got := root.Get("b").Get("x").Pos.Line; got != 2 {
		t.Errorf("line of an expanded value is %d, want 2, that of the anchor", got)
	}
}

func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("l0: &l0 [a, b, c, d, e, f, g, h, i, j]\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "l%d: &l%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	deepAlias := "a: &a " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\nb: " +
		strings.Repeat("[", 40) + "*a" + strings.Repeat("]", 40) + "\n"
	const tooDeep = " error: lists and mappings are nested deeper than 64 levels: take the innermost ones out of the others"
	const tooMany = " error: the document holds more than 200000 values, counting those of aliases: use fewer aliases, or split the document"
	cases := map[string]struct {
		data string
		want []string
	}{
		"Bomb":         {bomb(20), []string{"6:10:" + tooMany}},
		"Depth64":      {strings.Repeat("[", 64) + strings.Repeat("]", 64), nil},
		"Depth65":      {strings.Repeat("[", 65) + strings.Repeat("]", 65), []string{"1:65:" + tooDeep}},
		"DepthOnce":    {strings.Repeat("[", 65) + strings.Repeat("]", 65) + "\n", []string{"1:65:" + tooDeep}},
		"DepthLibrary": {strings.Repeat("[", 1<<20), []string{"1:" + tooDeep}},
		"DepthAlias":   {deepAlias, []string{"2:44:" + tooDeep}},
		"Dashes":       {strings.Repeat("- ", 5000), []string{"1:129:" + tooDeep}},
		"Nodes":        {"[" + strings.Repeat("x,", 200_000) + "]", []string{"1:400000:" + tooMany}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := parse(tc.data)
			if diff := cmp.Diff(tc.want, lines(ds)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseOwnLimits(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		limits yamldoc.Limits
		data   string
		want   []string
	}{
		"Bytes":   {yamldoc.Limits{Bytes: 3}, "a: 1", []string{" error: the file is 4 bytes, at most 3 are read: is it the right file?"}},
		"Nodes":   {yamldoc.Limits{Nodes: 2}, "a: [1, 2]", []string{"1:5: error: the document holds more than 2 values, counting those of aliases: use fewer aliases, or split the document"}},
		"Depth":   {yamldoc.Limits{Depth: 1}, "a: []\nb: []", []string{"1:4: error: lists and mappings are nested deeper than 1 levels: take the innermost ones out of the others"}},
		"Default": {yamldoc.Limits{Nodes: -1}, "a: [1, 2]", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := yamldoc.Parse("f.yaml", []byte(tc.data), tc.limits)
			if diff := cmp.Diff(tc.want, lines(ds)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The size alone decides: nothing of the 100 MiB is looked at.
func TestParseSize(t *testing.T) {
	t.Parallel()
	root, ds := yamldoc.Parse("f.yaml", make([]byte, 104857600), yamldoc.DefaultLimits())
	want := []string{" error: the file is 104857600 bytes, at most 4194304 are read: is it the right file?"}
	if diff := cmp.Diff(want, lines(ds)); diff != "" || root != nil {
		t.Errorf("root %v (-want +got):\n%s", root, diff)
	}
}

// Hostile text ends within seconds, in a line or two: nothing is quadratic.
func TestParseHostile(t *testing.T) {
	const size = 256 << 10
	limits := yamldoc.Limits{Nodes: 20_000}
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, data := range map[string]string{
		"Flow": "[" + fill("a,") + "]", "List": fill("-\n"), "Comments": fill("- a #c\n"), "Quote": "\"" + fill("a\n"),
		"OpenFlow": "[" + fill("a,\n"), "Tabs": fill("\t"), "Duplicates": fill("a: \n"), "Documents": fill("---\n"),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, ds := yamldoc.Parse("f.yaml", []byte(data), limits)
			if len(ds) < 1 || len(ds) > 2 {
				t.Errorf("got %d problems, want one or two", len(ds))
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
}
