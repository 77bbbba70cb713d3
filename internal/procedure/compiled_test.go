package procedure_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
)

func load(tb testing.TB, files procedure.Files) *procedure.Procedure {
	tb.Helper()
	proc, ds := procedure.Load(files, "procedure.yaml", testCatalog())
	if proc == nil {
		tb.Fatalf("load:\n%s", ds.Error())
	}
	return proc
}

func TestCompiledStage(t *testing.T) {
	t.Parallel()
	proc := load(t, folder("testdata/jupyterhub"))
	stage := proc.Stages[0]
	if stage.As != "item" || stage.ForEach == nil || len(stage.Steps) != 7 || len(stage.Abort) != 1 {
		t.Fatalf("stage is not as written: %+v", stage)
	}
	scope := expr.Scope{
		"inputs": map[string]any{"release": "hub", "namespace": "jhub", "chart": map[string]any{"repo": "r"}},
		"item":   map[string]any{"to": "2.0.0", "from": "1.2.0"},
	}
	upgrade := stage.Steps[4]
	value, deferred, err := upgrade.With.EvalDeferred(scope, "steps")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"release": "hub", "namespace": "jhub", "chart": map[string]any{"repo": "r"}, "version": "2.0.0",
		"valuesFile": "${steps.config.output.file}",
	}
	if diff := cmp.Diff(want, value); diff != "" {
		t.Errorf("with (-want +got):\n%s", diff)
	}
	if len(deferred) != 1 || deferred[0].Path != "/valuesFile" {
		t.Errorf("deferred places are %v", deferred)
	}
	if upgrade.Target != "cluster" || upgrade.Spec.ID() != "helm.upgrade@2" {
		t.Errorf("step acts on %q with %s", upgrade.Target, upgrade.Spec.ID())
	}
	if proc.Facts[0].With == nil || proc.Facts[1].Target != "cluster" {
		t.Error("facts have no input or no target")
	}
}

func TestCompiledUse(t *testing.T) {
	t.Parallel()
	proc := load(t, folder("testdata/sub"))
	save := proc.Stages[0].Steps[1]
	if diff := cmp.Diff(map[string]string{"cluster": "old"}, save.Targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"data": "users"}, save.Components); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	if save.Sub == nil || save.Sub.File != "steps/save.yaml" || save.Sub.Outputs[0].Value.Type().Kind != schema.String {
		t.Errorf("sub-procedure is %+v", save.Sub)
	}
	if save.Sub != proc.Stages[0].Steps[2].Sub {
		t.Error("a file that is used twice is compiled twice")
	}
}

func TestInputsType(t *testing.T) {
	t.Parallel()
	proc := load(t, memory{"procedure.yaml": strings.Replace(mainFile("    "+lookStep), "stages:", `inputs:
  a: {type: string, enum: [x, y]}
  b: {type: list, items: int, default: [1]}
  c: {type: map, optional: true}
  d: {type: object}
  e: {type: object, fields: {f: {type: int}, g: {type: secret, optional: true}}}
stages:`, 1)})
	intType, anyElem := schema.Of(schema.Int), schema.Of(schema.Any)
	want := schema.ObjectOf(map[string]schema.Field{
		"a": {Type: schema.Type{Kind: schema.String, Enum: []string{"x", "y"}}, Required: true},
		"b": {Type: schema.Type{Kind: schema.List, Elem: &intType}},
		"c": {Type: schema.Type{Kind: schema.Map, Elem: &anyElem}},
		"d": {Type: schema.Of(schema.Object), Required: true},
		"e": {Required: true, Type: schema.ObjectOf(map[string]schema.Field{
			"f": {Type: intType, Required: true},
			"g": {Type: schema.Of(schema.Secret), Sensitive: true},
		})},
	})
	if diff := cmp.Diff(want, proc.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	files := memory{"procedure.yaml": mainFile("      a: {use: sub.yaml}\n"), "sub.yaml": subFile(lookStep)}
	first := load(t, files)
	if len(first.Files) != 2 || first.Files[1].Name != "sub.yaml" || len(first.Files[0].SHA256) != 64 {
		t.Fatalf("files are %v", first.Files)
	}
	changed := maps.Clone(files)
	changed["sub.yaml"] += "# a comment\n"
	unused := maps.Clone(files)
	unused["other.yaml"] = "nobody reads this"
	if again := load(t, files); again.Digest != first.Digest {
		t.Error("the same files have two digests")
	}
	if load(t, unused).Digest != first.Digest {
		t.Error("a file that is not used changes the digest")
	}
	if load(t, changed).Digest == first.Digest {
		t.Error("a change in a sub-procedure does not change the digest")
	}
}

func TestProbeTiming(t *testing.T) {
	t.Parallel()
	proc := load(t, folder("testdata/jupyterhub"))
	every, timeout, key := proc.Probes[0].Source.Timing()
	if every.String() != "250ms" || timeout.String() != "5s" || key != "url" {
		t.Errorf("timing is %s, %s, %q", every, timeout, key)
	}
}
