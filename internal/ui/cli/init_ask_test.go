package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/service"
	"github.com/refitproject/refit/internal/ui/form"
)

// TestInitAsksAgain gives wrong answers that no field has refused: they are asked
// again, with what is wrong, and nothing else is.
func TestInitAsksAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	procedure := filepath.Join(dir, "procedure.yaml")
	text := `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: hub, summary: Upgrade the hub.}
inputs: {workers: {type: int}, url: {type: string}}
stages:
  - id: only
    steps:
      look: {phase: prepare, action: file.read, with: {path: "${inputs.url} ${inputs.workers}"}}
`
	if err := os.WriteFile(procedure, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	app := &App{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" },
		Interactive: func() bool { return true }, Terminal: func(io.Writer) (int, bool) { return 80, true },
		Interrupts: func(func(), func()) func() { return func() {} },
		NewService: func(p service.Progress) (*service.Service, error) {
			registry, err := all.NewRegistry(all.NewClients(nil))
			if err != nil {
				return nil, err
			}
			return service.New(service.Options{
				Registry: registry, Shipped: fstest.MapFS{}, Now: time.Now, Progress: p,
				LookPath: func(string) (string, error) { return "", os.ErrNotExist },
			})
		},
	}
	answers := []map[string]string{
		{"name": "Hub", "inputs.workers": "many", "inputs.url": "https://x"},
		{"name": "hub", "inputs.workers": "few"},
		{"inputs.workers": "3"},
	}
	var asked [][]string
	c := newConsole(app)
	c.asker = func(_ context.Context, _ form.Options, f form.Form) (map[string]string, error) {
		var keys []string
		for _, q := range f.Questions {
			keys = append(keys, q.Key)
		}
		asked = append(asked, keys)
		if len(asked) > len(answers) {
			return nil, form.ErrInterrupted
		}
		return answers[len(asked)-1], nil
	}
	root := newRoot(c)
	file := filepath.Join(dir, "platform.yaml")
	root.SetArgs([]string{"init", procedure, "--save", file, "--store", "file:///srv"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"name", "description", "inputs.workers", "inputs.url", "windows"}, {"name", "inputs.workers"}, {"inputs.workers"},
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if !strings.Contains(stderr.String(), `workers: input "workers": must be a whole number`) {
		t.Errorf("said %q", stderr.String())
	}
	if got, err := os.ReadFile(file); err != nil || !strings.Contains(string(got), "\n  workers: 3\n") {
		t.Errorf("wrote %q, %v", got, err)
	}
}
