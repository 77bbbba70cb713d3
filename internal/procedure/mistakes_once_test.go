package procedure_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/procedure"
)

// TestMistakesOnce checks that one mistake gives one message.
func TestMistakesOnce(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Phase": {
			reason: "A phase that is misspelt is not missing.",
			steps:  "  a: {phse: verify, action: kube.version}\n  b: {phase: verify, action: kube.version}\n",
			want:   []string{`UnknownKey 16:11: error: unknown key "phse": did you mean "phase"?`},
		},
		"PhaseOfAnother": {
			reason: "That of another step is.",
			steps:  "  a: {phse: verify, action: kube.version}\n  b: {action: kube.version}\n",
			want: []string{
				`UnknownKey 16:11: error: unknown key "phse": did you mean "phase"?`,
				`PhaseMissing 17:7: error: step "b" has no phase: add phase: upgrade, or another of the phases`,
			},
		},
		"Reversible": {
			reason: "Nor is what the step says about the way back.",
			steps:  "  a:\n    phase: upgrade\n    action: kube.wipe\n    with: {name: a}\n    revresible: \"no: gone\"\n",
			want:   []string{`UnknownKey 20:9: error: unknown key "revresible": did you mean "reversible"?`},
		},
		"ForEach": {
			reason: "Nor the list that goes with as.",
			steps:  "  a: {phase: verify, action: kube.version, foreach: \"${inputs.hosts}\", as: host}\n",
			want:   []string{`UnknownKey 16:48: error: unknown key "foreach": did you mean "forEach"?`},
		},
		"Covers": {
			reason: "Nor the backup.",
			steps: "  save: {phase: backup, action: database.backup, with: {database: {}}, cover: [db], consistency: online}\n" +
				"  a: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}\n",
			want: []string{`UnknownKey 16:76: error: unknown key "cover": did you mean "covers"?`},
		},
		"Needs": {
			reason: "Nor the need that puts the backup before the change.",
			steps: "  save: {phase: upgrade, action: database.backup, with: {database: {}}, covers: [db], consistency: online}\n" +
				"  a: {phase: upgrade, neds: [save], action: helm.upgrade, " +
				"with: {release: a, version: \"${steps.save.output.location}\"}, changes: [db]}\n",
			want: []string{`UnknownKey 17:27: error: unknown key "neds": did you mean "needs"?`},
		},
		"From": {
			reason:  "Nor the version that is installed.",
			observe: "  pg: {action: kube.version}\n",
			top:     "versions: versions.yaml\nfrm: ${observe.pg.version}\n",
			files:   memory{"versions.yaml": graphFile},
			want:    []string{`UnknownKey 19:1: error: unknown key "frm": did you mean "from"?`},
		},
		"UseCycle": {
			reason: "What a circle hides is not guessed.",
			steps:  "  a: {phase: upgrade, use: a.yaml}\n",
			files: memory{
				"a.yaml": subFile("  b: {use: b.yaml}\n"),
				"b.yaml": subFile("  a: {use: a.yaml}\n  look: {action: file.read, with: {path: x}}\n"),
			},
			want: []string{`UseCycle b.yaml:5:12: error: files use each other in a circle: a.yaml → b.yaml → a.yaml: remove one of these uses`},
		},
	})
}

const graphFile = `apiVersion: refit.dev/v1alpha1
kind: Versions
product: a product
scheme: {kind: semver}
versions:
  - {version: "1.0.0"}
  - {version: "2.0.0", requires: {pg: {fact: pg.version, constraint: ">=1"}}}
edges: [{from: "1.0.0", to: "2.0.0", kind: upgrade}]
`

// TestBrokenGraphUsesFacts checks that a version graph with a mistake does not
// make what it may use look unused.
func TestBrokenGraphUsesFacts(t *testing.T) {
	t.Parallel()
	main := func(graph string) memory {
		return memory{"versions.yaml": graph, "procedure.yaml": `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: main, summary: A procedure.}
versions: versions.yaml
targets: {cluster: {kind: kubernetes}}
observe:
  installed: {action: file.read, with: {path: x}}
  pg: {action: kube.version}
from: ${observe.installed.text}
stages: [{id: one, steps: {look: {phase: verify, action: kube.version}}}]
`}
	}
	check(t, main(graphFile), "procedure.yaml", "")
	check(t, main(strings.Replace(graphFile, "fact: pg.version", `fact: "pg[\"version\"]"`, 1)), "procedure.yaml", "")
	check(t, main("kind: [\n"), "procedure.yaml", "versions.yaml:1: error: a value is missing here: check for a bracket or comma too many")
}

// TestNoBackupAction checks that nobody is sent for an action that there is
// not.
func TestNoBackupAction(t *testing.T) {
	t.Parallel()
	var specs []action.Spec
	for _, s := range testSpecs() {
		if s.MaxProof == 0 {
			specs = append(specs, s)
		}
	}
	files := mistake{
		components: "  files: {kind: volume}\n",
		steps: "  a: {phase: upgrade, action: kube.scale, with: {name: a}, changes: [db]}\n" +
			"  b: {phase: backup, action: kube.version, covers: [files]}\n",
	}.render()
	var got []string
	for _, d := range procedure.Lint(files, "procedure.yaml", actiontest.NewCatalog(specs...)) {
		if d.Code != "Unused" {
			got = append(got, d.String())
		}
	}
	const none = "this version of refit has no backup action yet, so no step can change what holds data"
	want := []string{
		`procedure.yaml:17:7: error: step "a" may damage "db", which no backup before it in the stage covers: ` + none,
		`procedure.yaml:18:57: error: step "b" covers "files", but kube.version is not a backup: ` + none,
	}
	if diff := cmp.Diff(want, got[max(0, len(got)-2):]); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}
