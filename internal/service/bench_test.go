package service_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/service"
)

// largePlatform writes the files of a platform whose plan has so many stages
// with so many steps each, and returns its platform file.
func largePlatform(b *testing.B, stages, steps int) string {
	b.Helper()
	dir := b.TempDir()
	var body, graph strings.Builder
	body.WriteString(`apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: large, summary: A large procedure.}
versions: versions.yaml
components: {web: {kind: service}}
inputs: {name: {type: string, description: Name of what is installed.}}
observe:
  release: {action: file.read, with: {path: release.json, format: json}}
from: ${observe.release.value.version}
stages:
  - forEach: ${path.hops}
    id: to-${item.to}
    expects: {release.value.version: "${item.from}"}
    leaves: {release.value.version: "${item.to}"}
    steps:
`)
	for i := range steps {
		needs := ""
		if i%8 > 0 {
			needs = fmt.Sprintf("needs: [s%d], ", i-1)
		}
		fmt.Fprintf(&body, `      s%d: {phase: upgrade, %saction: exec.command, changes: [web], duration: {typical: 1s}, with: {`+
			`command: [./install, "${item.to}", "${inputs.name}-%d"], observe: {command: [./is-installed, "${item.to}"]}, `+
			`undo: {command: [./remove, "${item.to}"]}}}`+"\n", i, needs, i)
	}
	graph.WriteString("apiVersion: refit.dev/v1alpha1\nkind: Versions\nproduct: large\nscheme: {kind: semver}\nversions:\n")
	for i := range stages + 1 {
		fmt.Fprintf(&graph, "  - {version: \"1.%d\"}\n", i)
	}
	graph.WriteString("edges:\n")
	for i := range stages {
		fmt.Fprintf(&graph, "  - {from: \"1.%d\", to: \"1.%d\", kind: upgrade}\n", i, i+1)
	}
	files := map[string]string{
		"procedure.yaml": body.String(), "versions.yaml": graph.String(), "release.json": `{"version": "1.0"}`,
		"platform.yaml": "apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: large}\n" +
			"procedure: ./procedure.yaml\ninputs: {name: x}\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(dir, "platform.yaml")
}

// benchmarkPlan measures all that refit plan --save does but printing: reading
// the files, observing, building, previewing and saving.
func benchmarkPlan(b *testing.B, stages, steps int) {
	b.Helper()
	s := newWorld(b, nil).Service
	file := largePlatform(b, stages, steps)
	to := fmt.Sprintf("1.%d", stages)
	for b.Loop() {
		result, err := s.Plan(b.Context(), service.PlanRequest{Platform: file, To: to})
		if err != nil {
			b.Fatal(err)
		}
		if result.Plan.Summary.Steps != stages*steps {
			b.Fatalf("got %d steps", result.Plan.Summary.Steps)
		}
		if err := s.SavePlan(filepath.Join(filepath.Dir(file), "plan.json"), result.Plan, true); err != nil {
			b.Fatal(err)
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	b.ReportMetric(float64(stats.Sys)/1e6, "MB-memory")
}

func BenchmarkPlan10000(b *testing.B)  { benchmarkPlan(b, 100, 100) }
func BenchmarkPlan100000(b *testing.B) { benchmarkPlan(b, 100, 1000) }
