package report

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/refitproject/refit/internal/versions"
)

func TestGraphOfGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jupyterhub", "pachyderm", "kubeflow"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := loadGraph(t, name)
			golden(t, "graph."+name, render(t, func(w io.Writer) error { return GraphText(w, GraphOf(g), TextOptions{Width: 100}) }))
		})
	}
}

func loadGraph(t *testing.T, name string) *versions.Graph {
	t.Helper()
	file := filepath.Join("..", "versions", "testdata", name+".yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g, problems := versions.Load(file, data)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return g
}
