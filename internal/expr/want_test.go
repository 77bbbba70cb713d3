package expr_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
)

// wanted is the input of an action.
func wanted() schema.Type {
	str := schema.Of(schema.String)
	return schema.ObjectOf(map[string]schema.Field{
		"release": {Type: str, Required: true, Doc: "Name of the release."},
		"count":   optional(schema.Of(schema.Int)),
		"ratio":   optional(schema.Of(schema.Number)),
		"wait":    optional(schema.Of(schema.Bool)),
		"timeout": optional(schema.Of(schema.Duration)),
		"mode":    optional(schema.Type{Kind: schema.String, Enum: []string{"fast", "safe"}}),
		"level":   optional(schema.Type{Kind: schema.String, Enum: []string{"low", "high"}}),
		"hosts":   optional(schema.ListOf(str)),
		"labels":  optional(schema.MapOf(str)),
		"values":  optional(schema.Of(schema.Object)),
		"any":     optional(schema.Of(schema.Any)),
		"secret":  optional(schema.Of(schema.Secret)),
		"chart": optional(schema.ObjectOf(map[string]schema.Field{
			"name": required(str), "version": required(str), "digest": optional(str),
		})),
		"pinned": optional(schema.ObjectOf(map[string]schema.Field{"digest": required(str)})),
	})
}

