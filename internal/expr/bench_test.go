package expr_test

import (
	"fmt"
	"testing"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// BenchmarkCompile300 compiles 300 expressions in 200 environments, one for
// each step of a large procedure; the target is 200 ms in all.
func BenchmarkCompile300(b *testing.B) {
	sources := []string{
		"${inputs.name}",
		"${observe.release.chart.version}-${inputs.count}",
		`${inputs.hosts.exists(h, h.startsWith("a")) && inputs.count > 3}`,
	}
	steps := variables()["steps"]
	for i := range 200 {
		steps.Fields[fmt.Sprintf("step%d", i)] = steps.Fields["config"]
	}
	b.ReportAllocs()
	for b.Loop() {
		env := newEnv(b)
		for i := range 200 {
			derived, err := env.With(map[string]schema.Type{"steps": steps, "item": schema.Of(schema.String)})
			if err != nil {
				b.Fatal(err)
			}
			for range 1 + i%2 {
				compile(b, derived, str(sources[i%len(sources)]), schema.Of(schema.Any))
			}
		}
	}
}

// BenchmarkEval evaluates the inputs of a usual step: four small expressions.
func BenchmarkEval(b *testing.B) {
	benchmarkEval(b, `{release: "${inputs.name}", chart: "${inputs.chart.name}", values: "${steps.config.output.file}", note: "to ${observe.release.chart.version}"}`)
}

// BenchmarkEvalOperators evaluates four expressions that are not selections.
func BenchmarkEvalOperators(b *testing.B) {
	benchmarkEval(b, `{a: "${inputs.count > 2}", b: "${inputs.name + '-x'}", c: "${inputs.enabled ? 1 : 2}", d: "${has(observe.release)}"}`)
}

// BenchmarkEvalLiteral evaluates a template without expressions.
func BenchmarkEvalLiteral(b *testing.B) {
	benchmarkEval(b, `{release: hub, namespace: hub, wait: true, retries: 3}`)
}

// BenchmarkEvalLoop evaluates an expression whose steps are counted.
func BenchmarkEvalLoop(b *testing.B) {
	benchmarkEval(b, `{a: "${inputs.charts.exists(c, c.name == 'proxy')}"}`)
}

func benchmarkEval(b *testing.B, text string) {
	b.Helper()
	t := compile(b, newEnv(b), doc(b, text), schema.Of(schema.Any))
	values := scope()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.Eval(values); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewEnv builds an environment and compiles one expression in it.
func BenchmarkNewEnv(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		env, err := expr.NewEnv(map[string]schema.Type{"x": schema.Of(schema.Int)})
		if err != nil {
			b.Fatal(err)
		}
		if _, ds := env.CompileTemplate(&yamldoc.Node{Kind: yamldoc.Scalar, Value: "${x}"}, schema.Of(schema.Any)); ds != nil {
			b.Fatal(ds)
		}
	}
}
