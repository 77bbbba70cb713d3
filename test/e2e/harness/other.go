package harness

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// Other brings up another cluster, without containers, until the test ends, and returns a
// kubeconfig in which it has the name of the context of the one that tests use.
func Other(t *testing.T) string {
	t.Helper()
	if shared == nil || shared.bed == nil {
		t.Skipf("a second cluster needs %s", Testbed)
	}
	b := &bed{program: shared.bed.program, name: shared.bed.name + "-other"}
	if _, err := b.run(t.Context(), "up", "--mode", "kwok", "--nodes", "1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := b.run(context.WithoutCancel(t.Context()), "down"); err != nil {
			t.Error(err)
		}
	})
	file, err := b.run(t.Context(), "kubeconfig")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := clientcmd.LoadFromFile(strings.TrimSpace(file))
	if err != nil {
		t.Fatal(err)
	}
	name := shared.context
	if name == "" {
		ours, err := clientcmd.LoadFromFile(shared.file)
		if err != nil {
			t.Fatal(err)
		}
		name = ours.CurrentContext
	}
	theirs.Contexts[name] = theirs.Contexts[theirs.CurrentContext]
	theirs.CurrentContext = name
	out := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*theirs, out); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(out, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}
