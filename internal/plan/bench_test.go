package plan

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// manySteps returns a procedure with a graph of so many hops and so many steps
// in each: realistic ones with expressions over facts, members and outputs.
func manySteps(stages, steps int) world {
	var body, graph strings.Builder
	body.WriteString(`
versions: versions.yaml
from: ${observe.release.version}
stages:
  - forEach: ${path.hops}
    id: to-${item.to}
    expects: {release.version: "${item.from}"}
    steps:
      stop: {phase: quiesce, action: test.stop, with: {}, quiesces: [db], downtime: [hub], lease: {until: stage}}
      dump: {phase: backup, action: test.dump, with: {}, covers: [db]}
`)
	for i := range steps - 2 {
		fmt.Fprintf(&body, `      s%d: {phase: upgrade, needs: [%s], action: test.change, changes: [db], reversible: restore, downtime: [db], `+
			`with: {version: "${item.to}", user: "${inputs.name}-%d", file: "${steps.dump.output.file}"}}`+"\n",
			i, map[bool]string{true: "dump", false: fmt.Sprintf("s%d", i-1)}[i%8 == 0], i)
	}
	graph.WriteString(`apiVersion: refit.dev/v1alpha1
kind: Versions
product: hub
scheme: {kind: semver}
versions:
`)
	for i := range stages + 1 {
		fmt.Fprintf(&graph, "  - {version: \"1.%d\"}\n", i)
	}
	graph.WriteString("edges:\n")
	for i := range stages {
		fmt.Fprintf(&graph, "  - {from: \"1.%d\", to: \"1.%d\", kind: upgrade}\n", i, i+1)
	}
	w := one(body.String())
	w.files["versions.yaml"] = graph.String()
	w.from, w.to = "1.0", fmt.Sprintf("1.%d", stages)
	return w
}

// benchmarkBuild measures building and writing a plan. The peak of the heap is
// measured in a run of its own, because a benchmark reuses what it allocated.
func benchmarkBuild(b *testing.B, stages, steps int) {
	b.Helper()
	w := manySteps(stages, steps)
	in := w.input(b)
	file := filepath.Join(b.TempDir(), "plan.json")
	var size int64
	for b.Loop() {
		p, ds := Build(in)
		if p == nil {
			b.Fatal(ds.Error())
		}
		size = write(b, file, p)
		if p.Summary.Steps != stages*steps {
			b.Fatalf("got %d steps", p.Summary.Steps)
		}
	}
	b.ReportMetric(float64(size)/1e6, "MB-file")
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	b.ReportMetric(float64(stats.Sys)/1e6, "MB-memory")
}

// write writes the plan to a file and returns its size.
func write(b *testing.B, name string, p *Plan) int64 {
	b.Helper()
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err := Write(buffered, p); err != nil {
		b.Fatal(err)
	}
	if err := buffered.Flush(); err != nil {
		b.Fatal(err)
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		b.Fatal(err)
	}
	return size
}

func BenchmarkBuild10000(b *testing.B)  { benchmarkBuild(b, 100, 100) }
func BenchmarkBuild100000(b *testing.B) { benchmarkBuild(b, 100, 1000) }

func BenchmarkRead10000(b *testing.B) {
	p, ds := Build(manySteps(100, 100).input(b))
	if p == nil {
		b.Fatal(ds.Error())
	}
	file := filepath.Join(b.TempDir(), "plan.json")
	write(b, file, p)
	for b.Loop() {
		f, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Read(bufio.NewReaderSize(f, 1<<16)); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}
