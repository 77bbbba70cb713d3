package expr_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
)

// TestEqualTextsInDifferentEnvs checks that a text which was compiled before
// means what the variables mean where it stands now.
func TestEqualTextsInDifferentEnvs(t *testing.T) {
	t.Parallel()
	base, err := expr.NewEnv(map[string]schema.Type{"a": schema.Of(schema.Int), "list": schema.ListOf(schema.Of(schema.Int))})
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, kind schema.Kind) *expr.Env {
		env, err := base.With(map[string]schema.Type{name: schema.Of(kind)})
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	for _, tc := range []struct {
		reason, text string
		env          *expr.Env
		want         schema.Kind
		errors       bool
	}{
		{"The first time it is compiled.", "${a + a}", base, schema.Int, false},
		{"With another type it is another expression.", "${a + a}", with("a", schema.String), schema.String, false},
		{"A variable that has nothing to do with it changes nothing.", "${a + a}", with("b", schema.String), schema.Int, false},
		{"A variable that is not declared here is not known from elsewhere.", "${b}", with("b", schema.String), schema.String, false},
		{"So it stays unknown.", "${b}", base, "", true},
		{"A type has a name too.", "${type(a) == int}", base, schema.Bool, false},
		{"A variable may take that name.", "${type(a) == int}", with("int", schema.String), "", true},
	} {
		template, ds := tc.env.CompileTemplate(str(tc.text), schema.Of(schema.Any))
		if ds.HasErrors() != tc.errors {
			t.Errorf("%s %s: %v", tc.reason, tc.text, ds)
		} else if !tc.errors && template.Type().Kind != tc.want {
			t.Errorf("%s %s is %s, want %s", tc.reason, tc.text, template.Type().Kind, tc.want)
		}
	}
}

// TestEqualTextsKeepTheirPlaces checks that an error names the place of the
// text that failed.
func TestEqualTextsKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for _, line := range []int{3, 9} {
		node := str("${inputs.charts[7].name}")
		node.Pos = diag.Position{File: "f.yaml", Line: line, Column: 5}
		template := compile(t, env, node, schema.Of(schema.Any))
		_, err := template.Eval(expr.Scope{"inputs": map[string]any{"charts": []any{}}})
		if pos, ok := expr.PositionOf(err); !ok || pos.Line != line {
			t.Errorf("the error is at %v, want line %d: %v", pos, line, err)
		}
	}
}

// TestChains checks that plain selections give the same whether they are read
// quickly or by the parser of CEL, which the brackets force.
func TestChains(t *testing.T) {
	t.Parallel()
	for _, chain := range []string{
		"inputs", "inputs.name", " inputs.name ", "observe.release.chart.version", "inputs.nothing", "nothing.name",
		"inputs.name.more", "inputs.if", "inputs.in", "inputs..name", ".inputs.name", "observe.release.nothing.more",
	} {
		quick, quickProblems := newEnv(t).CompileTemplate(str("${ "+chain+"}"), schema.Of(schema.Any))
		slow, slowProblems := newEnv(t).CompileTemplate(str("${("+chain+")}"), schema.Of(schema.Any))
		if diff := cmp.Diff(strings.ReplaceAll(slowProblems.Error(), "("+chain+")", chain), quickProblems.Error()); diff != "" {
			t.Errorf("%q: problems -parser +quick:\n%s", chain, diff)
		}
		if quick == nil || slow == nil {
			continue
		}
		if diff := cmp.Diff(slow.References(), quick.References()); diff != "" {
			t.Errorf("%q: references -parser +quick:\n%s", chain, diff)
		}
	}
}
