package versions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
)

// hubEnvironment declares the facts that the graph of JupyterHub asks for.
func hubEnvironment(tb testing.TB) *expr.Env {
	tb.Helper()
	hub := schema.ObjectOf(map[string]schema.Field{"tokens": {Type: schema.Of(schema.Int)}})
	observe := schema.ObjectOf(map[string]schema.Field{"hub": {Type: hub, Required: true}})
	env, err := expr.NewEnv(map[string]schema.Type{"observe": observe})
	if err != nil {
		tb.Fatal(err)
	}
	return env
}

// riskOf loads a graph whose only hop has one risk with the given rules.
func riskOf(tb testing.TB, rules string) (*Graph, *Risk) {
	tb.Helper()
	g := load(tb, head+`- from: "1.5.0"
  to: "2.0.0"
  kind: upgrade
  properties: {rules: a.yaml}
  risks: [{name: loss, summary: s, rules: [`+rules+"]}]\n")
	paths, err := g.Paths("1.5.0", "2.0.0", 1)
	if err != nil {
		tb.Fatal(err)
	}
	return g, paths[0].Hops[0].Risks[0]
}

func TestRiskEvaluate(t *testing.T) {
	t.Parallel()
	tokens := func(n any) expr.Scope {
		return expr.Scope{"observe": map[string]any{"hub": map[string]any{"tokens": n}}}
	}
	const ordered = `{when: "${observe.hub.tokens == 0}", outcome: clear}, {when: "true", outcome: applies}`
	cases := map[string]struct {
		reason string
		rules  string
		scope  expr.Scope
		want   RiskOutcome
		why    string // the beginning of the reason
	}{
		"First":    {"", ordered, tokens(int64(0)), RiskClear, "rule 1 holds: ${observe.hub.tokens == 0}"},
		"Last":     {"", ordered, tokens(int64(3)), RiskApplies, "rule 2 holds: true"},
		"NotThere": {"An error ends the evaluation: a later rule must not clear what could not be asked.", ordered, expr.Scope{"observe": map[string]any{"hub": map[string]any{}}}, RiskUnknown, "rule 1 cannot be evaluated: "},
		"NoScope":  {"", ordered, nil, RiskUnknown, "rule 1 cannot be evaluated: "},
		"NoMatch":  {"", `{when: "${observe.hub.tokens == 0}", outcome: clear}`, tokens(int64(3)), RiskUnknown, "no rule holds"},
		"NoRules":  {"", ``, tokens(int64(0)), RiskApplies, "the risk has no rules"},
		"Bool":     {"", `{when: false, outcome: applies}, {when: true, outcome: clear}`, nil, RiskClear, "rule 2 holds: true"},
		"Hop":      {"", `{when: "${hop.to == '2.0.0' && hop.rules == 'a.yaml' && hop.kind == 'upgrade'}", outcome: clear}`, nil, RiskClear, "rule 1 holds: "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, risk := riskOf(t, tc.rules)
			if ds := g.Check(hubEnvironment(t), func(string) bool { return true }); len(ds) > 0 {
				t.Fatalf("Check(…): %v", ds)
			}
			got, why := risk.Evaluate(tc.scope)
			if got != tc.want || !strings.HasPrefix(why, tc.why) || strings.Contains(why, "\n") {
				t.Errorf("%s Evaluate(%v) = %q, %q, want %q, %q", tc.reason, tc.scope, got, why, tc.want, tc.why)
			}
		})
	}
}

// TestRiskNotChecked checks that rules which nobody compiled are not taken for
// rules that do not hold.
func TestRiskNotChecked(t *testing.T) {
	t.Parallel()
	_, risk := riskOf(t, `{when: "true", outcome: clear}`)
	if got, why := risk.Evaluate(nil); got != RiskUnknown || why != "rule 1 was not compiled" {
		t.Errorf("Evaluate(…) = %q, %q", got, why)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		rules  string
		facts  string
		want   string
	}{
		"NothingWrong": {"", `{when: "${observe.hub.tokens == 0}", outcome: clear}`, "cluster.version", ""},
		"TypoInFact": {
			"", `{when: "${observe.hub.token == 0}", outcome: clear}`, "cluster.version",
			`versions.yaml:13:66: error: observe.hub has no field "token": did you mean "tokens"?`,
		},
		"TypoInProperty": {
			"", `{when: "${hop.rule == 'a'}", outcome: clear}`, "cluster.version",
			`versions.yaml:13:58: error: hop has no member "rule": did you mean "rules"?`,
		},
		"UnknownFact": {
			"", ``, "juju.version",
			`versions.yaml:14:33: error: requirement "kubernetes" needs the fact "cluster.version", which the procedure does not observe: ` +
				`observe it in the procedure, or correct the path`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := load(t, head+`- from: "1.5.0"
  to: "2.0.0"
  kind: upgrade
  # Two edges.
  risks: [{name: loss, summary: s, rules: [`+tc.rules+`]}]
  requires: {kubernetes: {fact: cluster.version, constraint: ">=1.20"}}
`)
			ds := g.Check(hubEnvironment(t), func(path string) bool { return path == tc.facts })
			if diff := cmp.Diff(tc.want, ds.Error()); diff != "" {
				t.Errorf("%s Check(…): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
