package expr_test

import (
	"testing"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

func required(t schema.Type) schema.Field { return schema.Field{Type: t, Required: true} }
func optional(t schema.Type) schema.Field { return schema.Field{Type: t} }

// variables are what a stage of a procedure can refer to.
func variables() map[string]schema.Type {
	str := schema.Of(schema.String)
	chart := schema.ObjectOf(map[string]schema.Field{
		"name": required(str), "version": required(str), "digest": optional(str),
	})
	return map[string]schema.Type{
		"inputs": schema.ObjectOf(map[string]schema.Field{
			"name":      required(str),
			"namespace": required(str),
			"count":     required(schema.Of(schema.Int)),
			"ratio":     required(schema.Of(schema.Number)),
			"enabled":   required(schema.Of(schema.Bool)),
			"timeout":   required(schema.Of(schema.Duration)),
			"mode":      required(schema.Type{Kind: schema.String, Enum: []string{"fast", "safe"}}),
			"hosts":     required(schema.ListOf(str)),
			"weights":   required(schema.ListOf(schema.Of(schema.Number))),
			"labels":    required(schema.MapOf(str)),
			"chart":     required(chart),
			"charts":    required(schema.ListOf(chart)),
			"values":    required(schema.Of(schema.Object)),
			"anything":  required(schema.Of(schema.Any)),
			"password":  required(schema.Of(schema.Secret)),
			"other":     required(schema.Of(schema.Secret)),
			"passwords": required(schema.ListOf(schema.Of(schema.Secret))),
			"note":      optional(str),
			"big":       optional(schema.ListOf(schema.Of(schema.Any))),
		}),
		"observe": schema.ObjectOf(map[string]schema.Field{
			"release": optional(schema.ObjectOf(map[string]schema.Field{
				"chart": optional(chart), "revision": required(schema.Of(schema.Int)),
			})),
		}),
		"steps": schema.ObjectOf(map[string]schema.Field{
			"config":       required(schema.ObjectOf(map[string]schema.Field{"output": required(schema.ObjectOf(map[string]schema.Field{"file": required(str)}))})),
			"stop-servers": required(schema.ObjectOf(map[string]schema.Field{"output": required(schema.ObjectOf(map[string]schema.Field{"count": required(schema.Of(schema.Int))}))})),
		}),
	}
}

func scope() expr.Scope {
	chart := map[string]any{"name": "hub", "version": "3.3.8"}
	return expr.Scope{
		"inputs": map[string]any{
			"name": "jupyterhub", "namespace": "hub", "count": int64(3), "ratio": 0.5, "enabled": true,
			"timeout": "90s", "mode": "safe", "hosts": []any{"b", "a"}, "weights": []any{int64(1), 2.5},
			"labels": map[string]any{"tier": "web", "app": "hub", "zone": "z1"},
			"chart":  chart, "charts": []any{chart, map[string]any{"name": "proxy", "version": "4.0.0"}},
			"values":   map[string]any{"hub": map[string]any{"db": map[string]any{"type": "sqlite-pvc"}}},
			"anything": []any{int64(1), "two", nil}, "password": map[string]any{"env": "PASSWORD"},
			"other":     map[string]any{"file": "/run/other"},
			"passwords": []any{map[string]any{"env": "A"}, map[string]any{"env": "B"}},
		},
		"observe": map[string]any{"release": map[string]any{"chart": chart, "revision": int64(7)}},
		"steps": map[string]any{
			"config":       map[string]any{"output": map[string]any{"file": "/tmp/values.yaml"}},
			"stop-servers": map[string]any{"output": map[string]any{"count": int64(12)}},
		},
	}
}

func newEnv(tb testing.TB) *expr.Env {
	tb.Helper()
	env, err := expr.NewEnv(variables())
	if err != nil {
		tb.Fatalf("NewEnv: %v", err)
	}
	return env
}

// str is a plain YAML string at line 3, column 7.
func str(s string) *yamldoc.Node {
	return &yamldoc.Node{Kind: yamldoc.Scalar, Value: s, Pos: diag.Position{File: "p.yaml", Line: 3, Column: 7}}
}

// doc reads YAML.
func doc(tb testing.TB, text string) *yamldoc.Node {
	tb.Helper()
	n, ds := yamldoc.Parse("p.yaml", []byte(text), yamldoc.Limits{})
	if ds.HasErrors() {
		tb.Fatalf("read %q: %v", text, ds)
	}
	return n
}

func compile(tb testing.TB, env *expr.Env, n *yamldoc.Node, want schema.Type) *expr.Template {
	tb.Helper()
	t, ds := env.CompileTemplate(n, want)
	if len(ds) > 0 {
		tb.Fatalf("CompileTemplate: %v", ds)
	}
	return t
}
