package schema_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/refitproject/refit/internal/schema"
)

type (
	object = map[string]any
	fields = map[string]schema.Field
)

// sample is the type of an input of an action.
func sample() schema.Type {
	of := schema.Of
	return schema.ObjectOf(fields{
		"name":   {Type: of(schema.String), Required: true},
		"mode":   {Type: schema.Type{Kind: schema.String, Enum: []string{"fast", "safe"}}},
		"count":  {Type: of(schema.Int)},
		"ratio":  {Type: of(schema.Number)},
		"dry":    {Type: of(schema.Bool)},
		"wait":   {Type: of(schema.Duration)},
		"list":   {Type: schema.ListOf(of(schema.Int))},
		"labels": {Type: schema.MapOf(of(schema.String))},
		"open":   {Type: of(schema.Object)},
		"any":    {Type: of(schema.Any)},
		"secret": {Type: of(schema.Secret)},
		"pin":    {Type: schema.Type{Kind: schema.String, Enum: []string{"1234"}}, Sensitive: true},
		"sub":    {Type: schema.ObjectOf(fields{"a/b~c": {Type: of(schema.Int), Required: true}})},
		"soon":   {Type: schema.ListOf(of(schema.Duration)), Sensitive: true},
	})
}

// with returns the least good value with one field more.
func with(key string, value any) object { return object{"name": "x", key: value} }

