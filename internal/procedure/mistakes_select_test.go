package procedure_test

import "testing"

func TestMistakesSelect(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Missing": {
			reason: "How much an action may pick out stands in the step.",
			steps: `  a: {phase: upgrade, action: kube.prune, with: {name: x}, reversible: "no: gone"}
  b: {phase: upgrade, action: kube.prune, with: {name: x}, reversible: "no: gone", select: {max: 3, empty: ok}}
`,
			want: []string{
				`SelectMissing 16:7: error: kube.prune picks out what step "a" acts on, and the step does not say how much that may be: add select: {max: 10, empty: refuse}`,
			},
		},
		"Misspelt": {
			reason: "A key that is misspelt is named, once.",
			steps: `  a: {phase: upgrade, action: kube.prune, with: {name: x}, reversible: "no: gone", selects: {max: 3, empty: ok}}
`,
			want: []string{`UnknownKey 16:88: error: unknown key "selects": did you mean "select"?`},
		},
		"Elsewhere": {
			reason: "Other actions act on what their input names, and sub-procedures say it themselves.",
			steps: `  a: {phase: upgrade, action: kube.scale, with: {name: x}, select: {max: 3, empty: ok}}
  b: {use: sub.yaml, select: {max: 3, empty: ok}}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
steps: {look: {phase: verify, action: file.read, with: {path: x}}}
`},
			want: []string{
				`KeyNotPermitted 16:72: error: step "a" cannot have select: kube.scale acts on what its input names: remove select`,
				`KeyNotPermitted 17:7: error: step "b" cannot have select: write it into the steps of the sub-procedure`,
			},
		},
		"Values": {
			reason: "The most is a number from 1 to 1000, and what nothing means is written out.",
			steps: `  a: {phase: upgrade, action: kube.prune, with: {name: x}, reversible: "no: gone", select: {max: 1001, empty: ok}}
  b: {phase: upgrade, action: kube.prune, with: {name: x}, reversible: "no: gone", select: {max: 3}}
  c: {phase: upgrade, action: kube.prune, with: {name: x}, reversible: "no: gone", select: {empty: fine, max: -1, approve: true}}
`,
			want: []string{
				`OutOfRange 16:96: error: max 1001 of step "a" is not permitted: use 1 to 1000`,
				`MissingKey 17:96: error: select needs the key "empty": empty: What it means to pick nothing: ok (there was nothing to do) or refuse (the step fails).`,
				`OutOfRange 18:96: error: max -1 of step "c" is not permitted: use 1 to 1000`,
				`UnknownValue 18:104: error: unknown value "fine" of empty: one of: ok, refuse`,
				`WrongType 18:128: error: approve must be a string, is true: put it in quotes: "true"`,
			},
		},
	})
}
