package procedures_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/detect"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/procedures"
)

// folder gives the files of one procedure.
type folder struct{ fs.FS }

func (f folder) ReadFile(name string) ([]byte, error) { return fs.ReadFile(f.FS, name) }

// load loads a shipped procedure against the actions of the program. It must be without
// mistakes and without warnings.
func load(t *testing.T, name string) *procedure.Procedure {
	t.Helper()
	sub, err := fs.Sub(procedures.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	proc, ds := procedure.Load(folder{sub}, "procedure.yaml", catalog(t))
	for _, d := range ds {
		t.Errorf("%s: %s", name, d)
	}
	if proc == nil || ds.HasErrors() {
		t.FailNow()
	}
	return proc
}

func catalog(t *testing.T) action.Catalog {
	t.Helper()
	registry, err := all.NewRegistry(all.NewClients(nil))
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

func TestShippedProceduresAreClean(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(procedures.FS(), "*/procedure.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("procedures: %v, %v", names, err)
	}
	for _, name := range names {
		name = name[:len(name)-len("/procedure.yaml")]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proc := load(t, name)
			if got := proc.Document.Metadata.Name.Value; got != name {
				t.Errorf("the procedure in folder %s is called %s", name, got)
			}
			text, err := fs.ReadFile(procedures.FS(), name+"/detect.yaml")
			if errors.Is(err, fs.ErrNotExist) {
				return // It is not found in a cluster by itself.
			}
			if err != nil {
				t.Fatal(err)
			}
			_, ds := detect.Load("detect.yaml", text, proc.Inputs)
			for _, d := range ds {
				t.Error(d)
			}
		})
	}
}
