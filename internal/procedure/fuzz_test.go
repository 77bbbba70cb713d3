package procedure_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/procedure"
)

// FuzzLoad loads a main file and a sub-procedure that may use each other. No
// text makes it panic or take long, and every diagnostic is one line.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data), subFile(lookStep))
	}
	f.Add(mainFile("      a: {phase: upgrade, use: sub.yaml, with: {a: \"${steps.b.output}\"}}\n"), subFile("  b: {use: procedure.yaml}\n"))
	f.Add(mainFile("      a: {phase: upgrade, forEach: \"${[1, 2]}\", use: sub.yaml}\n"), subFile(lookStep)+"outputs: {x: {value: \"${1/0}\"}}\n")
	f.Add("kind: Procedure\nstages: [{steps: {a: }, forEach: , id: , soak: }]\n", "kind: SubProcedure\n")
	catalog := testCatalog()
	f.Fuzz(func(t *testing.T, main, sub string) {
		const most = 10 * time.Second
		timer := time.AfterFunc(most, func() { panic("loading takes too long") })
		defer timer.Stop()
		proc, ds := procedure.Load(memory{"procedure.yaml": main, "sub.yaml": sub}, "procedure.yaml", catalog)
		if (proc == nil) != ds.HasErrors() {
			t.Errorf("procedure is nil: %v, errors: %v", proc == nil, ds.HasErrors())
		}
		for _, d := range ds {
			if d.Code == "" || d.Summary == "" || strings.Contains(d.String(), "\n") || d.Code == "Internal" {
				t.Errorf("bad diagnostic %q", d)
			}
		}
	})
}
