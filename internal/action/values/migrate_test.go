package values_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/file"
	"github.com/refitproject/refit/internal/action/values"
)

const old = `# Values of our hub.

hub:
  # The user that the hub runs as.
  uid: 1000 # as the volume
  fsGid: 1001

  db: {type: sqlite-pvc}
singleuser:
  cloudMetadata:
    # Open for the science team.
    enabled: true
  image: {name: lab, tag: "3.0"}
rbac:
  enabled: false
ours: # nobody else knows it
  - a
`

const schema = `{
  "type": "object", "additionalProperties": false,
  "properties": {
    "hub": {"type": "object", "additionalProperties": false, "properties": {
      "containerSecurityContext": {"type": "object"}, "fsGroup": {"type": "integer"}, "db": {"type": "object"},
      "token": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}},
    "singleuser": {"type": "object"}, "ours": {}, "rbac": {"type": "object"}}
}`

// schemaOnly is a stand-in for Helm: it judges values by the schema of a chart, with
// the library and in the words that Helm has, and renders no template.
type schemaOnly struct{}

func (schemaOnly) Render(_ context.Context, env action.Env, r values.Rendering) error {
	dir, _ := r.Chart["path"].(string)
	text, err := os.ReadFile(filepath.Join(env.Dir, dir, "values.schema.json"))
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("file:///values.schema.json", doc); err != nil {
		return err
	}
	compiled, err := compiler.Compile("file:///values.schema.json")
	if err != nil {
		return err
	}
	var v any
	if err := yaml.Unmarshal(r.Values, &v); err != nil {
		return err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(data)); err != nil {
		return err
	}
	if err := compiled.Validate(v); err != nil {
		said := strings.Replace(err.Error(), "jsonschema validation failed with 'file:///values.schema.json#'", "", 1)
		return fmt.Errorf("%w: values don't meet the specifications of the schema(s) in the following chart(s):\nhub:%s", values.ErrRefused, said)
	}
	return nil
}

func valuesWorld(t *testing.T) actiontest.World {
	t.Helper()
	w := actiontest.FolderWorld(t)
	put(t, w, "values.yaml", old)
	put(t, w, "charts/hub/values.schema.json", schema)
	put(t, w, "sub/new.yaml", "of an earlier run: true\n")
	return w
}

func put(t *testing.T, w actiontest.World, name, text string) {
	t.Helper()
	path := filepath.Join(w.Env.Dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o640)); err != nil {
		t.Fatal(err)
	}
}

var errCrash = errors.New("the process has ended")

func TestMigrateSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: values.Migrate(file.System{}, schemaOnly{}), Examples: "testdata/migrate/*.yaml", World: valuesWorld,
		Crash: func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
			t.Helper()
			reached := false
			system := file.System{Before: func(string, string) error {
				if point--; point < 0 {
					reached = true
					return errCrash
				}
				return nil
			}}
			if _, err := values.Migrate(system, schemaOnly{}).Run(t.Context(), w.Env, in, before); (err != nil) != reached {
				t.Errorf("Run: %v", err)
			}
			return reached
		},
	})
}

