package procedure_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/schema"
)

// memory gives files from a map.
type memory map[string]string

func (m memory) ReadFile(name string) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return []byte(text), nil
}

// folder gives the files of a folder of testdata.
type folder string

func (f folder) ReadFile(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
}

func required(t schema.Type) schema.Field { return schema.Field{Type: t, Required: true} }
func optional(t schema.Type) schema.Field { return schema.Field{Type: t} }

func text() schema.Type    { return schema.Of(schema.String) }
func whole() schema.Type   { return schema.Of(schema.Int) }
func anyType() schema.Type { return schema.Of(schema.Any) }
func open() schema.Type    { return schema.Of(schema.Object) }

func object(fields map[string]schema.Field) schema.Type { return schema.ObjectOf(fields) }

// testSpecs are actions that fixtures use: some that exist, and some that the
// design's sketch names.
func testSpecs() []action.Spec {
	command := schema.ListOf(text())
	fileInput := object(map[string]schema.Field{
		"path": required(text()), "optional": optional(schema.Of(schema.Bool)),
		"format": optional(schema.Type{Kind: schema.String, Enum: []string{"raw", "json", "yaml", "lines", "none"}}),
	})
	fileOutput := object(map[string]schema.Field{
		"exists": required(schema.Of(schema.Bool)), "text": optional(text()), "value": optional(anyType()),
		"size": required(whole()), "sha256": optional(text()),
		"key": {Type: text(), Sensitive: true},
	})
	programOutput := object(map[string]schema.Field{
		"exitCode": required(whole()), "stdout": required(text()), "value": optional(anyType()),
	})
	scaleInput := object(map[string]schema.Field{
		"name": required(text()), "namespace": optional(text()), "replicas": optional(whole()),
	})
	cluster := []string{"kubernetes"}
	release := object(map[string]schema.Field{
		"chart":  required(object(map[string]schema.Field{"version": required(text())})),
		"values": required(open()), "revision": required(whole()),
	})
	server := object(map[string]schema.Field{"name": required(text()), "outdated": required(schema.Of(schema.Bool))})
	return []action.Spec{
		{Name: "file.read", Effect: action.ReadOnly, Input: fileInput, Output: fileOutput},
		{
			Name: "http.get", Effect: action.ReadOnly, Input: object(map[string]schema.Field{"url": required(text())}),
			Output: object(map[string]schema.Field{"status": required(whole()), "body": required(text()), "json": optional(anyType())}),
		},
		{
			Name: "http.check", Effect: action.ReadOnly,
			Input:  object(map[string]schema.Field{"url": required(text()), "expect": optional(open())}),
			Output: object(map[string]schema.Field{"status": required(whole())}),
		},
		{
			Name: "exec.observe", Effect: action.ReadOnly,
			Input:  object(map[string]schema.Field{"command": required(command), "dir": optional(text())}),
			Output: programOutput,
		},
		{
			Name: "exec.command", Effect: action.Mutating, CanUndo: true, UndoField: "undo", ObserveField: "observe",
			WhyNoUndo: "no undo command is given",
			Input: object(map[string]schema.Field{
				"command": required(command), "dir": optional(text()), "observe": optional(open()), "undo": optional(open()),
			}), Output: programOutput,
		},
		{
			Name: "gate.approval", Effect: action.ReadOnly, Gate: action.GateApproval,
			Input:  object(map[string]schema.Field{"reason": required(text())}),
			Output: object(map[string]schema.Field{"by": required(schema.ListOf(text()))}),
		},
		{
			Name: "manual.do", Effect: action.Mutating, Gate: action.GatePerson, CanUndo: true, UndoField: "undo",
			WhyNoUndo: "no instructions for taking the work back are given",
			Input:     object(map[string]schema.Field{"instructions": required(text()), "undo": optional(text())}),
			Output:    object(map[string]schema.Field{"by": required(text())}),
		},
		{
			Name: "login.read", Effect: action.ReadOnly, Input: object(map[string]schema.Field{
				"headers": optional(schema.MapOf(schema.Of(schema.Secret))), "any": optional(anyType()),
			}),
			Output: object(map[string]schema.Field{
				"user": required(text()), "password": {Type: text(), Required: true, Sensitive: true},
			}),
		},
		{Name: "scratch.try", Effect: action.Scratch, Input: object(nil), Output: object(nil)},
		{
			Name: "kube.version", Effect: action.ReadOnly, Targets: cluster, Input: object(nil),
			Output: object(map[string]schema.Field{"version": required(text())}),
		},
		{
			Name: "kube.scale", Effect: action.Mutating, CanUndo: true, CanLease: true, Targets: cluster,
			Input: scaleInput, Output: object(nil),
		},
		{Name: "kube.restart", Effect: action.Mutating, CanUndo: true, Targets: cluster, Input: scaleInput, Output: object(nil)},
		{
			Name: "kube.prune", Effect: action.Mutating, WhyNoUndo: "what is pruned is gone", Targets: cluster,
			Input: scaleInput, Output: object(nil), Selects: true, Resumable: true,
		},
		{
			Name: "kube.wipe", Effect: action.Mutating, WhyNoUndo: "what is wiped is gone", Targets: cluster,
			Input: scaleInput, Output: object(nil),
		},
		{
			Name: "helm.release", Effect: action.ReadOnly, Targets: cluster, Output: release,
			Input: object(map[string]schema.Field{"name": required(text()), "namespace": required(text())}),
		},
		{
			Name: "helm.upgrade", Version: 2, Effect: action.Mutating, CanUndo: true, Targets: cluster, Typical: time.Minute,
			Input: object(map[string]schema.Field{
				"release": required(text()), "namespace": optional(text()), "chart": optional(open()), "version": required(text()),
				"valuesFile": optional(text()),
			}), Output: object(map[string]schema.Field{"revision": required(whole())}),
		},
		{
			Name: "values.migrate", Effect: action.Mutating, CanUndo: true,
			Input:  object(map[string]schema.Field{"rules": required(text()), "values": optional(open())}),
			Output: object(map[string]schema.Field{"file": required(text()), "names": required(schema.ListOf(text()))}),
		},
		{
			Name: "database.backup", Effect: action.Mutating, CanUndo: true, MaxProof: 3, RestoreWith: "database.restore",
			Input: object(map[string]schema.Field{
				"database": required(open()), "label": optional(text()), "level": optional(whole()),
			}), Output: object(map[string]schema.Field{"location": required(text())}),
		},
		{
			Name: "volume.backup", Effect: action.Mutating, CanUndo: true, MaxProof: 2,
			Input: object(nil), Output: object(map[string]schema.Field{"location": required(text())}),
		},
		{
			Name: "jupyterhub.status", Effect: action.ReadOnly, Input: object(map[string]schema.Field{"url": required(text())}),
			Output: object(map[string]schema.Field{
				"version": required(text()), "tokens": required(whole()), "servers": required(schema.ListOf(server)),
			}),
		},
	}
}

func testCatalog() actiontest.Catalog { return actiontest.NewCatalog(testSpecs()...) }

func readFile(tb testing.TB, name string) string {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}
