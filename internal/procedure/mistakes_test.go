package procedure_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/procedure"
)

// mistake is a procedure with something wrong in it: parts that are put into
// the frame below, or a whole main file.
type mistake struct {
	reason string
	whole  string
	// top are further keys of the document; the others are further entries.
	top, targets, components, inputs, observe string
	// stages takes the place of the frame's stage, steps that of its steps.
	stages, steps string
	files         memory
	// want are the diagnostics, without the name of the main file.
	want []string
}

// files renders the mistake.
func (m mistake) render() memory {
	files := maps.Clone(m.files)
	if files == nil {
		files = memory{}
	}
	files["procedure.yaml"] = m.whole
	if m.whole != "" {
		return files
	}
	stages := m.stages
	if stages == "" {
		steps := m.steps
		if steps == "" {
			steps = "  look: {phase: verify, action: kube.version}\n"
		}
		stages = "  - id: only\n    steps:\n" + indent("    ", steps)
	}
	files["procedure.yaml"] = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: The frame of these tests.}
targets:
  cluster: {kind: kubernetes}
` + m.targets + `components:
  db: {kind: database}
` + m.components + `inputs:
  url: {type: string, description: Address.}
  hosts: {type: list, items: string, default: []}
` + m.inputs + `observe:
  installed: {action: file.read, with: {path: x}}
` + m.observe + "stages:\n" + stages + m.top
	return files
}

func indent(by, text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(by + line)
	}
	return out.String()
}

// runMistakes checks that every mistake comes back as it should, and nothing
// else. Declarations of the frame that a case does not use are passed over.
func runMistakes(t *testing.T, cases map[string]mistake) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proc, ds := procedure.Load(tc.render(), "procedure.yaml", testCatalog())
			var got []string
			for _, d := range ds {
				if d.Code != "Unused" || name == "Unused" {
					got = append(got, d.Code+" "+strings.TrimPrefix(d.String(), "procedure.yaml:"))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\ndiagnostics (-want +got):\n%s\nof:\n%s", tc.reason, diff, tc.render()["procedure.yaml"])
			}
			if (proc == nil) != ds.HasErrors() {
				t.Errorf("procedure is nil: %v, errors: %v", proc == nil, ds.HasErrors())
			}
		})
	}
}
