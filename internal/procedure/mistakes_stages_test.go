package procedure_test

import "testing"

func TestMistakesStages(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"IDs": {
			reason: "Stages are told apart by their ids.",
			stages: `  - {id: one, steps: &s {look: {phase: verify, action: kube.version}}}
  - {id: one, steps: *s}
  - {id: Two, steps: *s}
  - {id: "${inputs.hosts}", steps: *s}
  - {id: three, as: host, steps: *s}
  - {id: four, forEach: "${inputs.hosts}", steps: *s}
  - {id: "x-${inputs}", forEach: "${inputs.hosts}", as: inputs, steps: *s}
  - {id: "x-${item}", forEach: "${inputs.url}", steps: *s}
`,
			want: []string{
				`DuplicateStage 15:10: error: two stages have the id "one": give each stage an id of its own`,
				`BadName 16:10: error: stage "Two" has an id that is not permitted: use lower case letters, digits and dashes, beginning with a letter, at most 63`,
				"TypeMismatch 17:10: error: ${inputs.hosts} is a list(string), needs a string",
				"KeyNotPermitted 18:21: error: as is given without forEach: remove as, or add forEach",
				`SameID 19:10: error: the id "four" is the same for every member of forEach: let it hold the member, such as to-${item}`,
				"TypeMismatch 20:13: error: ${inputs} is an object, which cannot stand inside a string: select one of its members, or write json.encode(…) around it",
				`Shadowed 20:57: error: the member is called "inputs" like a variable around it: choose another name with as:`,
				"TypeMismatch 21:33: error: ${inputs.url} is a string, needs a list",
			},
		},
		"StepsInStageValues": {
			reason: "Outputs of steps are not known when planning.",
			stages: `  - id: one
    when: ${steps.look.output.version == "1"}
    steps: {look: {phase: verify, action: kube.version}}
`,
			want: []string{
				`UnknownReference 15:13: error: there is no variable "steps": outputs of steps are known only when the steps of a stage run`,
			},
		},
		"Expects": {
			reason: "Paths of facts exist and values fit.",
			stages: `  - id: one
    expects:
      installed.txt: a
      instaled.text: a
      installed.size: a
      installed.size.more: 1
      installed.key: a
      installed.value.any.thing: [1]
    leaves: {installed.exists: "${inputs.url}"}
    steps: {look: {phase: verify, action: kube.version}}
`,
			want: []string{
				`UnknownFact 16:7: error: expects names "installed.txt", but installed has no "txt": did you mean "text"?`,
				`UnknownFact 17:7: error: expects names "instaled.text", but observe has no "instaled": did you mean "installed"?`,
				"TypeMismatch 18:23: error: the value is a string, needs an int",
				`UnknownFact 19:7: error: expects names "installed.size.more", but "installed.size" is of type int and has no members: end the path there`,
				`SensitiveFact 20:7: error: expects names "installed.key", whose value is sensitive and never known: expect another member of the fact`,
				"TypeMismatch 22:33: error: ${inputs.url} is a string, needs a bool",
			},
		},
		"Empty": {
			reason: "A stage has steps.",
			stages: `  - {id: one, steps: {}}
`,
			want: []string{
				"NoSteps 14:5: error: the stage has no steps: add steps",
			},
		},
		"Approval": {
			reason: "At least one person approves.",
			stages: `  - id: one
    approval: {count: -1, reason: "${observe.installed.txt}"}
    steps: {look: {phase: verify, action: kube.version}}
`,
			want: []string{
				"OutOfRange 14:5: error: -1 persons cannot approve: use 1 or more",
				`UnknownField 15:56: error: observe.installed has no field "txt": did you mean "text"?`,
			},
		},
		"Soak": {
			reason: "A soak repeats read-only steps.",
			stages: `  - id: one
    soak: {for: 1m, every: 2m, checks: [look, stop, lok]}
    steps:
      look: {phase: verify, action: kube.version}
      stop: {phase: upgrade, action: kube.restart, with: {name: a}}
  - id: two
    soak: {for: 1m}
    steps:
      stop: {phase: upgrade, action: kube.restart, with: {name: a}}
`,
			want: []string{
				"OutOfRange 15:28: error: every 2m0s does not fit into a soak of 1m0s: use for example 1m",
				`NotReadOnly 15:47: error: the soak repeats "stop", which is not read-only: repeat steps of phase verify that only read`,
				`UnknownStep 15:53: error: the soak repeats "lok", which does not exist: did you mean "look"?`,
				"NoSoakChecks 19:5: error: the soak has nothing to repeat: no step of phase verify only reads: add such a step, or name checks",
			},
		},
		"Abort": {
			reason: "Steps of abort do not see those of the stage.",
			stages: `  - id: one
    steps:
      look: {phase: verify, action: kube.version}
    abort:
      steps:
        back: {phase: upgrade, needs: [look], action: kube.restart, with: {name: "${steps.look.output.version}"}}
        same: {phase: verify, needs: [back], action: kube.version}
`,
			want: []string{
				`UnknownStep 19:40: error: step "back" needs "look", which does not exist: one of: back, same`,
				`UnknownField 19:91: error: steps has no member "look": one of: back, same`,
			},
		},
	})
}
