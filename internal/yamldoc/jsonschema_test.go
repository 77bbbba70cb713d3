package yamldoc_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/refitproject/refit/internal/yamldoc"
)

// viaJSON turns plain values into what the validator reads.
func viaJSON(t *testing.T, value any) any {
	t.Helper()
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

func compile(t *testing.T, of reflect.Type) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sample.json", viaJSON(t, yamldoc.JSONSchema(of, "Sample"))); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("sample.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// The schema and Decode agree, document by document.
func TestJSONSchemaAgreesWithDecode(t *testing.T) {
	t.Parallel()
	compiled := compile(t, reflect.TypeFor[sampleDocument]())
	cases := map[string]struct {
		data string
		good bool
	}{
		"Good":           {sampleGood, true},
		"Long":           {sampleOf(100), true},
		"Head":           {head, true},
		"MissingKey":     {"kind: Procedure\n", false},
		"UnknownKey":     {head + "step: {}\n", false},
		"NestedUnknown":  {head + "steps: {s: {neds: []}}\n", false},
		"NestedMissing":  {head + "inputs: {a: {type: object, fields: {b: {}}}}\n", false},
		"Enum":           {head + "windows: [{days: [Mon, Tus]}]\n", false},
		"Number":         {head + "steps: {s: {max: 1.5}}\n", false},
		"NumberAsString": {head + "steps: {s: {needs: [1]}}\n", false},
		"Bool":           {head + "inputs: {a: {type: int, optional: yes}}\n", false},
		"Null":           {head + "steps:\n", false},
		"RawNull":        {head + "inputs: {a: {type: int, default: }}\n", true},
		"TextIsList":     {head + "from: []\n", false},
		"TextIsNumber":   {head + "from: 1.10\n", true},
		"TextMembers":    {head + "expects: {a: {}}\n", false},
		"MapIsText":      {head + "steps: {s: {with: x}}\n", false},
		"ListIsText":     {head + "steps: {s: {command: x}}\n", false},
		"Duration":       {head + "steps: {s: {timeout: 7d}}\n", true},
		"DurationParts":  {head + "steps: {s: {timeout: 1d2h3m4.5s6ms}}\n", true},
		"DurationUnit":   {head + "steps: {s: {timeout: 7y}}\n", false},
		"DurationNumber": {head + "steps: {s: {timeout: 7}}\n", false},
		"DurationMinus":  {head + "steps: {s: {timeout: -7m}}\n", false},
		"DurationEmpty":  {head + "steps: {s: {timeout: \"\"}}\n", false},
		"ListOfLists":    {head + "steps: {s: {matrix: [a]}}\n", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, ds := parse(tc.data)
			if len(ds) > 0 {
				t.Fatal(ds)
			}
			var doc sampleDocument
			yamldoc.Decode(root, &doc, &ds)
			if got := !ds.HasErrors(); got != tc.good {
				t.Errorf("Decode accepts: %v, want %v:\n%v", got, tc.good, ds)
			}
			if err := compiled.Validate(viaJSON(t, root.Plain())); (err == nil) != tc.good {
				t.Errorf("the schema accepts: %v, want %v: %v", err == nil, tc.good, err)
			}
		})
	}
}

type recursiveRoot struct {
	Name     string                          `yaml:"name,required" doc:"Name."`
	Children yamldoc.Ordered[*recursiveRoot] `yaml:"children"`
	Retry    *sampleRetry                    `yaml:"retry" doc:"Retries."`
	Again    []sampleRetry                   `yaml:"again"`
}

func TestJSONSchemaForm(t *testing.T) {
	t.Parallel()
	got := yamldoc.JSONSchema(reflect.TypeFor[recursiveRoot](), "Tree")
	retry := map[string]any{"$ref": "#/$defs/sampleRetry"}
	duration := got["$defs"].(map[string]any)["sampleRetry"].(map[string]any)["properties"].(map[string]any)["backoff"]
	want := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Tree", "type": "object",
		"additionalProperties": false, "required": []any{"name"},
		"properties": map[string]any{
			"name":     map[string]any{"type": "string", "description": "Name."},
			"children": map[string]any{"type": "object", "additionalProperties": map[string]any{"$ref": "#"}},
			"retry":    map[string]any{"$ref": "#/$defs/sampleRetry", "description": "Retries."},
			"again":    map[string]any{"type": "array", "items": retry},
		},
		"$defs": map[string]any{"sampleRetry": map[string]any{
			"type": "object", "additionalProperties": false, "required": []any{"attempts"},
			"properties": map[string]any{
				"attempts": map[string]any{"type": "integer", "description": "How many attempts."},
				"backoff":  duration,
			},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
	tree := compile(t, reflect.TypeFor[recursiveRoot]())
	if err := tree.Validate(viaJSON(t, map[string]any{
		"name": "a", "children": map[string]any{"b": map[string]any{"name": 3}},
	})); err == nil || !strings.Contains(err.Error(), "/children/b/name") {
		t.Errorf("a mistake below a recursive type: %v", err)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	want := []yamldoc.Row{
		{Key: "kind", Type: "string", Required: true, Doc: "Kind of document.", Enum: []string{"Procedure", "SubProcedure"}},
		{Key: "metadata", Type: "sampleMetadata", Required: true, Doc: "Name and summary."},
		{Key: "from", Type: "text or expression", Doc: "Expression that gives the version."},
		{Key: "inputs", Type: "mapping of names to sampleInput", Doc: "Values, by name."},
		{Key: "steps", Type: "mapping of names to sampleStep", Doc: "Steps, by id."},
		{Key: "expects", Type: "mapping of names to texts or expressions", Doc: "Facts, by path."},
		{Key: "windows", Type: "list of sampleWindow", Doc: "Windows."},
	}
	if diff := cmp.Diff(want, yamldoc.Table(reflect.TypeFor[sampleDocument]())); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	types := map[string]string{}
	for _, row := range yamldoc.Table(reflect.TypeFor[sampleStep]()) {
		types[row.Key] = row.Type
	}
	wantTypes := map[string]string{
		"action": "string", "with": "mapping", "command": "list", "needs": "list of strings",
		"targets": "mapping of names to strings", "weights": "mapping of names to numbers", "max": "whole number",
		"small": "whole number", "status": "list of whole numbers", "timeout": "duration", "retry": "sampleRetry",
		"matrix": "list of lists of strings",
	}
	if diff := cmp.Diff(wantTypes, types); diff != "" {
		t.Errorf("step (-want +got):\n%s", diff)
	}
	if rows := yamldoc.Table(reflect.TypeFor[int]()); rows != nil {
		t.Errorf("Table(int) = %v, want nil", rows)
	}
}

func TestStructs(t *testing.T) {
	t.Parallel()
	var got []string
	for _, s := range yamldoc.Structs(reflect.TypeFor[sampleDocument]()) {
		got = append(got, s.Name())
	}
	want := []string{"sampleDocument", "sampleMetadata", "sampleInput", "sampleStep", "sampleRetry", "sampleWindow"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Structs() (-want +got):\n%s", diff)
	}
}
