package procedure_test

import "testing"

func TestMistakesForEach(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Keys": {
			reason: "as, key and max go with forEach.",
			steps: `  a: {phase: verify, action: kube.version, as: x, key: y, max: 3}
  b: {phase: verify, action: kube.version, forEach: "${inputs.hosts}", key: same}
  c: {phase: verify, action: kube.version, forEach: "${inputs.hosts}", max: 2000}
  d: {phase: verify, action: kube.version, forEach: "${inputs.url}"}
  e: {phase: verify, action: kube.version, forEach: "${inputs.hosts}", as: my-host}
  f: {phase: verify, action: kube.version, forEach: "${inputs.hosts}", as: steps}
  g: {phase: verify, action: kube.version, forEach: "${inputs.hosts}", as: namespace}
  h: {phase: verify, action: http.get, forEach: "${inputs.hosts}", as: host, with: {url: "${hots}"}}
`,
			want: []string{
				`KeyNotPermitted 16:7: error: step "a" has key without forEach: remove key, or add forEach`,
				`KeyNotPermitted 16:7: error: step "a" has max without forEach: remove max, or add forEach`,
				`KeyNotPermitted 16:52: error: step "a" has as without forEach: remove as, or add forEach`,
				`SameID 17:81: error: key of step "b" is the same for every member: let it hold the member, such as ${item}`,
				`OutOfRange 18:57: error: max 2000 of step "c" is not permitted: use 1 to 1000`,
				"TypeMismatch 19:58: error: ${inputs.url} is a string, needs a list",
				`BadName 20:80: error: "my-host" cannot be the name of a member: use letters, digits and underscores, beginning with a letter, and no word of the expression language`,
				`Shadowed 21:80: error: the member is called "steps" like a variable around it: choose another name with as:`,
				`BadName 22:80: error: "namespace" cannot be the name of a member: use letters, digits and underscores, beginning with a letter, and no word of the expression language`,
				`UnknownReference 23:97: error: there is no variable "hots": one of: host, inputs, observe, platform, steps`,
			},
		},
		"Shadowed": {
			reason: "The member of a stage and that of a step have different names.",
			stages: `  - id: x-${item}
    forEach: ${inputs.hosts}
    steps:
      a: {phase: verify, action: kube.version, forEach: "${inputs.hosts}"}
      b: {phase: verify, action: http.get, forEach: "${inputs.hosts}", as: host, with: {url: "${item}/${host}"}}
`,
			want: []string{
				`Shadowed 17:57: error: the member is called "item" like a variable around it: choose another name with as:`,
			},
		},
		"OverOutputs": {
			reason: "Members that nobody has seen are limited; those that may do harm need an approval when they are known.",
			steps: `  names: {phase: prepare, action: values.migrate, with: {rules: r}}
  a: {phase: upgrade, action: kube.scale, forEach: "${steps.names.output.names}", with: {name: "${item}"}}
  b: {phase: upgrade, action: kube.wipe, forEach: "${steps.names.output.names}", max: 3, with: {name: "${item}"}, reversible: "no: gone"}
  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db], consistency: online}
  c: {phase: upgrade, action: kube.scale, forEach: "${steps.names.output.names}", max: 3, with: {name: "${item}"}, changes: [db]}
  d: {phase: upgrade, use: sub.yaml, forEach: "${steps.names.output.names}", max: 3}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
steps: {look: {action: file.read, with: {path: x}}}
`},
			want: []string{
				`MaxMissing 17:56: error: forEach of step "a" goes over outputs of steps and has no max: add max: how many members are permitted, 1 to 1000`,
				`DynamicUse 21:51: error: forEach of step "d" goes over outputs of steps and repeats a sub-procedure: use a list that is known when planning, or repeat an action`,
			},
		},
	})
}
