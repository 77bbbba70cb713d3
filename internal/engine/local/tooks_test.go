package local_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/plan"
)

// chainOf makes a plan of n steps with a digest of its own.
func chainOf(tb testing.TB, n, own int) *plan.Plan {
	tb.Helper()
	var b strings.Builder
	b.WriteString("  - id: only\n    steps:\n")
	for i := range n {
		fmt.Fprintf(&b, "      s%d: {phase: upgrade, action: test.do, resource: one, with: {value: v%d-%d}}\n", i, i, own)
	}
	return enginetest.Plan(tb, b.String())
}

// BenchmarkTooks tells how long the steps of the newest 20 runs of 50 steps took,
// each of a plan of its own, as every plan asks for.
func BenchmarkTooks(b *testing.B) {
	const runs, steps, most = 25, 50, 20
	e := open(b, b.TempDir()+"/state", enginetest.NewWorld())
	for i := range runs {
		if out := drive(b, e, create(b, e, chainOf(b, steps, i))); out[0].Err != nil {
			b.Fatal(out[0].Err)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		tooks, err := e.Tooks(b.Context(), "test", "test", most)
		if err != nil || len(tooks) != most*steps {
			b.Fatalf("got %d, %v", len(tooks), err)
		}
	}
}
