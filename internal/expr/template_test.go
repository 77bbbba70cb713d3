package expr_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

func TestEval(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		text   string
		want   any
	}{
		"Literal":            {"A string without expressions is itself.", "hub", "hub"},
		"EmptyString":        {"So is an empty one.", "", ""},
		"Dollar":             {"A $ alone means nothing.", "5$ $x $", "5$ $x $"},
		"Escaped":            {"$${ writes ${.", "$${inputs.name}", "${inputs.name}"},
		"EscapedTwice":       {"Only the last two $ are looked at.", "$$${x}", "$${x}"},
		"EscapedBeside":      {"Escapes and expressions stand beside each other.", "$${a}${inputs.name}$", "${a}jupyterhub$"},
		"KeepsString":        {"One expression keeps its type.", "${inputs.name}", "jupyterhub"},
		"KeepsInt":           {"One expression keeps its type.", "${inputs.count}", int64(3)},
		"KeepsNumber":        {"One expression keeps its type.", "${inputs.ratio}", 0.5},
		"KeepsBool":          {"One expression keeps its type.", "${inputs.enabled}", true},
		"KeepsList":          {"One expression keeps its type.", "${inputs.hosts}", []any{"b", "a"}},
		"KeepsObject":        {"One expression keeps its type.", "${inputs.chart}", map[string]any{"name": "hub", "version": "3.3.8"}},
		"KeepsSecret":        {"A secret is passed on whole.", "${inputs.password}", map[string]any{"env": "PASSWORD"}},
		"ChoosesSecret":      {"One of two secrets is still whole.", "${inputs.enabled ? inputs.other : inputs.password}", map[string]any{"file": "/run/other"}},
		"SecretOfList":       {"A secret is taken out of a list whole.", "${inputs.passwords[1]}", map[string]any{"env": "B"}},
		"HasSecret":          {"Whether a secret is given may be asked.", "${has(inputs.password)}", true},
		"Joined":             {"Several parts are joined.", "${inputs.name}-${inputs.count}/${inputs.ratio}/${inputs.enabled}", "jupyterhub-3/0.5/true"},
		"JoinedDuration":     {"A duration is a string.", "in ${inputs.timeout}", "in 90s"},
		"JoinedWhole":        {"A number without fraction has no point.", "${2.0} ${1e21}", "2 1000000000000000000000"},
		"Spaces":             {"Spaces around an expression mean nothing.", "${  inputs.name  }", "jupyterhub"},
		"Braces":             {"Braces nest.", "${{'a': {'b': 1}}}", map[string]any{"a": map[string]any{"b": int64(1)}}},
		"BraceInLiteral":     {"Braces in string literals do not count.", `${"}" + '{' + """}"'}""" + r'\' + "\"}"}`, `}{}"'}\"}`},
		"RawAndBytes":        {"Prefixes of literals are known.", `${string(br"\}") + R"}\"}`, `\}}\`},
		"NameBeforeQuote":    {"The r of a name is no prefix.", `${"a" in {"a": 1} ? "\"}" : ""}`, `"}`},
		"Comment":            {"Comments end with the line.", "${1 // }\n + 2}", int64(3)},
		"IndexName":          {"Names with dashes are selected by index.", `${steps["stop-servers"].output.count}`, int64(12)},
		"BacktickName":       {"Or with backticks.", "${has(steps.`stop-servers`.output)}", true},
		"ReservedField":      {"Fields may have the names of reserved words.", "${inputs.namespace + '!'}", "hub!"},
		"OpenObject":         {"Open objects are looked into when evaluated.", "${inputs.values.hub.db.type}", "sqlite-pvc"},
		"Map":                {"Maps have typed values.", "${inputs.labels.tier + inputs.labels['app']}", "webhub"},
		"MapOrder":           {"Maps are gone through in the order of their keys.", "${inputs.labels.map(k, k + '=' + inputs.labels[k]).join(',')}", "app=hub,tier=web,zone=z1"},
		"MapLiteralOrder":    {"Also those that are written out.", "${{'c': 1, 'a': 2, 'b': 3}.map(k, k).join()}", "abc"},
		"DynOrder":           {"Also those in open objects.", "${{'x': inputs.labels}.x.map(k, k)}", []any{"app", "tier", "zone"}},
		"HasNot":             {"A field that is not there can be asked for.", "${has(inputs.note) ? inputs.note : 'none'}", "none"},
		"HasNullIsAbsent":    {"Objects of lists have optional fields too.", "${inputs.charts.filter(c, !has(c.digest)).size()}", int64(2)},
		"Exists":             {"Loops know the types of members.", "${inputs.charts.exists(c, c.version == '4.0.0')}", true},
		"Filter":             {"Members of lists are objects.", "${inputs.charts.filter(c, c.name == 'proxy')[0].version}", "4.0.0"},
		"SortBy":             {"Lists can be sorted by a field.", "${inputs.charts.sortBy(c, c.version).map(c, c.name)}", []any{"hub", "proxy"}},
		"SameTypes":          {"Objects with the same fields have the same type.", "${inputs.enabled ? inputs.chart : observe.release.chart}", map[string]any{"name": "hub", "version": "3.3.8"}},
		"CompareSameTypes":   {"And can be compared.", "${inputs.chart == observe.release.chart}", true},
		"NumbersOfInts":      {"An int given for a number is a number.", "${inputs.weights.map(w, w * 2.0)}", []any{2.0, 5.0}},
		"CompareNumberToInt": {"Comparisons mix numbers and ints.", "${inputs.ratio < 1 && inputs.count > 2.5}", true},
		"Duration":           {"A duration is written as Go does.", "${duration(inputs.timeout) + duration('1h')}", "1h1m30s"},
		"DurationCompared":   {"Durations can be compared.", "${duration(inputs.timeout) < duration('2m')}", true},
		"Timestamp":          {"A timestamp is written in UTC.", "${timestamp('2024-01-01T02:00:00+02:00') + duration('24h')}", "2024-01-02T00:00:00Z"},
		"Hours":              {"Times are read in UTC.", "${timestamp('2024-01-01T02:00:00+02:00').getHours()}", int64(0)},
		"Bytes":              {"Bytes are written as base64.", "${b'hub'}", "aHVi"},
		"Uint":               {"Unsigned numbers are ints.", "${3u}", int64(3)},
		"Null":               {"null is null.", "${null}", nil},
		"TypeOf":             {"Types can be compared.", "${type(inputs.anything[1]) == string}", true},
		"Split":              {"Strings are split.", "${'a,b'.split(',')}", []any{"a", "b"}},
		"Distinct":           {"Lists lose repetitions.", "${[1, 2, 1].distinct()}", []any{int64(1), int64(2)}},
		"Sets":               {"Lists are compared as sets.", "${sets.contains(inputs.hosts, ['a']) && inputs.hosts.hasAll(['b'])}", true},
		"Greatest":           {"The greatest of several.", "${math.greatest(1, inputs.count, 2)}", int64(3)},
		"Format":             {"Strings are formatted.", "${'%s: %d'.format([inputs.name, inputs.count])}", "jupyterhub: 3"},
		"Replace":            {"Strings are replaced.", "${inputs.name.replace('jupyter', 'x')}", "xhub"},
		"Base64":             {"Strings are encoded.", "${base64.encode(b'hub')}", "aHVi"},
		"JSON":               {"JSON has sorted keys and exact numbers.", "${json.encode({'b': 9223372036854775807, 'a': ['<\u007f>', 1.5, null]})}", "{\"a\":[\"<\u007f>\",1.5,null],\"b\":9223372036854775807}"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := compile(t, newEnv(t), str(tc.text), schema.Of(schema.Any)).Eval(scope())
			if err != nil {
				t.Fatalf("%s\nEval: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTemplateOfManyValues(t *testing.T) {
	t.Parallel()
	n := doc(t, `
release: ${inputs.name}
plain: [1, 2.5, true, null, "a $${b}"]
hub:
  "${key}": ${inputs.count}
  hosts: ["${inputs.hosts[0]}", "x-${steps['stop-servers'].output.count}"]
`)
	template, ds := newEnv(t).CompileTemplate(n, schema.Of(schema.Any))
	const warning = `p.yaml:5:3: warning: the key "${key}" stays as it is, keys are not evaluated`
	if ds.Error() != warning || template == nil {
		t.Fatalf("got %v, want %s", ds, warning)
	}
	want := map[string]any{
		"release": "jupyterhub",
		"plain":   []any{int64(1), 2.5, true, nil, "a ${b}"},
		"hub":     map[string]any{"${key}": int64(3), "hosts": []any{"b", "x-12"}},
	}
	for range 2 { // a change of the first result must not be seen in the second
		got, err := template.Eval(scope())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		got.(map[string]any)["plain"].([]any)[0] = "changed"
		got.(map[string]any)["hub"] = nil
	}
	if diff := cmp.Diff(n.Plain(), template.Source()); diff != "" {
		t.Errorf("Source: -want +got:\n%s", diff)
	}
	if template.Pos() != n.Pos {
		t.Errorf("Pos: got %v, want %v", template.Pos(), n.Pos)
	}
	const refs = "[inputs.count inputs.hosts inputs.name steps[\"stop-servers\"].output.count]"
	if got := referenceText(template); got != refs {
		t.Errorf("References: got %s, want %s", got, refs)
	}
	if got := template.Type().Fields["hub"].Type.Fields["hosts"].Type.String(); got != "list(string)" {
		t.Errorf("Type of hub.hosts: got %s, want list(string)", got)
	}
}

func TestResultsAreFresh(t *testing.T) {
	t.Parallel()
	values := scope()
	got, err := compile(t, newEnv(t), str("${inputs.chart}"), schema.Of(schema.Any)).Eval(values)
	if err != nil {
		t.Fatal(err)
	}
	got.(map[string]any)["name"] = "changed"
	if diff := cmp.Diff(scope(), values); diff != "" {
		t.Errorf("the scope was changed: -want +got:\n%s", diff)
	}
}

func referenceText(t *expr.Template) string {
	var texts []string
	for _, r := range t.References() {
		texts = append(texts, r.String())
	}
	return "[" + strings.Join(texts, " ") + "]"
}

func TestReferences(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ reason, text, want string }{
		"None":         {"A literal refers to nothing.", "x ${1 + 1}", "[]"},
		"Chain":        {"The longest selection counts.", "${observe.release.chart.version}", "[observe.release.chart.version]"},
		"Sorted":       {"They are sorted and not repeated.", "${steps.config.output.file}${inputs.name}${inputs.name}", "[inputs.name steps.config.output.file]"},
		"Has":          {"has() refers to the field.", "${has(observe.release.chart)}", "[observe.release.chart]"},
		"LiteralIndex": {"A literal index is a selection.", "${steps['stop-servers'].output}", "[steps[\"stop-servers\"].output]"},
		"NumberIndex":  {"A number is not.", "${inputs.charts[0].name}", "[inputs.charts]"},
		"Computed":     {"A computed index refers to both.", "${inputs.labels[inputs.name]}", "[inputs.labels inputs.name]"},
		"Method":       {"The target of a method counts.", "${inputs.name.startsWith(inputs.namespace)}", "[inputs.name inputs.namespace]"},
		"Loop":         {"Variables of loops do not count.", "${inputs.charts.filter(c, c.name == inputs.name).map(c, c.version)}", "[inputs.charts inputs.name]"},
		"Shadowed":     {"A variable of a loop may hide a declared one.", "${[{'name': 'x'}].exists(inputs, inputs.name == 'x')}", "[]"},
		"Unshadowed":   {"A leading dot means the declared one.", "${[{'name': 'x'}].exists(inputs, .inputs.name == inputs.name)}", "[inputs.name]"},
		"Literals":     {"Lists and maps are looked into.", "${{inputs.name: [inputs.count]}}", "[inputs.count inputs.name]"},
		"Types":        {"Names of types are no references.", "${type(inputs.name) == string}", "[inputs.name]"},
		"Whole":        {"A variable alone is a reference.", "${inputs}", "[inputs]"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			template := compile(t, newEnv(t), str(tc.text), schema.Of(schema.Any))
			if got := referenceText(template); got != tc.want {
				t.Errorf("%s\ngot %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestTested(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ reason, text, want string }{
		"None":   {"A selection is no question.", "${observe.release.chart}", "[]"},
		"Has":    {"has() asks for the field.", "${has(observe.release.chart) ? inputs.name : ''}", "[observe.release.chart]"},
		"Index":  {"An index asks too.", "${has(steps['stop-servers'].output)}", `[steps["stop-servers"].output]`},
		"Joined": {"All expressions of a value count.", "${inputs.name}${has(observe.release)}", "[observe.release]"},
		"Loop":   {"Variables of loops do not.", "${inputs.charts.filter(c, has(c.name)).map(c, c.version)}", "[]"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			template := compile(t, newEnv(t), str(tc.text), schema.Of(schema.Any))
			if got := fmt.Sprint(template.Tested()); got != tc.want {
				t.Errorf("%s\ngot %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestReferencesBelongToTheCaller(t *testing.T) {
	t.Parallel()
	template := compile(t, newEnv(t), str("${inputs.name}"), schema.Of(schema.Any))
	template.References()[0][0] = "changed"
	if got := referenceText(template); got != "[inputs.name]" {
		t.Errorf("got %s", got)
	}
}

func TestEvalDeferred(t *testing.T) {
	t.Parallel()
	n := doc(t, `
name: ${inputs.name}
escaped: $${steps.config}
a/b: "file ${steps.config.output.file} of ${inputs.name} $${x}"
list: [1, "${steps['stop-servers'].output.count}", "${observe.release.revision}"]
~tilde: {loop: "${inputs.hosts.exists(h, h == steps.config.output.file)}"}
`)
	template := compile(t, newEnv(t), n, schema.Of(schema.Any))
	got, deferred, err := template.EvalDeferred(scope(), "steps", "item")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "jupyterhub", "escaped": "${steps.config}",
		"a/b":    "file ${steps.config.output.file} of ${inputs.name} $${x}",
		"list":   []any{int64(1), "${steps['stop-servers'].output.count}", int64(7)},
		"~tilde": map[string]any{"loop": "${inputs.hosts.exists(h, h == steps.config.output.file)}"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantDeferred := []expr.Deferred{
		{Path: "/a~1b", Text: "file ${steps.config.output.file} of ${inputs.name} $${x}"},
		{Path: "/list/1", Text: "${steps['stop-servers'].output.count}"},
		{Path: "/~0tilde/loop", Text: "${inputs.hosts.exists(h, h == steps.config.output.file)}"},
	}
	if diff := cmp.Diff(wantDeferred, deferred); diff != "" {
		t.Errorf("deferred: -want +got:\n%s", diff)
	}
	whole := compile(t, newEnv(t), str("${steps.config.output.file}"), schema.Of(schema.Any))
	if _, deferred, err := whole.EvalDeferred(scope(), "steps"); err != nil || len(deferred) != 1 || deferred[0].Path != "" {
		t.Errorf("the whole value: got %v, %v", deferred, err)
	}
	if _, deferred, err := whole.EvalDeferred(scope()); err != nil || deferred != nil {
		t.Errorf("without roots: got %v, %v", deferred, err)
	}
}

func TestEnvWith(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	derived, err := env.With(map[string]schema.Type{
		"item":  schema.Of(schema.Int),
		"steps": schema.ObjectOf(map[string]schema.Field{"only": required(schema.Of(schema.String))}),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := compile(t, derived, str("${item + inputs.count} ${steps.only}"), schema.Of(schema.Any)).
		Eval(expr.Scope{"item": int64(4), "inputs": scope()["inputs"], "steps": map[string]any{"only": "x"}})
	if err != nil || got != "7 x" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, ds := derived.CompileTemplate(str("${steps.config}"), schema.Of(schema.Any)); !ds.HasErrors() {
		t.Error("the variable that was replaced is still seen")
	}
	if _, ds := env.CompileTemplate(str("${item}"), schema.Of(schema.Any)); !ds.HasErrors() {
		t.Error("the first Env was changed")
	}
	for _, name := range []string{"", "a-b", "1a", "in", "namespace", "ä"} {
		if _, err := env.With(map[string]schema.Type{name: schema.Of(schema.Int)}); err == nil {
			t.Errorf("the name %q is accepted", name)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	template := compile(t, env, str("${inputs.charts.map(c, c.name).join(',')}"), schema.Of(schema.Any))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			derived, err := env.With(map[string]schema.Type{"item": schema.Of(schema.String)})
			if err != nil {
				t.Error(err)
				return
			}
			if _, ds := derived.CompileTemplate(str("${item + inputs.chart.name}"), schema.Of(schema.Any)); ds != nil {
				t.Error(ds)
			}
			if got, err := template.Eval(scope()); err != nil || got != "hub,proxy" {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	group.Wait()
}

// TestFunctionsOfPackageComment holds the package comment to the truth.
func TestFunctionsOfPackageComment(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(source), "# Functions")
	words := map[string]bool{}
	for _, word := range regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_.]*[A-Za-z0-9_]`).FindAllString(section, -1) {
		words[word] = true
	}
	names, err := expr.Functions()
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 50 {
		t.Fatalf("only %d functions", len(names))
	}
	for _, name := range names {
		if !words[name] {
			t.Errorf("%s is not in the package comment", name)
		}
	}
}

// TestFill puts a word in the place of expressions, and leaves text that is escaped.
func TestFill(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "a ${inputs.x + \"}\"} b${y}": "a X bX", "$${HOME} $1 ${a}": "${HOME} $1 X", "${open": "",
	} {
		if got := expr.Fill(in, "X"); got != want {
			t.Errorf("Fill(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEscapeRoundTrip(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("$${}ab\"'\\ \n"))).Draw(t, "s")
		template, ds := env.CompileTemplate(str(expr.Escape(s)), schema.Of(schema.Any))
		if ds != nil {
			t.Fatalf("%q: %v", s, ds)
		}
		if got, err := template.Eval(nil); err != nil || got != s {
			t.Fatalf("got %q, %v, want %q", got, err, s)
		}
	})
}

// TestLiteralsAreThemselves compiles values without expressions.
func TestLiteralsAreThemselves(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	rapid.Check(t, func(t *rapid.T) {
		n := plainNode(t, 3)
		template, ds := env.CompileTemplate(n, schema.Of(schema.Any))
		if ds != nil {
			t.Fatal(ds)
		}
		got, err := template.Eval(nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(n.Plain(), got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if problems := schema.Check(template.Type(), got); len(problems) > 0 {
			t.Fatalf("the value does not have the type of the template: %v", problems)
		}
	})
}

func plainNode(t *rapid.T, depth int) *yamldoc.Node {
	shapes := 6
	if depth == 0 {
		shapes = 4
	}
	n := &yamldoc.Node{Kind: yamldoc.Scalar}
	switch rapid.IntRange(0, shapes-1).Draw(t, "shape") {
	case 0:
		n.Value = rapid.StringMatching(`[a-z{}]{0,6}`).Draw(t, "string")
	case 1:
		n.Value = rapid.Int64().Draw(t, "int")
	case 2:
		n.Value = rapid.Float64Range(-1e6, 1e6).Draw(t, "float")
	case 3:
		n.Value = rapid.Bool().Draw(t, "bool")
	case 4:
		n.Kind = yamldoc.Sequence
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			n.Items = append(n.Items, plainNode(t, depth-1))
		}
	default:
		n.Kind = yamldoc.Mapping
		for i := range rapid.IntRange(0, 3).Draw(t, "pairs") {
			n.Pairs = append(n.Pairs, yamldoc.Pair{Key: string(rune('a' + i)), Value: plainNode(t, depth-1)})
		}
	}
	return n
}