// captured returns a reference to a captured secret.
func captured(key any) object {
	return object{"captured": object{"backup": "b", "store": "file:s", "key": key}}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const reference = "write {env: NAME}, {file: PATH}, {command: [PROGRAM, …]} or {kubernetes: {namespace: NAMESPACE, name: NAME, key: KEY}}"
	const example = "write a number with a unit, such as 90s, 20m, 1h30m or 7d"
	cases := map[string]struct {
		value any
		want  []string
	}{
		"Least": {object{"name": ""}, nil},
		"All": {object{
			"name": "x", "mode": "safe", "count": int64(1), "ratio": 1.5, "dry": true, "wait": "7d", "list": []any{1, int64(2), 3.0},
			"labels": object{"a": "b"}, "open": object{"x": nil}, "any": nil, "pin": "1234", "sub": object{"a/b~c": int64(1)},
			"secret": object{"env": "TOKEN"}, "soon": []any{"1s"},
		}, nil},
		"NotAnObject":    {[]any{}, []string{"must be an object, is a list"}},
		"Null":           {nil, []string{"must be an object, is null"}},
		"Missing":        {object{}, []string{`field "name" is missing`}},
		"Unknown":        {with("nam", 1), []string{`/nam: unknown field "nam": did you mean "name"?`}},
		"UnknownPointer": {with("a/~", 1), []string{`/a~1~0: unknown field "a/~": one of: any, count, dry, labels, list, mode, name, open, pin, ratio, secret, soon, sub, wait`}},
		"String":         {object{"name": int64(1)}, []string{"/name: must be a string, is a whole number"}},
		"NullField":      {object{"name": nil}, []string{"/name: must be a string, is null"}},
		"Enum":           {with("mode", "sage"), []string{`/mode: "sage" is not a permitted value: did you mean "safe"?`}},
		"Int":            {with("count", 1.5), []string{"/count: must be a whole number, is a number"}},
		"IntTooLarge":    {with("count", 1e300), []string{"/count: must be a whole number, is a number"}},
		"IntString":      {with("count", "1"), []string{"/count: must be a whole number, is a string"}},
		"IntNaN":         {with("count", math.NaN()), []string{"/count: must be a whole number, is a number"}},
		"NumberInt":      {with("ratio", int64(2)), nil},
		"NumberInf":      {with("ratio", math.Inf(1)), []string{"/ratio: must be a finite number"}},
		"NumberBool":     {with("ratio", true), []string{"/ratio: must be a number, is true or false"}},
		"Bool":           {with("dry", "yes"), []string{"/dry: must be true or false, is a string"}},
		"Duration":       {with("wait", "soon"), []string{`/wait: "soon" is not a duration; ` + example}},
		"DurationNumber": {with("wait", int64(5)), []string{"/wait: must be a duration, is a whole number: " + example}},
		"List":           {with("list", object{}), []string{"/list: must be a list, is an object"}},
		"Members":        {with("list", []any{"a", 1, nil}), []string{"/list/0: must be a whole number, is a string", "/list/2: must be a whole number, is null"}},
		"Map":            {with("labels", []any{}), []string{"/labels: must be a map, is a list"}},
		"MapMembers":     {with("labels", object{"b/c": 1, "a": true}), []string{"/labels/a: must be a string, is true or false", "/labels/b~1c: must be a string, is a whole number"}},
		"Deep":           {with("sub", object{"a/b~c": "x"}), []string{"/sub/a~1b~0c: must be a whole number, is a string"}},
		"DeepMissing":    {with("sub", object{}), []string{`/sub: field "a/b~c" is missing`}},
		"ForeignType":    {with("any", nil), nil},
		"GoType":         {with("count", uint8(3)), []string{"/count: must be a whole number, is a value of Go type uint8"}},
		"Everything": {object{"mode": 1, "dry": 2, "x": 3}, []string{
			"/dry: must be true or false, is a whole number", "/mode: must be a string, is a whole number",
			`/x: unknown field "x": one of: any, count, dry, labels, list, mode, name, open, pin, ratio, secret, soon, sub, wait`, `field "name" is missing`,
		}},
		"SensitiveEnum":     {with("pin", "hunter2"), []string{"/pin: is not a permitted value: one of: 1234"}},
		"SensitiveDuration": {with("soon", []any{"hunter2"}), []string{"/soon/0: is not a duration: " + example}},
		"SecretFile":        {with("secret", object{"file": "/x"}), nil},
		"SecretCommand":     {with("secret", object{"command": []any{"pass", "show"}}), nil},
		"SecretKubernetes":  {with("secret", object{"kubernetes": object{"name": "n", "key": "k", "namespace": "ns"}}), nil},
		"SecretCaptured":    {with("secret", captured(object{"env": "KEY"})), nil},
		"SecretCapturedNoKey": {with("secret", object{"captured": object{"backup": "b", "store": "file:s"}}), []string{
			`/secret/captured: field "key" is missing`,
		}},
		"SecretCapturedName": {with("secret", object{"captured": object{"name": "hub", "store": "file:s", "key": object{"env": "K"}}}), nil},
		"SecretCapturedWhich": {with("secret", object{"captured": object{"store": "file:s", "key": object{"env": "K"}}}), []string{
			"/secret/captured: needs either backup or name: name the backup, or its series to get the newest of it",
		}},
		"SecretCapturedLiteral": {with("secret", captured("hunter2")), []string{
			"/secret/captured/key: must be a reference to a secret, is a string: " + reference,
		}},
		"SecretCapturedTwice": {with("secret", captured(captured(object{"env": "KEY"}))), []string{
			"/secret/captured/key: the key of a captured secret must not be a captured secret: " +
				"keep the key elsewhere, and write {env: NAME}, {file: PATH} or {command: [PROGRAM, …]}",
		}},
		"SecretValue": {with("secret", "hunter2"), []string{"/secret: must be a reference to a secret, is a string: " + reference}},
		"SecretNone":  {with("secret", object{}), []string{"/secret: is not a reference to a secret: " + reference}},
		"SecretTwo":   {with("secret", object{"env": "A", "file": "B"}), []string{"/secret: has env and file: a secret comes from one place: keep one of them"}},
		"SecretUnknown": {with("secret", object{"evn": "hunter2"}), []string{
			`/secret/evn: unknown field "evn": one of: captured, command, env, file, kubernetes, prefix`, "/secret: is not a reference to a secret: " + reference,
		}},
		"SecretEmpty": {with("secret", object{"env": ""}), []string{"/secret/env: must not be empty: " + reference}},
		"SecretShape": {with("secret", object{"command": "pass"}), []string{"/secret/command: must be a list, is a string"}},
		"SecretKubernetesNamespace": {with("secret", object{"kubernetes": object{"name": "n", "key": "k"}}), []string{
			`/secret/kubernetes: field "namespace" is missing`,
		}},
		"SecretKubernetesKey": {with("secret", object{"kubernetes": object{"name": "n", "keys": "k", "namespace": "ns"}}), []string{
			`/secret/kubernetes/keys: unknown field "keys": did you mean "key"?`, `/secret/kubernetes: field "key" is missing`,
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range schema.Check(sample(), tc.value) {
				got = append(got, p.String())
				if strings.Contains(p.String(), "hunter2") {
					t.Errorf("a secret is printed: %v", p)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Check() (-want +got):\n%s", diff)
			}
		})
	}
	if got := schema.Check(schema.Of("strnig"), "x"); len(got) != 1 || got[0].Message != `has the unknown type "strnig"` {
		t.Errorf("Check() with an unknown kind = %v", got)
	}
	if got := schema.Check(schema.Type{}, object{"x": 1}); got != nil {
		t.Errorf("Check() with the zero Type = %v", got)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	typ := schema.ObjectOf(fields{
		"token": {Type: schema.Of(schema.Any), Sensitive: true},
		"plain": {Type: schema.Of(schema.Any)},
		"users": {Type: schema.MapOf(schema.ListOf(schema.ObjectOf(fields{
			"name": {Type: schema.Of(schema.String)}, "password": {Type: schema.Of(schema.String), Sensitive: true},
		})))},
	})
	keyed := func(s string) string { return "<" + s + ">" }
	cases := map[string]struct {
		value, want any
	}{
		"String": {object{"token": "s3cret", "plain": "p"}, object{"token": `<"s3cret">`, "plain": "p"}},
		"Shape": {
			object{"token": object{"b": []any{1.0, nil, true}, "a": "é<"}},
			object{"token": `<{"a":"é<","b":[1,null,true]}>`},
		},
		"Null":   {object{"token": nil}, object{"token": "<null>"}},
		"Absent": {object{"plain": []any{object{"token": "kept"}}}, object{"plain": []any{object{"token": "kept"}}}},
		"Nested": {
			object{"users": object{"x": []any{object{"name": "n", "password": "p"}}}},
			object{"users": object{"x": []any{object{"name": "n", "password": `<"p">`}}}},
		},
		"UnknownField": {object{"tokn": "s3cret"}, object{"tokn": `<"s3cret">`}},
		"WrongShape":   {[]any{"s3cret"}, `<["s3cret"]>`},
		"WrongShapeBelow": {
			object{"users": object{"x": "s3cret", "y": []any{"s3cret"}}},
			object{"users": object{"x": `<"s3cret">`, "y": []any{`<"s3cret">`}}},
		},
		"NoJSON": {object{"token": math.Inf(1)}, object{"token": "<+Inf>"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, schema.Redact(typ, tc.value, keyed)); diff != "" {
				t.Errorf("Redact() (-want +got):\n%s", diff)
			}
		})
	}
}

// The copy shares nothing with the value, sensitive or not.
func TestRedactCopies(t *testing.T) {
	t.Parallel()
	value := object{"a": []any{object{"b": "c"}}}
	for name, typ := range map[string]schema.Type{
		"Any": schema.Of(schema.Any), "Object": schema.ObjectOf(fields{
			"a": {Type: schema.Of(schema.Any)}, "z": {Type: schema.Of(schema.String), Sensitive: true},
		}),
	} {
		out := schema.Redact(typ, value, strings.ToUpper).(object)
		out["a"].([]any)[0].(object)["b"] = "changed"
		if got := value["a"].([]any)[0].(object)["b"]; got != "c" {
			t.Errorf("%s: the value was changed to %v", name, got)
		}
	}
}

// What Check accepts the JSON Schema accepts, and the other way round; and
// expressions may stand anywhere.
func TestJSONSchema(t *testing.T) {
	t.Parallel()
	reread := func(value any) any {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("t.json", reread(schema.JSONSchema(sample()))); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("t.json")
	if err != nil {
		t.Fatal(err)
	}
	values := []any{
		object{"name": "x"},
		object{},
		[]any{},
		nil, with("nam", 1), with("count", 1), with("count", 1.5), with("count", 2.0),
		with("ratio", 2), with("ratio", "x"), with("mode", "safe"), with("mode", "sav"), with("dry", true), with("dry", "no"),
		with("wait", "7d"), with("wait", "soon"), with("list", []any{1}), with("list", []any{"a"}), with("labels", object{"a": "b"}),
		with("labels", object{"a": 1}), with("open", object{"x": 1}), with("open", 1), with("any", nil), with("sub", object{}),
		with("secret", object{"env": "A"}), with("secret", object{}), with("secret", object{"env": "A", "file": "B"}),
		with("secret", "hunter2"), with("secret", object{"kubernetes": object{"name": "n", "key": "k", "namespace": "ns"}}),
		with("secret", object{"kubernetes": object{"name": "n", "key": "k"}}), with("secret", object{"kubernetes": object{"name": "n"}}),
		with("secret", captured(object{"env": "KEY"})), with("secret", captured("hunter2")),
		with("secret", captured(captured(object{"env": "KEY"}))), with("secret", object{"captured": object{"store": "s"}}),
		with("secret", object{"captured": object{"name": "hub", "store": "file:s", "key": object{"env": "K"}}}),
		with("secret", object{"captured": object{"name": "hub", "backup": "b", "store": "file:s", "key": object{"env": "K"}}}),
		with("secret", object{"captured": object{"store": "file:s", "key": object{"env": "K"}}}), with("secret", object{"captured": 1}),
	}
	for _, value := range values {
		problems := schema.Check(sample(), value)
		if err := compiled.Validate(reread(value)); (err == nil) != (len(problems) == 0) {
			t.Errorf("%v: Check says %v, the schema says %v", value, problems, err)
		}
	}
	for _, value := range []any{
		"${inputs.all}", with("count", "${x}"), with("list", "${x}"), with("list", []any{"${x}"}), with("mode", "a${x}"),
		with("sub", object{"a/b~c": "${x}"}), with("wait", "${x}m"), with("secret", "${inputs.secret}"),
	} {
		if err := compiled.Validate(reread(value)); err != nil {
			t.Errorf("%v: %v", value, err)
		}
	}
}
