package procedure_test

import "testing"

func TestMistakesSteps(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Names": {
			reason: "Ids of steps are names.",
			steps: `  Look_1: {phase: verify, action: kube.version}
`,
			want: []string{
				`BadName 16:7: error: step "Look_1" has an id that is not permitted: use lower case letters, digits and dashes, beginning with a letter, at most 63`,
			},
		},
		"ActionOrUse": {
			reason: "A step does one thing.",
			steps: `  a: {phase: verify}
  b: {phase: verify, action: kube.version, use: b.yaml}
`,
			want: []string{
				`NoAction 16:7: error: step "a" has neither action nor use: add action: FAMILY.VERB`,
				`ActionAndUse 17:53: error: step "b" has both action and use: keep action for one operation, or use for a sub-procedure`,
			},
		},
		"Phases": {
			reason: "Every step has a phase.",
			steps: `  a: {action: kube.version}
  b: {phase: verfy, action: kube.version}
`,
			want: []string{
				`PhaseMissing 16:7: error: step "a" has no phase: add phase: upgrade, or another of the phases`,
				`UnknownValue 17:18: error: unknown value "verfy" of phase: did you mean "verify"?`,
			},
		},
		"PhaseEffects": {
			reason: "Phases permit some effects only.",
			steps: `  a: {phase: preflight, action: scratch.try}
  b: {phase: verify, action: kube.restart, with: {name: a}}
  c: {phase: backup, action: kube.restart, with: {name: a}}
  d: {phase: backup, action: kube.scale, with: {name: a}, lease: {until: stage}}
  e: {phase: prepare, action: kube.scale, with: {name: a}, downtime: [db]}
  f: {phase: verify, action: scratch.try}
  g: {phase: preflight, action: gate.approval, with: {reason: why}}
`,
			want: []string{
				`PhaseEffect 16:18: error: step "a" of phase preflight uses scratch.try, which creates objects of its own: preflight only reads; move the step to prepare or upgrade`,
				`PhaseEffect 17:18: error: step "b" of phase verify uses kube.restart, which changes things: verify only reads, or creates objects of its own; move the step to upgrade or resume`,
				`PhaseEffect 18:18: error: step "c" of phase backup uses kube.restart, which is neither a backup nor a proof of one: move the step to quiesce or upgrade, or give it a lease`,
				`PhaseEffect 20:18: error: step "e" of phase prepare takes components down, and prepare may run before the window opens: move the step to quiesce or upgrade`,
			},
		},
		"With": {
			reason: "The input of the action is checked.",
			steps: `  a: {phase: verify, action: http.get}
  b: {phase: verify, action: http.get, with: {url: [a], header: x}}
  c: {phase: upgrade, action: kube.scale, with: {name: a, replicas: "${observe.installed.text}"}}
  d: {phase: verify, action: http.get, with: "${inputs.url}"}
`,
			want: []string{
				"MissingField 16:7: error: url is missing",
				"TypeMismatch 17:56: error: url is a list, needs a string",
				`UnknownField 17:61: error: unknown field "header": one of: url`,
				"TypeMismatch 18:74: error: ${observe.installed.text} is a string, needs an int",
				"TypeMismatch 19:51: error: ${inputs.url} is a string, needs an object",
			},
		},
		"Targets": {
			reason: "A step acts on a target of the right kind.",
			targets: `  old: {kind: kubernetes}
  code: {kind: git}
`,
			steps: `  a: {phase: verify, action: kube.version}
  b: {phase: verify, action: kube.version, target: clutser}
  c: {phase: verify, action: kube.version, target: code}
  d: {phase: verify, action: http.get, with: {url: "${inputs.url}"}, target: old}
  e: {phase: verify, action: kube.version, target: old}
`,
			want: []string{
				"AmbiguousTarget 18:7: error: kube.version could act on cluster, old: add target: cluster",
				`UnknownTarget 19:56: error: target "clutser" is not declared: did you mean "cluster"?`,
				`TargetKind 20:56: error: kube.version does not act on target "code" of kind git: it acts on targets of kind kubernetes`,
				"TargetNotNeeded 21:82: error: http.get acts on no target: remove target",
			},
		},
		"NoTarget": {
			reason: "An action that acts on a target needs one.",
			whole: `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: a, summary: No target.}
stages:
  - {id: a, steps: {look: {phase: verify, action: kube.version}}}
`,
			want: []string{
				"NoTarget 5:21: error: kube.version acts on a target of kind kubernetes, and none is declared: add one to targets, such as kubernetes: {kind: kubernetes}",
			},
		},
		"Components": {
			reason: "Components are declared.",
			steps: `  a:
    phase: upgrade
    action: kube.scale
    with: {name: a}
    lease: {until: stage}
    downtime: [dbb, db, db]
    changes: [web]
`,
			want: []string{
				`UnknownComponent 21:20: error: component "dbb" is not declared: did you mean "db"?`,
				`Duplicate 21:29: error: downtime names "db" twice: remove one of them`,
				`UnknownComponent 22:19: error: component "web" is not declared: one of: db`,
			},
		},
		"Times": {
			reason: "Durations fit together.",
			steps: `  a: {phase: upgrade, action: kube.scale, with: {name: a}, timeout: 1m, duration: {typical: 5m}}
  b: {phase: upgrade, action: kube.scale, with: {name: a}, duration: {typical: 5m, worst: 1m}}
  c: {phase: upgrade, action: kube.scale, with: {name: a}, retry: {attempts: 0}}
  d: {phase: upgrade, action: kube.scale, with: {name: a}, retry: {attempts: 2, backoff: 10s, maxBackoff: 1s}}
  e: {phase: upgrade, action: kube.scale, with: {name: a}, duration: {typical: 20m}}
`,
			want: []string{
				`OutOfRange 16:97: error: step "a" may last 5m0s, but its timeout is 1m0s: write a timeout that is longer than the duration`,
				`OutOfRange 17:95: error: worst duration 1m0s of step "b" is less than the typical 5m0s: write at least the typical duration`,
				`OutOfRange 18:7: error: step "c" has 0 attempts: use 1 to 100`,
				`OutOfRange 19:111: error: maxBackoff 1s of step "d" is less than its backoff 10s: write at least the backoff`,
				`OutOfRange 20:84: error: step "e" may last 20m0s, but its timeout is 10m0s: write a timeout that is longer than the duration`,
			},
		},
		"KeysOfUse": {
			reason: "Keys that belong to the other kind of step are refused.",
			steps: `  a: {phase: verify, action: kube.version, targets: {a: cluster}, components: {a: db}}
  b: {phase: verify, use: sub.yaml, target: cluster, timeout: 1m, order: free, reversible: undo}
`,
			files: memory{"sub.yaml": `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part.}
targets: {cluster: {kind: kubernetes}}
steps: {look: {action: kube.version}}
`},
			want: []string{
				`KeyNotPermitted 16:7: error: step "a" cannot have targets: it belongs to steps with use`,
				`KeyNotPermitted 16:7: error: step "a" cannot have components: it belongs to steps with use`,
				`KeyNotPermitted 17:49: error: step "b" cannot have target: write it into the steps of the sub-procedure`,
				`KeyNotPermitted 17:67: error: step "b" cannot have timeout: write it into the steps of the sub-procedure`,
				`KeyNotPermitted 17:78: error: step "b" cannot have order: write it into the steps of the sub-procedure`,
				`KeyNotPermitted 17:96: error: step "b" cannot have reversible: write it into the steps of the sub-procedure`,
			},
		},
		"LeaseNotObservable": {
			reason: "Somebody else's value should be seen before it is taken back.",
			steps: `  a: {phase: quiesce, action: exec.command, with: {command: [x], undo: {command: [y]}}, lease: {until: stage}}
  b: {phase: quiesce, action: exec.command, with: {command: [x], undo: {command: [y]}, observe: {command: [z]}}, lease: {until: stage}}
`,
			want: []string{
				`NotObservable 16:7: warning: a crash during step "a" leaves it in doubt: nothing says whether it has happened: add observe to with`,
				`LeaseNotObservable 16:100: warning: step "a" gives its change back although somebody else may have changed it meanwhile: nothing looks: add observe to with, which succeeds only while what the step has set is there, and prints what is`,
			},
		},
		"NotObservable": {
			reason: "A crash should not leave a step in doubt.",
			steps: `  a: {phase: upgrade, action: exec.command, with: {command: [x], undo: {command: [y]}}}
`,
			want: []string{
				`NotObservable 16:7: warning: a crash during step "a" leaves it in doubt: nothing says whether it has happened: add observe to with`,
			},
		},
	})
}
