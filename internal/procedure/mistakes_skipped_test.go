package procedure_test

import "testing"

func TestMistakesSkipped(t *testing.T) {
	t.Parallel()
	const some = "  some: {phase: prepare, when: \"${inputs.url != ''}\", action: file.read, with: {path: x}}\n"
	warning := func(at string) []string {
		return []string{at + `: warning: step "some" may be skipped, then its output is not there: guard it with has(steps.some.output)`}
	}
	read := func(more, text string) string {
		return some + "  a: {phase: verify" + more + ", action: http.get, with: {url: \"" + text + "\"}}\n"
	}
	runMistakes(t, map[string]mistake{
		"NotGuarded": {
			reason: "The output of a step with when may be missing.",
			steps:  read("", "${string(steps.some.output.size)}"), want: warning("MayBeSkipped 17:50"),
		},
		"Guarded":       {reason: "has() asks for it.", steps: read("", "${has(steps.some.output) ? string(steps.some.output.size) : ''}")},
		"GuardedByWhen": {reason: "So may the condition of the step.", steps: read(`, when: "${has(steps.some.output)}"`, "${string(steps.some.output.size)}")},
		"SameWhen":      {reason: "The same condition skips both.", steps: read(`, when: "${inputs.url != ''}"`, "${string(steps.some.output.size)}")},
		"Use": {
			reason: "A use that is skipped has no outputs.",
			steps: "  some: {phase: prepare, use: sub.yaml, when: \"${inputs.url != ''}\"}\n" +
				"  a: {phase: verify, action: http.get, with: {url: \"${string(steps.some.output.size)}\"}}\n",
			files: memory{"sub.yaml": subFile("  look: {action: file.read, with: {path: x}}\n") +
				"outputs: {size: {value: \"${steps.look.output.size}\"}}\n"},
			want: warning("MayBeSkipped 17:50"),
		},
		"OutputOfASub": {
			reason: "An output of a sub-procedure may rest on a step that is skipped.",
			steps:  "  use: {phase: prepare, use: sub.yaml}\n",
			files: memory{"sub.yaml": subFile("  look: {when: \"${platform.name == 'a'}\", action: file.read, with: {path: x}}\n") +
				"outputs: {size: {value: \"${steps.look.output.size}\"}}\n"},
			want: []string{`MayBeSkipped sub.yaml:6:25: warning: step "look" may be skipped, then its output is not there: guard it with has(steps.look.output)`},
		},
	})
}

func TestMistakesPreflight(t *testing.T) {
	t.Parallel()
	const rule = "remove it: a check that fails blocks until a person accepts it by name"
	runMistakes(t, map[string]mistake{
		"Continues": {
			reason: "A check that fails blocks.",
			steps:  "  a: {phase: preflight, action: kube.version, onFailure: continue}\n  b: {phase: verify, action: kube.version, onFailure: continue}\n",
			want:   []string{`PreflightContinues 16:62: error: step "a" of phase preflight has onFailure: continue: ` + rule},
		},
		"Use": {
			reason: "Checks of a sub-procedure block as well.",
			steps:  "  a: {phase: preflight, use: sub.yaml, onFailure: continue}\n  b: {phase: preflight, use: sub.yaml}\n",
			files:  memory{"sub.yaml": subFile("  look: {action: file.read, with: {path: x}, onFailure: continue}\n")},
			want: []string{
				`PreflightContinues 16:18: error: step "look" of sub.yaml of phase preflight has onFailure: continue: ` + rule,
				`PreflightContinues 16:55: error: step "a" of phase preflight has onFailure: continue: ` + rule,
				`PreflightContinues 17:18: error: step "look" of sub.yaml of phase preflight has onFailure: continue: ` + rule,
			},
		},
		"Stage": {
			reason: "What the stage says does not reach its checks.",
			stages: "  - id: one\n    onFailure: continue\n    steps: {look: {phase: preflight, action: kube.version}}\n",
		},
	})
}

func TestMistakesFactPaths(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Quoted": {
			reason: "Parts that are no identifiers stand in brackets.",
			observe: `  release: {action: helm.release, with: {name: a, namespace: b}}
`,
			stages: `  - id: one
    expects:
      release.values["hub.db.upgrade"]: true
      release.chart["version"]: "1"
      release.values.hub-db: true
      release["nothing"]: 1
      "release..chart": 1
    steps: {look: {phase: verify, action: kube.version}}
`,
			want: []string{
				`UnknownFact 19:7: error: expects: path "release.values.hub-db": "hub-db" has to be written as ["hub-db"]: write it like the end of an expression: release.values["hub.db.upgrade"]`,
				`UnknownFact 20:7: error: expects names "release.nothing", but release has no "nothing": one of: chart, revision, values`,
				`UnknownFact 21:7: error: expects: path "release..chart": "" has to be written as [""]: write it like the end of an expression: release.values["hub.db.upgrade"]`,
			},
		},
	})
}
