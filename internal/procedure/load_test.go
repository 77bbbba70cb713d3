package procedure_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/procedure"
)

var update = flag.Bool("update", false, "rewrite golden files and generated pages")

func TestLoadFixtures(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jupyterhub", "sub", "service"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proc, ds := procedure.Load(folder("testdata/"+name), "procedure.yaml", testCatalog())
			if len(ds) > 0 {
				t.Fatalf("it is not clean:\n%s", ds.Error())
			}
			if proc == nil {
				t.Fatal("there is no procedure, and no reason")
			}
		})
	}
}

// TestServiceWithRealActions keeps the fixture true that planning and the
// command line are tested with.
func TestServiceWithRealActions(t *testing.T) {
	t.Parallel()
	if _, ds := procedure.Load(folder("testdata/service"), "procedure.yaml", docsCatalog()); len(ds) > 0 {
		t.Fatal(ds)
	}
}

// check compares what is wrong with what should be.
func check(t *testing.T, files procedure.Files, name, want string) {
	t.Helper()
	proc, ds := procedure.Load(files, name, testCatalog())
	if diff := cmp.Diff(strings.TrimSpace(want), ds.Error()); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
	if (proc == nil) != ds.HasErrors() {
		t.Errorf("procedure is nil: %v, errors: %v", proc == nil, ds.HasErrors())
	}
}

func TestTenMistakes(t *testing.T) {
	t.Parallel()
	const golden = "testdata/broken/ten-mistakes.golden"
	_, ds := procedure.Load(folder("testdata/broken"), "ten-mistakes.yaml", testCatalog())
	if *update {
		if err := os.WriteFile(golden, []byte(ds.Error()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check(t, folder("testdata/broken"), "ten-mistakes.yaml", readFile(t, golden))
}
