package procedure_test

import "testing"

func TestMistakesNeeds(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Unknown": {
			reason: "needs name steps of the same list.",
			steps: `  first: {phase: verify, action: kube.version}
  b: {phase: verify, action: kube.version, needs: [frist, b, first, first]}
`,
			want: []string{
				`UnknownStep 17:56: error: step "b" needs "frist", which does not exist: did you mean "first"?`,
				`NeedsCycle 17:63: error: step "b" needs itself: remove it from needs`,
				`Duplicate 17:73: error: needs of step "b" name "first" twice: remove one of them`,
			},
		},
		"Cycle": {
			reason: "A circle is reported once.",
			steps: `  a: {phase: verify, action: kube.version, needs: [c]}
  b: {phase: verify, action: kube.version, needs: [a]}
  c: {phase: verify, action: kube.version, needs: [b]}
  d: {phase: verify, action: kube.version, needs: [c]}
`,
			want: []string{
				"NeedsCycle 17:56: error: steps need each other in a circle: a → c → b → a: remove one of these needs",
			},
		},
		"LaterPhase": {
			reason: "No step waits for a later phase.",
			steps: `  a: {phase: preflight, action: kube.version, needs: [b]}
  b: {phase: verify, action: kube.version}
`,
			want: []string{
				`NeedsLaterPhase 16:59: error: step "a" of phase preflight needs "b" of the later phase verify: change the phase of one of them, or let "a" have order: free`,
			},
		},
		"LaterPhaseOverFree": {
			reason: "Not even over a free step.",
			steps: `  a: {phase: preflight, action: kube.version, needs: [f]}
  b: {phase: verify, action: kube.version}
  f: {phase: upgrade, order: free, action: kube.version, needs: [b]}
`,
			want: []string{
				`NeedsLaterPhase 16:7: error: step "a" waits over a step with order: free for a later phase: remove order: free, or the need that leads to the later phase`,
			},
		},
		"Outputs": {
			reason: "A step uses outputs of steps that have ended.",
			steps: `  one: {phase: preflight, action: kube.version}
  two: {phase: verify, action: kube.version}
  three: {phase: verify, action: http.get, with: {url: "${steps.two.output.version}"}}
  four: {phase: verify, action: http.get, with: {url: "${steps.one.output.version}"}}
  five: {phase: verify, order: free, action: http.get, with: {url: "${steps.one.output.version}"}}
  six: {phase: preflight, action: http.get, with: {url: "${steps.two.output.version}"}}
  seven: {phase: verify, action: http.get, with: {url: "${steps.seven.output.body}"}}
  eight: {phase: verify, action: http.get, with: {url: "${json.encode(steps)}"}}
  nine: {phase: verify, needs: [three], action: http.get, with: {url: "${steps.two.output.version}"}}
  ten: {phase: verify, action: http.get, with: {url: "${steps.wto.output.version}"}}
  eleven: {phase: verify, action: http.get, with: {url: "${steps.one.outputs}"}}
`,
			want: []string{
				`NotNeeded 18:54: error: step "three" uses the output of "two" but does not need it: add "two" to its needs`,
				`NotNeeded 20:66: error: step "five" uses the output of "one" but does not need it: add "one" to its needs`,
				`LaterOutput 21:55: error: step "six" of phase preflight uses the output of "two" of the later phase verify: change the phase of one of them`,
				`OwnOutput 22:54: error: step "seven" uses its own output: use the output of a step that has ended before`,
				`AllSteps 23:54: error: step "eight" uses all of steps: name the step: steps["ID"].output`,
				`NotNeeded 24:69: error: step "nine" uses the output of "two" but does not need it: add "two" to its needs`,
				`UnknownField 25:67: error: steps has no member "wto": one of: eight, eleven, five, four, nine, one, seven, six, ten, three, two`,
				`UnknownField 26:74: error: steps.one has no field "outputs": did you mean "output"?`,
			},
		},
		"Dash": {
			reason: "A dash is a subtraction in an expression.",
			steps: `  look-up: {phase: preflight, action: kube.version}
  b: {phase: verify, action: http.get, with: {url: "v${steps.look-up.output.version}"}, when: "${inputs.nothing}"}
  c: {phase: verify, action: http.get, with: {url: "${steps[\"look-up\"].output.version}"}, resource: "${steps.look-up.output.version}"}
`,
			want: []string{
				`DashInReference 17:56: error: steps.look-up is read as a subtraction: write steps["look-up"]`,
				`UnknownField 17:109: error: inputs has no member "nothing": one of: hosts, url`,
				`DashInReference 18:107: error: steps.look-up is read as a subtraction: write steps["look-up"]`,
			},
		},
		"BrokenStepStillDeclared": {
			reason: "Mistakes in one step do not become unknown steps.",
			steps: `  a: {phase: preflight, action: kube.verion, tiemout: 3, retry: 5}
  b: {phase: verify, needs: [a], action: http.get, with: {url: "${steps.a.output.version}"}}
`,
			want: []string{
				`UnknownAction 16:37: error: action "kube.verion" does not exist: did you mean "kube.version"?`,
				`UnknownKey 16:50: error: unknown key "tiemout": did you mean "timeout"?`,
				"WrongType 16:69: error: retry must be a mapping, is the number 5",
			},
		},
		"PlannedValues": {
			reason: "Resource and key are needed when planning.",
			steps: `  one: {phase: preflight, action: helm.release, with: {name: a, namespace: b}}
  two: {phase: verify, action: kube.version, resource: "${steps.one.output.chart.version}"}
  three: {phase: verify, action: kube.version, forEach: "${[steps.one.output.chart.version]}", max: 3, resource: "${item}", key: "${item}"}
  four: {phase: verify, action: kube.version, resource: "${inputs.hosts}"}
`,
			want: []string{
				`NotKnownWhenPlanning 17:60: error: resource of step "two" uses outputs of steps: use inputs or facts: resource must be known when planning`,
				`NotKnownWhenPlanning 18:118: error: resource of step "three" uses outputs of steps: use inputs or facts: resource must be known when planning`,
				"TypeMismatch 19:61: error: ${inputs.hosts} is a list(string), needs a string",
			},
		},
	})
}
