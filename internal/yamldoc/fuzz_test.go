package yamldoc_test

import (
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

func seeds() []string {
	return []string{
		sampleGood, sampleOf(30), bomb(4), "", "---\n", "a: 1\n---\nb: 2\n", "a:\n\tb: 1\n", "a: &x [*x]\n", "? [a]\n: b\n",
		"a: 'x\n", "a: {b: [c, d: e]}\n", "<<: *x\n", "!!set {a}\n", "- |\n x\n- >-\n  y\n", "\xff", "a: \"\\u0000\"\n",
		"%YAML 1.2\n---\na: 1\n", "\xef\xbb\xbfa: 1\r\nb: 2\r\n", "a: 0777\nb: .nan\nc: 1e400\n", strings.Repeat("[", 100),
		"? &a [*a]\n: *a\n", "kind: x\nsteps: {a: {timeout: 1d, needs: {}, retry: []}}\n", "inputs: {a: {fields: {b: {fields: 1}}}}\n",
	}
}

// FuzzParse checks that Parse never panics, that it says why when it returns
// nothing, that positions are within the file and messages on one line, and
// that trees keep to the limits.
func FuzzParse(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed))
	}
	limits := yamldoc.Limits{Bytes: 1 << 16, Nodes: 2000, Depth: 16}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, ds := yamldoc.Parse("f.yaml", data, limits)
		if root == nil && !ds.HasErrors() {
			t.Error("nothing was read, and no reason given")
		}
		checkDiagnostics(t, data, ds)
		if root != nil {
			nodes := 0
			if levels := measure(root, &nodes); nodes > limits.Nodes || levels > limits.Depth {
				t.Errorf("the tree has %d nodes and %d levels", nodes, levels)
			}
		}
	})
}

// FuzzDecode checks that Decode never panics, and that it accepts or explains.
func FuzzDecode(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, ds := yamldoc.Parse("f.yaml", data, yamldoc.Limits{Bytes: 1 << 16, Nodes: 2000})
		var doc sampleDocument
		yamldoc.Decode(root, &doc, &ds)
		checkDiagnostics(t, data, ds)
		for _, d := range ds {
			if d.Code == yamldoc.CodeInternal {
				t.Errorf("not an author's problem: %v", d)
			}
		}
		if !ds.HasErrors() && (!doc.Kind.IsSet() || !doc.Metadata.Name.IsSet()) {
			t.Errorf("required keys are not set, and nothing is said: %+v", doc)
		}
	})
}

func checkDiagnostics(t *testing.T, data []byte, ds diag.Diagnostics) {
	t.Helper()
	last := 1 + strings.Count(string(data), "\n") + strings.Count(string(data), "\r") +
		strings.Count(string(data), "\u0085") + strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029")
	for _, d := range ds {
		if d.Line > last || d.Line < 0 || d.Column < 0 {
			t.Errorf("position outside the file of %d lines: %v", last, d)
		}
		if strings.ContainsAny(d.String(), "\n\r") || len(d.String()) > 1000 {
			t.Errorf("not one short line: %q", d.String())
		}
	}
}

// measure counts the Nodes of a tree and returns its levels of collections.
func measure(n *yamldoc.Node, nodes *int) int {
	*nodes++
	levels := 0
	for _, item := range n.Items {
		levels = max(levels, measure(item, nodes))
	}
	for _, p := range n.Pairs {
		levels = max(levels, measure(p.Value, nodes))
	}
	if n.Kind == yamldoc.Sequence || n.Kind == yamldoc.Mapping {
		levels++
	}
	return levels
}

func BenchmarkParse(b *testing.B) {
	data := []byte(sampleOf(2000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, ds := yamldoc.Parse("f.yaml", data, yamldoc.DefaultLimits()); len(ds) > 0 {
			b.Fatal(ds)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	root, _ := parse(sampleOf(2000))
	for b.Loop() {
		var doc sampleDocument
		var ds diag.Diagnostics
		yamldoc.Decode(root, &doc, &ds)
		if len(ds) > 0 {
			b.Fatal(ds)
		}
	}
}

func BenchmarkParseBroken(b *testing.B) {
	data := []byte(sampleOf(2000) + "  last:\n    action: \"x\n    max: 3\n")
	for b.Loop() {
		if _, ds := yamldoc.Parse("f.yaml", data, yamldoc.DefaultLimits()); len(ds) != 1 {
			b.Fatal(ds)
		}
	}
}