func TestWanted(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		yaml   string // beside the release
		want   string // diagnostics, without the file
	}{
		"Literals": {
			"Values of the right types fit.",
			"count: 3\nratio: 2\nwait: true\ntimeout: 7d\nmode: fast\nhosts: [a]\nlabels: {a: b}\nvalues: {a: [1]}\nany: [null]", "",
		},
		"Expressions": {
			"So do expressions of the right types.",
			"count: ${inputs.count}\nratio: ${inputs.count}\nwait: ${inputs.count > 1}\ntimeout: ${inputs.timeout}\n" +
				"mode: ${inputs.mode}\nhosts: ${inputs.hosts}\nlabels: ${inputs.labels}\nvalues: ${inputs.chart}\n" +
				"any: ${inputs.chart}\nsecret: ${inputs.password}\nchart: ${inputs.chart}", "",
		},
		"Unknown": {
			"Values whose type is not known are looked at later.",
			"count: ${inputs.anything}\ntimeout: ${inputs.name}\nmode: ${inputs.name}\nhosts: ${inputs.anything}\n" +
				"chart: ${inputs.values}\nsecret: ${inputs.values}\nlabels: ${inputs.values}\npinned: {digest: x}", "",
		},
		"ObjectForMap":      {"An object whose fields fit is a map.", "labels: ${observe.release.chart}", ""},
		"SecretWithPrefix":  {"A text may come before the secret.", "secret: {env: PASSWORD, prefix: 'Bearer '}", ""},
		"SecretLiteral":     {"A secret is written as a reference.", "secret: {env: PASSWORD}", ""},
		"WholeFloat":        {"A float without fraction is an int.", "count: 3.0", ""},
		"StringForInt":      {"Types differ.", "count: three", "2:8: error: count is a string, needs an int"},
		"StringForList":     {"Types differ.", "hosts: a", "2:8: error: hosts is a string, needs a list of strings"},
		"ListForString":     {"Types differ.", "mode: [a]", "2:7: error: mode is a list, needs one of fast, safe"},
		"ObjectForBool":     {"Types differ.", "wait: {a: b}", "2:7: error: wait is an object, needs a bool"},
		"FloatForInt":       {"Types differ.", "count: 2.5", "2:8: error: count is a number, needs an int"},
		"NumberForText":     {"YAML reads 1.2 as a number.", "hosts: [1.2]", "2:9: error: hosts[\"0\"] is a number, needs a string: put it in quotes"},
		"NumberForDuration": {"A duration has a unit.", "timeout: 90", "2:10: error: timeout is an int, needs a duration: write it with a unit, such as 90s, 20m, 1h30m or 7d"},
		"Null":              {"null is a value only where anything is.", "wait:", "2:6: error: wait is null, needs a bool"},
		"BadDuration":       {"A duration has a unit.", "timeout: 90x", `2:10: error: "90x" is not a duration; write a number with a unit, such as 90s, 20m, 1h30m or 7d`},
		"BadEnum":           {"Only some values are permitted.", "mode: sage", `2:7: error: mode cannot be "sage": did you mean "safe"?`},
		"UnknownField":      {"Objects have only their fields.", "hots: [a]", `2:1: error: unknown field "hots": did you mean "hosts"?`},
		"UnknownNested":     {"Also within.", "chart: {name: a, version: '1', diges: x}", `2:32: error: chart has no field "diges": did you mean "digest"?`},
		"MissingNested":     {"Required fields are given.", "chart: {name: a}", "2:8: error: chart.version is missing"},
		"TwoMembers": {
			"All mistakes are found.", "labels: {a: 1, b: [c]}",
			"2:13: error: labels.a is an int, needs a string: put it in quotes\n2:19: error: labels.b is a list, needs a string",
		},
		"SecretOfTwo":    {"A secret comes from one place.", "secret: {env: A, file: b}", "2:9: error: secret is an object, needs a secret: write exactly one of: captured, command, env, file, kubernetes"},
		"SecretInClear":  {"A secret is never written out.", "secret: hunter2", "2:9: error: secret is a string, needs a secret: " + schema.SecretExample},
		"SecretAsList":   {"A secret is written as a reference.", "secret: [a]", "2:9: error: secret is a list, needs a secret: " + schema.SecretExample},
		"SecretPrefix":   {"A prefix stands beside one form.", "secret: {prefix: 'Bearer '}", "2:9: error: secret is an object, needs a secret: write exactly one of: captured, command, env, file, kubernetes"},
		"SecretCaptured": {"A captured secret says where, and by which key.", "secret: {captured: {backup: b, store: 'file:s', key: {env: KEY}}}", ""},
		"SecretKey":      {"The key of a captured secret is a secret.", "secret: {captured: {backup: b, store: 'file:s', key: hunter2}}", "2:54: error: secret.captured.key is a string, needs a secret: " + schema.SecretExample},
		"SecretForm":     {"The forms have types.", "secret: {env: 1}", "2:15: error: secret.env is an int, needs a string: put it in quotes"},
		"SecretInText": {
			"What stands around a secret is not quoted: it may be one.", `secret: "hunter2 ${inputs.password}"`,
			`2:9: error: secret is a string of several parts, needs a secret: pass the secret on whole; ` +
				`a text before it, such as "Bearer ", is the prefix of its reference: {env: NAME, prefix: "Bearer "}`,
		},
		"StringForSecret": {
			"A value is no reference.", "secret: ${inputs.name}",
			"2:9: error: ${inputs.name} is a string, needs a secret: use an input of type secret, or " + schema.SecretExample,
		},
		"ExpressionForInt": {
			"Expressions have types.", "count: ${inputs.name}",
			"2:8: error: ${inputs.name} is a string, needs an int",
		},
		"ExpressionForString": {
			"Numbers are not strings.", "hosts: [\"${inputs.count}\"]",
			"2:10: error: ${inputs.count} is an int, needs a string: write string(…) around the expression",
		},
		"NumberForInt": {
			"A number may have a fraction.", "count: ${inputs.ratio}",
			"2:8: error: ${inputs.ratio} is a number, needs an int",
		},
		"ListOfInts": {
			"Members have types too.", "hosts: ${[1, 2]}",
			"2:8: error: ${[1, 2]} is a list of ints, needs a list of strings",
		},
		"MapOfInts": {
			"Members have types too.", "labels: \"${{'a': 1}}\"",
			"2:10: error: ${{'a': 1}} is a map of ints, needs a map of strings",
		},
		"OtherEnum": {
			"No permitted value is among those of the input.", "level: ${inputs.mode}",
			"2:8: error: ${inputs.mode} is one of fast, safe, needs one of low, high",
		},
		"OtherObject": {
			"Objects are compared by their fields.", "pinned: ${steps.config.output}",
			"2:9: error: ${steps.config.output} is an object with other fields than are needed: it has: file; needed: digest",
		},
		"SecretForString": {
			"A secret is not a string.", "mode: ${inputs.password}",
			"2:7: error: ${inputs.password} is a secret, needs one of fast, safe",
		},
		"SecretForObject": {
			"A secret is not an object.", "values: ${inputs.password}",
			"2:9: error: ${inputs.password} is a secret, needs an object",
		},
		"JoinedForInt": {
			"Several parts are a string.", "count: \"${inputs.count}0\"",
			"2:8: error: count is a string, needs an int: a string that is exactly one ${…} keeps the type of the expression",
		},
		"JoinedForEnum": {"Several parts may be a permitted value.", "mode: \"${inputs.mode}\"\ntimeout: ${inputs.count}s", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := newEnv(t).CompileTemplate(doc(t, "release: x\n"+tc.yaml), wanted())
			if diff := cmp.Diff(tc.want, strings.ReplaceAll(ds.Error(), "p.yaml:", "")); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestWantedAtTheRoot(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		yaml string
		want schema.Type
		text string
	}{
		"Missing":  {"wait: true", wanted(), "1:1: error: release is missing: add it: Name of the release."},
		"List":     {"[1]", wanted(), "1:1: error: the value is a list, needs an object"},
		"String":   {"text", schema.Of(schema.List), "1:1: error: the value is a string, needs a list"},
		"Secret":   {"{a: b}", schema.Of(schema.Secret), "1:1: error: the value is an object, needs a secret: write exactly one of: captured, command, env, file, kubernetes"},
		"Anything": {"{a: [~, 1]}", schema.Of(schema.Any), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := newEnv(t).CompileTemplate(doc(t, tc.yaml), tc.want)
			if diff := cmp.Diff(tc.text, strings.ReplaceAll(ds.Error(), "p.yaml:", "")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	template, ds := newEnv(t).CompileTemplate(nil, schema.Of(schema.Any))
	if ds != nil {
		t.Fatal(ds)
	}
	if got, err := template.Eval(nil); got != nil || err != nil || template.Source() != nil {
		t.Errorf("no node: got %v, %v", got, err)
	}
}

// TestWantedAtEval looks at values whose types were not known before.
func TestWantedAtEval(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		text   string
		want   schema.Type
		err    string // "" when it fits
	}{
		"Kind": {
			"The kind of a value of type any is compared.", "${inputs.anything}", schema.Of(schema.String),
			"${inputs.anything}: must be a string, is a list",
		},
		"Member": {
			"So are its members.", "${inputs.anything}", schema.ListOf(schema.Of(schema.Int)),
			"${inputs.anything}: /1: must be a whole number, is a string",
		},
		"Fields": {
			"So are its fields.", "${inputs.values}",
			schema.ObjectOf(map[string]schema.Field{"hubs": optional(schema.Of(schema.Any))}),
			`${inputs.values}: /hub: unknown field "hub": did you mean "hubs"?`,
		},
		"Enum": {
			"A string is compared with the permitted ones.", "${inputs.name}",
			schema.Type{Kind: schema.String, Enum: []string{"a"}},
			`${inputs.name}: "jupyterhub" is not a permitted value: one of: a`,
		},
		"JoinedEnum": {
			"Also when it is joined.", "${inputs.mode}ty", schema.Type{Kind: schema.String, Enum: []string{"safety"}}, "",
		},
		"JoinedDuration": {
			"A duration can be joined.", "${inputs.count}x", schema.Of(schema.Duration),
			`${inputs.count}: "3x" is not a duration; write a number with a unit, such as 90s, 20m, 1h30m or 7d`,
		},
		"Duration":       {"A duration can be computed.", "${duration('90s') + duration('1m')}", schema.Of(schema.Duration), ""},
		"OptionalField":  {"A field that may be missing is looked for.", "${observe.release.chart}", schema.ObjectOf(map[string]schema.Field{"name": required(schema.Of(schema.String)), "version": required(schema.Of(schema.String)), "digest": required(schema.Of(schema.String))}), `${observe.release.chart}: field "digest" is missing`},
		"SecretOfObject": {"A secret can come from an open object.", "${{'env': 'A'}}", schema.Of(schema.Secret), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := compile(t, newEnv(t), str(tc.text), tc.want).Eval(scope())
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "p.yaml:3:7: ")
			}
			if diff := cmp.Diff(tc.err, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestType(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"${inputs.timeout}":                "duration",
		"${inputs.mode}":                   "one of fast, safe",
		"${inputs.password}":               "secret",
		"${inputs.labels.app}":             "string",
		"${inputs.labels}":                 "map(string)",
		"${inputs.values}":                 "object",
		"${inputs.values.a.b}":             "any",
		"${inputs.charts.map(c, c.name)}":  "list(string)",
		"${inputs.charts[0]}":              "object",
		"${inputs.count * 2}":              "int",
		"${inputs.ratio + 1.0}":            "number",
		"${inputs.count > 1}":              "bool",
		"${duration('1s')}":                "duration",
		"${dyn(1)}":                        "any",
		"${null}":                          "any",
		"${[]}":                            "list(any)",
		"a ${inputs.count}":                "string",
		"${timestamp(0)}":                  "string",
		"${b'a'}":                          "string",
		"${inputs.charts[0]['version']}":   "string",
		"${inputs.enabled ? 1 : 2}":        "int",
		"${inputs.passwords[0]}":           "secret",
		"${{'a': inputs.chart}['a'].name}": "string",
	}
	env := newEnv(t)
	for text, want := range cases {
		if got := compile(t, env, str(text), schema.Of(schema.Any)).Type().String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// FuzzCompile compiles whatever somebody may write: it must end, must not
// panic, and must say what is wrong in one line.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"", "text", "${inputs.name}", "$${x}", "${", "${}", "${'}'}", "${r'\\'}", "${1/0}", "${inputs.charts.map(c, c.name)}",
		"${lists.range(1000).map(a, lists.range(1000).map(b, a*b))}", "${[[1]].map(a,[a,a]).map(a,a+a)}",
		"${inputs.labels.map(k, k)}", "${has(inputs.note) ? 1 : dyn('a')}", "${steps['x']}", "${((((((1))))))}",
		"${'%s'.format([1])}", "${'a'.matches('(a*)*b')}", "${{1: 2}}", "${type(1)}", "${.inputs}", "${inputs.\n name}",
		"${\"\"\"}\"\"\"}", "${b'\\xff'}", "${1.0/0.0}", "${duration('x')}", "${inputs.?name}", "${a.b.c.d()}", "${google.protobuf.Any{}}",
		"${maths.x.y(1)}", "${inputs.note.a.b()}", "${ü}", "${'\xff'}",
	} {
		f.Add(seed)
	}
	env := newEnv(f)
	values := scope()
	f.Fuzz(func(t *testing.T, text string) {
		template, ds := env.CompileTemplate(str(text), schema.Of(schema.Any))
		if template == nil != ds.HasErrors() {
			t.Fatalf("template %v with %v", template, ds)
		}
		for _, d := range ds {
			if strings.ContainsAny(d.String(), "\n\r") || d.Summary == "" || d.Column < 7 || d.Column > 7+len(text) {
				t.Fatalf("diagnostic %q at column %d of %q", d, d.Column, text)
			}
		}
		if template == nil {
			return
		}
		if _, err := template.Eval(values); err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Fatalf("error of several lines: %q", err)
		}
	})
}

// FuzzEval evaluates expressions over whatever values there may be.
func FuzzEval(f *testing.F) {
	f.Add("${any.a[0].b + 'x'}", "a", "b", int64(1), 2.5, true)
	f.Add("${any[text]}", "1", "", int64(-1), 0.0, false)
	f.Add("${int / int + 1}", "", "x", int64(0), 1.0, false)
	f.Add("${text.replace(other, text).split(other).map(s, s + text).join(other)}", "ab", "", int64(3), 1.0, true)
	f.Add("${lists.range(int).map(i, any).flatten().distinct()}", "a", "b", int64(50), 1.0, true)
	f.Add("${text.substring(int)}${any.number * number}${duration(text)}", "1s", "b", int64(9), 1e308, true)
	f.Add("${'%.3f %s %d'.format([number, any, int])}", "a", "b", int64(1), 2.5, true)
	env, err := expr.NewEnv(map[string]schema.Type{
		"any": schema.Of(schema.Any), "text": schema.Of(schema.String), "other": schema.Of(schema.String),
		"int": schema.Of(schema.Int), "number": schema.Of(schema.Number), "flag": schema.Of(schema.Bool),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, source, text, other string, whole int64, number float64, flag bool) {
		template, _ := env.CompileTemplate(str(source), schema.Of(schema.Any))
		if template == nil {
			return
		}
		got, err := template.Eval(expr.Scope{
			"text": text, "other": other, "int": whole, "number": number, "flag": flag,
			"any": map[string]any{"a": []any{map[string]any{"b": text}, whole}, "number": number, text: other, "n": nil},
		})
		if err != nil {
			return
		}
		// What is selected from a value of type any may have any type.
		if problems := schema.Check(template.Type(), got); len(problems) > 0 && !strings.Contains(source, "any") {
			t.Fatalf("%s: %v does not have the type %s: %v", source, got, template.Type(), problems)
		}
	})
}