// example returns the input of the example that migrates to version 2.
func example(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/migrate/to-2.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var in map[string]any
	if err := yaml.Unmarshal(data, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestMigrateWritesANewFile(t *testing.T) {
	t.Parallel()
	w := valuesWorld(t)
	out, err := values.Migrate(file.System{}, schemaOnly{}).Run(t.Context(), w.Env, example(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(w.Env.Dir, "values-2.0.0.yaml"); out["file"] != want {
		t.Errorf("file is %v, want %s", out["file"], want)
	}
	const want = `# Values of our hub.

hub:
  fsGroup: 1001

  db: {type: sqlite-pvc}
  containerSecurityContext:
    # The user that the hub runs as.
    runAsUser: 1000 # as the volume
singleuser:
  cloudMetadata:
    # Open for the science team.
    blockWithIptables: false
  image: {name: lab, tag: "3.0"}
rbac:
  create: false
ours: # nobody else knows it
  - a
`
	got, _ := os.ReadFile(out["file"].(string))
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if kept, _ := os.ReadFile(filepath.Join(w.Env.Dir, "values.yaml")); string(kept) != old {
		t.Errorf("the file of the user was changed:\n%s", kept)
	}
	wantDone := []any{
		map[string]any{"rule": "move hub.uid to hub.containerSecurityContext.runAsUser", "line": int64(5), "reason": "It is part of the security context of the container."},
		map[string]any{"rule": "rename hub.fsGid to hub.fsGroup", "line": int64(6), "reason": "It is called as in Kubernetes."},
		map[string]any{"rule": "invert singleuser.cloudMetadata.enabled to singleuser.cloudMetadata.blockWithIptables", "line": int64(12), "reason": "The switch says what is done."},
		map[string]any{"rule": "set rbac.create", "reason": "The switch was split."},
		map[string]any{"rule": "remove rbac.enabled", "line": int64(15), "reason": "The switch was split."},
	}
	if diff := cmp.Diff(wantDone, out["done"]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	text, _ := out["diff"].(string)
	for _, line := range []string{"\n-  uid: 1000 # as the volume\n", "\n+    runAsUser: 1000 # as the volume\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("the difference lacks %q:\n%s", line, text)
		}
	}
	preview, err := values.Migrate(file.System{}, schemaOnly{}).Preview(t.Context(), w.Env, example(t))
	if err != nil || preview.Diff != text || preview.Summary != `migrate values "values.yaml" into "values-2.0.0.yaml", changes: 5` {
		t.Errorf("%v, %+v", err, preview)
	}
}

func rule(pairs ...any) map[string]any {
	out := map[string]any{"reason": "It is so."}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

func TestMigrateErrors(t *testing.T) {
	t.Parallel()
	chart := map[string]any{"path": "charts/hub"}
	cases := map[string]struct {
		text   string
		in     map[string]any
		rules  []any
		reason string
		want   string
	}{
		"Conflict":   {"hub:\n  uid: 1\nsec:\n  user: 2\n", nil, []any{rule("move", "hub.uid", "to", "sec.user")}, "Conflict", "move hub.uid (values.yaml:2:3) to sec.user (values.yaml:4:3): both are there, with other values: keep one of them"},
		"Below":      {"a:\n  x: 1\n  y: 2\nb:\n  y: 3\n", nil, []any{rule("move", "a", "to", "b")}, "Conflict", "move a.y (values.yaml:3:3) to b.y (values.yaml:5:3)"},
		"Invert":     {"a: true\nb: true\n", nil, []any{rule("invert", "a", "to", "b")}, "Conflict", "invert a (values.yaml:1:1) to b (values.yaml:2:1)"},
		"NotBoolean": {"a: maybe\n", nil, []any{rule("invert", "a", "to", "b")}, "NotBoolean", "invert a (values.yaml:1:1): it is neither true nor false"},
		"Set":        {"a: 1\n", nil, []any{rule("set", "a", "value", int64(2))}, "Conflict", "set a (values.yaml:1:1): it is there with another value: keep one of them, or let the rule overwrite it"},
		"Earlier":    {"a: 1\nb: 2\n", nil, []any{rule("rename", "a", "to", "c"), rule("move", "b", "to", "c")}, "Conflict", "to c (values.yaml, made by an earlier rule)"},
		"Alias":      {"x: &x {uid: 1}\nhub: *x\n", nil, []any{rule("remove", "hub.uid")}, "Aliased", `hub.uid in file "values.yaml" comes from an anchor or a merge: write it out where it is used`},
		"Merge":      {"x: &x {uid: 1}\nhub:\n  <<: *x\n", nil, []any{rule("move", "hub.uid", "to", "hub.sec.uid")}, "Aliased", "hub.uid in file"},
		"Anchor":     {"x: &x {uid: 1}\nhub: *x\n", nil, []any{rule("remove", "x")}, "NoPlace", "x (values.yaml:1:1): delete x: no such place: other places use it by an anchor"},
		"OnTheWay":   {"a: 1\nb: text\n", nil, []any{rule("move", "a", "to", "b.c")}, "NoPlace", `a (values.yaml:1:1): move a: no such place: what holds "c" in line 2 is no map`},
		"Twice":      {"a: 1\na: 2\n", nil, nil, "NotYAML", `read file "values.yaml" as YAML: yaml: unmarshal errors:   line 2: mapping key "a" already defined at line 1: mend the file`},
		"List":       {"- a\n", nil, nil, "NotYAML", "it holds no map of values"},
		"Broken":     {"a: [\n", nil, nil, "NotYAML", "mend the file"},
		"Unknown":    {"hub: {uid: 1, db: {}}\nplus: 1\n", map[string]any{"chart": chart}, nil, "ValuesRefused", `the chart 2.0.0 refuses the values that "values.yaml" becomes: hub.uid is not known; plus is not known: mend the values, or the rules of the hop`},
		"Type":       {"hub: {fsGroup: many}\n", map[string]any{"chart": chart}, nil, "ValuesRefused", "hub.fsGroup must be integer, is string"},
		"Secret":     {"hub: {token: hunter2hunter2}\n", map[string]any{"chart": chart}, nil, "ValuesRefused", "hub.token has a value that is not permitted"},
		"NoChart":    {"a: 1\n", map[string]any{"chart": map[string]any{"path": "none"}}, nil, "NotRendered", "render the chart with the values: open "},
		"Exists":     {"a: 1\n", map[string]any{"to": "sub/new.yaml"}, nil, "FileExists", `write file "sub/new.yaml": it is there with another content: take over what was changed in it by hand`},
		"Missing":    {"a: 1\n", map[string]any{"values": "none.yaml"}, nil, "FileNotFound", `read file "none.yaml"`},
		"Same":       {"a: 1\n", map[string]any{"to": "./values.yaml"}, nil, "InvalidInput", "values are never changed in place"},
		"NoName":     {"a: 1\n", map[string]any{"version": ""}, nil, "InvalidInput", `field "to" is missing`},
		"TwoVerbs":   {"a: 1\n", nil, []any{rule("remove", "a", "set", "b")}, "InvalidInput", `field "rules[0]": remove and set are two rules`},
		"NoVerb":     {"a: 1\n", nil, []any{rule()}, "InvalidInput", "give one of rename, move, remove, invert and set"},
		"NoReason":   {"a: 1\n", nil, []any{rule("remove", "a", "reason", "")}, "InvalidInput", "the reason is missing"},
		"NoTo":       {"a: 1\n", nil, []any{rule("move", "a")}, "InvalidInput", "to is missing: where does move lead?"},
		"ToForSet":   {"a: 1\n", nil, []any{rule("set", "a", "to", "b")}, "InvalidInput", "to says nothing with set"},
		"Within":     {"a: 1\n", nil, []any{rule("move", "a", "to", "a.b")}, "InvalidInput", "lies within the other"},
		"Rename":     {"a: 1\n", nil, []any{rule("rename", "a.b", "to", "c.b")}, "InvalidInput", "rename keeps the map"},
		"Stars":      {"a: 1\n", nil, []any{rule("move", "a.*.b", "to", "c.b")}, "InvalidInput", "need * equally often"},
		"Condition":  {"a: 1\n", nil, []any{rule("remove", "a", "if", []any{map[string]any{"path": "a"}})}, "InvalidInput", "if[0]: give one of is, equals and differs"},
		"Member":     {"a: 1\n", nil, []any{rule("remove", "a[0]")}, "InvalidInput", "leads to the member of a list"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := valuesWorld(t)
			put(t, w, "values.yaml", tc.text)
			in := map[string]any{"values": "values.yaml", "version": "2.0.0", "rules": append([]any{}, tc.rules...)}
			maps.Copy(in, tc.in)
			start := actiontest.FolderState(t, w.Env.Dir)
			_, err := values.Migrate(file.System{}, schemaOnly{}).Run(t.Context(), w.Env, in, nil)
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != tc.reason || failure.Effect != action.ExtentNone || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v\nwant %s: %s", err, tc.reason, tc.want)
			}
			if err != nil && (strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("not one line, or with a secret: %q", err)
			}
			if diff := cmp.Diff(start, actiontest.FolderState(t, w.Env.Dir)); diff != "" {
				t.Errorf("something was left (-before +after):\n%s", diff)
			}
		})
	}
	w := valuesWorld(t)
	_, err := values.Migrate(file.System{}, nil).Run(t.Context(), w.Env, example(t), nil)
	if action.ReasonOf(err) != "NotRendered" {
		t.Errorf("without a renderer: %v", err)
	}
}

// TestUndoLeavesWhatWasChanged takes a migration back whose file somebody has edited.
func TestUndoLeavesWhatWasChanged(t *testing.T) {
	t.Parallel()
	w := valuesWorld(t)
	in, a := example(t), values.Migrate(file.System{}, schemaOnly{})
	obs, err := a.Observe(t.Context(), w.Env, in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Run(t.Context(), w.Env, in, obs.Before); err != nil {
		t.Fatal(err)
	}
	put(t, w, "values-2.0.0.yaml", "edited: true\n")
	const want = `take back file "values-2.0.0.yaml": it was changed since this step wrote it: keep what is needed of it elsewhere and remove it`
	if err := a.Undo(t.Context(), w.Env, in, obs.Before); action.ReasonOf(err) != "FileChanged" || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
