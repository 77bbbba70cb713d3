package procedure_test

import "testing"

func TestMistakesDocument(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"WrongKind": {
			reason: "A platform file is named as what it is.",
			whole: `apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: hub}
`,
			want: []string{
				`WrongKind 2:7: error: "procedure.yaml" is a Platform, not a Procedure: name the procedure file; the platform file is for refit plan`,
			},
		},
		"NotAMapping": {
			reason: "A list is no procedure.",
			whole: `- a
- b
`,
			want: []string{
				`WrongKind 1:1: error: "procedure.yaml" holds a list, not a Procedure: begin with apiVersion: refit.dev/v1alpha1 and kind: Procedure`,
			},
		},
		"SubProcedureAsMain": {
			reason: "A sub-procedure is not loaded by itself.",
			whole: `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: a, summary: A part.}
steps: {}
`,
			want: []string{
				`WrongKind 2:7: error: "procedure.yaml" is a SubProcedure, not a Procedure: name the procedure that uses it`,
			},
		},
		"APIVersion": {
			reason: "Another version of the language is refused.",
			whole: `apiVersion: refit.dev/v2
kind: Procedure
metadata: {name: Hub_1, summary: A bad name too.}
stages:
  - {id: a, steps: {look: {phase: verify, action: kube.version}}}
targets: {Cluster: {kind: kubernetes}}
components: {my.db: {kind: database}}
`,
			want: []string{
				`UnsupportedAPIVersion 1:13: error: apiVersion "refit.dev/v2" is not known: write apiVersion: refit.dev/v1alpha1`,
				`BadName 3:18: error: name "Hub_1" is not permitted: use lower case letters, digits and dashes, beginning with a letter, at most 63`,
				`BadName 6:11: error: target "Cluster" has a name that is not permitted: use lower case letters, digits and dashes, beginning with a letter, at most 63`,
				`BadName 7:14: error: component "my.db" has a name that is not permitted: use lower case letters, digits and dashes, beginning with a letter, at most 63`,
			},
		},
		"KeysOfOtherKind": {
			reason: "A procedure has no steps of its own.",
			top: `steps: {}
outputs: {}
`,
			want: []string{
				"KeyNotPermitted 17:1: error: a Procedure cannot have steps: write the steps into a stage below stages",
				"KeyNotPermitted 18:1: error: a Procedure cannot have outputs: only a sub-procedure has it",
			},
		},
		"NoStages": {
			reason: "Nothing to do is a mistake.",
			whole: `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: a, summary: Nothing.}
`,
			want: []string{
				"NoStages 2:7: error: the procedure has no stages: add stages with at least one step",
			},
		},
		"FromWithoutVersions": {
			reason: "from and versions belong together.",
			top: `from: ${observe.installed.text}
`,
			want: []string{
				"VersionsMissing 17:7: error: from is given, but not versions: write versions: versions.yaml, or remove from",
			},
		},
		"VersionsWithoutFrom": {
			reason: "from and versions belong together, and the file is missing.",
			top: `versions: versions.yaml
`,
			want: []string{
				`FileNotFound 17:11: error: version graph "versions.yaml" does not exist: write a path relative to the file that names it`,
				"FromMissing 17:11: error: versions is given, but not from: write from: ${observe.FACT…}, the version that is installed now",
			},
		},
		"FilesLeaveFolder": {
			reason: "Files stay in the folder of the procedure.",
			top: `versions: ../versions.yaml
issues: /etc/issues.yaml
from: ${inputs.url}
`,
			want: []string{
				`BadFileName 17:11: error: "../versions.yaml" is not the name of a file in the folder of the procedure: write a path such as steps/backup.yaml, without a leading / and without ..`,
				`BadFileName 18:9: error: "/etc/issues.yaml" is not the name of a file in the folder of the procedure: write a path such as steps/backup.yaml, without a leading / and without ..`,
			},
		},
		"IssuesNotYAML": {
			reason: "The file of known issues is read.",
			top: `issues: issues.yaml
`,
			files: memory{"issues.yaml": `a: [1
`},
			want: []string{
				"InvalidYAML issues.yaml:1: error: the list in [ ] that starts here cannot be read: check for a missing comma, quote or ]",
			},
		},
		"GraphMistakes": {
			reason: "Mistakes of the graph and the procedure come back together.",
			top: `versions: versions.yaml
from: ${inputs.url}
`,
			steps: `  look: {phase: verify, action: kube.versoin}
`,
			files: memory{"versions.yaml": `apiVersion: refit.dev/v1alpha1
kind: Versions
product: the hub
scheme: {kind: semver}
versions:
  - version: "1.0.0"
  - version: "2.0.0"
    requires:
      kubernetes: {fact: cluster.version, constraint: ">=1.20"}
edges:
  - {from: "1.0.0", to: "2.0.0", kind: upgrade, risks: [{name: loss, summary: Loss., rules: [{when: "${observe.nothing == 1}", outcome: applies}]}]}
`},
			want: []string{
				`UnknownAction 16:37: error: action "kube.versoin" does not exist: did you mean "kube.version"?`,
				`UnknownFact versions.yaml:9:26: error: requirement "kubernetes" needs the fact "cluster.version", which the procedure does not observe: observe it in the procedure, or correct the path`,
				`UnknownField versions.yaml:11:112: error: observe has no member "nothing": one of: installed`,
			},
		},
	})
}
