package procedure_test

import "testing"

func TestMistakesUse(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Mapping": {
			reason: "Targets and components are mapped to those of the same kind.",
			targets: `  code: {kind: git}
`,
			components: `  web: {kind: service}
`,
			steps: `  a: {phase: upgrade, use: sub.yaml, with: {name: a}}
  b: {phase: upgrade, use: sub.yaml, with: {name: a}, targets: {place: code, plaice: cluster}, components: {data: web}}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
targets: {place: {kind: kubernetes}}
components: {data: {kind: database}}
inputs:
  name: {type: string, pattern: "[a-z]+"}
  list: {type: list, items: string, default: []}
steps:
  a: {forEach: "${inputs.list}", as: x, action: kube.scale, with: {name: "${inputs.name}-${x}"}, changes: [data]}
outputs:
  one: {value: "${steps.a.outputs.size()}"}
`},
			want: []string{
				`UnknownComponent 18:32: error: step "a" needs a component for "data" of sub.yaml, and "data" is not declared: add components: {data: NAME} with one of: db, web`,
				`UnknownTarget 18:32: error: step "a" needs a target for "place" of sub.yaml, and "place" is not declared: add targets: {place: NAME} with one of: cluster, code`,
				`TargetKind 19:76: error: target "code" is of kind git, but "place" of sub.yaml is of kind kubernetes: name a target of kind kubernetes`,
				`UnknownKey 19:90: error: targets of step "b" name "plaice", which the sub-procedure does not declare: did you mean "place"?`,
				`ComponentKind 19:119: error: component "web" is of kind service, but "data" of sub.yaml is of kind database: name a component of kind database`,
			},
		},
		"Inputs": {
			reason: "The inputs of a sub-procedure are checked.",
			steps: `  a: {phase: upgrade, use: sub.yaml, with: {name: A1, lst: []}, targets: {place: cluster}, components: {data: db}}
  b: {phase: upgrade, use: sub.yaml, targets: {place: cluster}, components: {data: db}}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
targets: {place: {kind: kubernetes}}
components: {data: {kind: database}}
inputs:
  name: {type: string, pattern: "[a-z]+"}
  list: {type: list, items: string, default: []}
steps:
  a: {forEach: "${inputs.list}", as: x, action: kube.scale, with: {name: "${inputs.name}-${x}"}, changes: [data]}
outputs:
  one: {value: "${steps.a.outputs.size()}"}
`},
			want: []string{
				`NotCovered 16:7: error: step "a/a" may damage "db", which no backup before it in the stage covers: add a step with covers: [db] to phase backup; backups are: database.backup, volume.backup`,
				`PatternMismatch 16:55: error: "A1" does not match the pattern of input "name": the whole value must match [a-z]+`,
				`UnknownField 16:59: error: unknown field "lst": did you mean "list"?`,
				"MissingField 17:7: error: name is missing",
				`NotCovered 17:7: error: step "b/a" may damage "db", which no backup before it in the stage covers: add a step with covers: [db] to phase backup; backups are: database.backup, volume.backup`,
			},
		},
		"Outputs": {
			reason: "The outputs of a sub-procedure have types.",
			steps: `  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db], consistency: online}
  a: {phase: upgrade, use: sub.yaml, with: {name: a}, targets: {place: cluster}, components: {data: db}}
  b: {phase: verify, action: http.get, with: {url: "${steps.a.output.two}"}}
  c: {phase: verify, action: http.get, with: {url: "${steps.a.output.one}"}}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
targets: {place: {kind: kubernetes}}
components: {data: {kind: database}}
inputs:
  name: {type: string, pattern: "[a-z]+"}
  list: {type: list, items: string, default: []}
steps:
  a: {forEach: "${inputs.list}", as: x, action: kube.scale, with: {name: "${inputs.name}-${x}"}, changes: [data]}
outputs:
  one: {value: "${steps.a.outputs.size()}"}
`},
			want: []string{
				`UnknownField 18:74: error: steps.a.output has no field "two": one of: one`,
				"TypeMismatch 19:57: error: ${steps.a.output.one} is an int, needs a string: write string(…) around the expression",
			},
		},
		"CoverageInside": {
			reason: "Changes inside of a sub-procedure are covered too.",
			steps: `  a: {phase: upgrade, use: sub.yaml, with: {name: a}, targets: {place: cluster}, components: {data: db}}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
targets: {place: {kind: kubernetes}}
components: {data: {kind: database}}
inputs:
  name: {type: string, pattern: "[a-z]+"}
  list: {type: list, items: string, default: []}
steps:
  a: {forEach: "${inputs.list}", as: x, action: kube.scale, with: {name: "${inputs.name}-${x}"}, changes: [data]}
outputs:
  one: {value: "${steps.a.outputs.size()}"}
`},
			want: []string{
				`NotCovered 16:7: error: step "a/a" may damage "db", which no backup before it in the stage covers: add a step with covers: [db] to phase backup; backups are: database.backup, volume.backup`,
			},
		},
		"LateForEach": {
			reason: "A list that is known late needs a max inside.",
			steps: `  names: {phase: prepare, action: values.migrate, with: {rules: r}}
  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db], consistency: online}
  a: {phase: upgrade, use: sub.yaml, with: {name: a, list: "${steps.names.output.names}"}, targets: {place: cluster}, components: {data: db}}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
targets: {place: {kind: kubernetes}}
components: {data: {kind: database}}
inputs:
  name: {type: string, pattern: "[a-z]+"}
  list: {type: list, items: string, default: []}
steps:
  a: {forEach: "${inputs.list}", as: x, action: kube.scale, with: {name: "${inputs.name}-${x}"}, changes: [data]}
outputs:
  one: {value: "${steps.a.outputs.size()}"}
`},
			want: []string{
				`MaxMissing 18:32: error: step "a" gives outputs of steps to the forEach of step "a" of sub.yaml, which has no max: add max to that step, or give it a list that is known when planning`,
			},
		},
		"PhaseInside": {
			reason: "The phase of the use is checked against the steps inside.",
			steps: `  a: {phase: verify, use: sub.yaml, with: {name: a}, targets: {place: cluster}, components: {data: db}}
  b: {use: sub.yaml, with: {name: a}, targets: {place: cluster}, components: {data: db}}
  c: {phase: verify, use: phased.yaml}
  d: {use: mixed.yaml}
  save: {phase: backup, action: database.backup, with: {database: {}}, covers: [db], consistency: online}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
targets: {place: {kind: kubernetes}}
components: {data: {kind: database}}
inputs:
  name: {type: string, pattern: "[a-z]+"}
  list: {type: list, items: string, default: []}
steps:
  a: {forEach: "${inputs.list}", as: x, action: kube.scale, with: {name: "${inputs.name}-${x}"}, changes: [data]}
outputs:
  one: {value: "${steps.a.outputs.size()}"}
`, "phased.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: phased, summary: A part.}
steps: {look: {phase: verify, action: file.read, with: {path: x}}}
`, "mixed.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: mixed, summary: A part.}
steps:
  look: {phase: verify, action: file.read, with: {path: x}}
  more: {action: file.read, with: {path: x}}
`},
			want: []string{
				`PhaseMissing mixed.yaml:6:3: error: step "more" has no phase: name the phase of every step of the sub-procedure, or of none`,
				`PhaseEffect 16:18: error: step "a" of sub.yaml of phase verify uses kube.scale, which changes things: verify only reads, or creates objects of its own; move the step to upgrade or resume`,
				`PhaseMissing 17:7: error: step "b" has no phase: add phase: upgrade, or another of the phases`,
				`KeyNotPermitted 18:18: error: step "c" cannot have phase: the steps of phased.yaml name their own: remove phase`,
			},
		},
		"Closed": {
			reason: "A sub-procedure sees nothing of the procedure around it.",
			steps: `  a: {use: closed.yaml}
`,
			files: memory{"closed.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: closed, summary: A part.}
versions: versions.yaml
stages: []
steps:
  look: {phase: verify, action: file.read, with: {path: "${observe.installed.text}"}}
`},
			want: []string{
				"KeyNotPermitted closed.yaml:4:1: error: a SubProcedure cannot have versions: only a procedure has it; hand values over with inputs",
				"KeyNotPermitted closed.yaml:5:1: error: a SubProcedure cannot have stages: only a procedure has it; hand values over with inputs",
				`UnknownReference closed.yaml:7:60: error: there is no variable "observe": one of: inputs, platform, steps`,
			},
		},
		"NotASubProcedure": {
			reason: "Only sub-procedures can be used.",
			steps: `  a: {phase: upgrade, use: procedure.yaml}
  b: {phase: upgrade, use: other.yaml}
  c: {phase: upgrade, use: gone.yaml}
  d: {phase: upgrade, use: ../up.yaml}
  e: {phase: upgrade, needs: [c], action: http.get, with: {url: "${steps.c.output.what}"}}
`,
			files: memory{"other.yaml": `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: other, summary: Another one.}
stages: []
`},
			want: []string{
				`WrongKind other.yaml:2:7: error: "other.yaml" is a Procedure, not a SubProcedure: a step can use sub-procedures only; write kind: SubProcedure`,
				"UseCycle 16:32: error: files use each other in a circle: procedure.yaml → procedure.yaml: remove one of these uses",
				`FileNotFound 18:32: error: sub-procedure "gone.yaml" does not exist: write a path relative to the file that names it`,
				`BadFileName 19:32: error: "../up.yaml" is not the name of a file in the folder of the procedure: write a path such as steps/backup.yaml, without a leading / and without ..`,
			},
		},
	})
}
