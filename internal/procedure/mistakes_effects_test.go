package procedure_test

import "testing"

func TestMistakesEffects(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"ChangesNothing": {
			reason: "Read-only steps have no properties of changes.",
			steps: `  a: {phase: verify, action: kube.version, changes: [db], quiesces: [db], lease: {until: stage}, reversible: undo}
`,
			want: []string{
				`ChangesNothing 16:7: error: step "a" has changes, but kube.version changes nothing: remove changes, or use an action that changes things`,
				`ChangesNothing 16:7: error: step "a" has quiesces, but kube.version changes nothing: remove quiesces, or use an action that changes things`,
				`ChangesNothing 16:7: error: step "a" has lease, but kube.version changes nothing: remove lease, or use an action that changes things`,
				`ChangesNothing 16:114: error: step "a" has reversible, but kube.version changes nothing: remove reversible, or use an action that changes things`,
			},
		},
		"Reversible": {
			reason: "A step that changes things says how it is taken back.",
			steps: `  a: {phase: upgrade, action: kube.wipe, with: {name: a}}
  b: {phase: upgrade, action: kube.wipe, with: {name: a}, reversible: undo}
  c: {phase: upgrade, action: kube.wipe, with: {name: a}, reversible: restore}
  d: {phase: upgrade, action: kube.wipe, with: {name: a}, reversible: "no:"}
  e: {phase: upgrade, action: kube.wipe, with: {name: a}, reversible: no}
  f: {phase: upgrade, action: kube.wipe, with: {name: a}, reversible: maybe}
  g: {phase: upgrade, action: kube.wipe, with: {name: a}, reversible: "no: it is gone"}
  h: {phase: upgrade, action: exec.command, with: {command: [x], observe: {}}}
  i: {phase: upgrade, action: exec.command, with: {command: [x], observe: {}, undo: {}}}
  j: {phase: upgrade, action: kube.scale, with: {name: a}}
`,
			want: []string{
				`ReversibleMissing 16:7: error: step "a" changes things and does not say how it is taken back: what is wiped is gone: write reversible: restore, or reversible: "no: why"`,
				`NoUndo 17:75: error: step "b" cannot be undone: what is wiped is gone: write reversible: restore, or reversible: "no: why"`,
				`NothingToRestore 18:75: error: step "c" changes no component that holds data: name the component in changes, or write reversible: undo`,
				`ReasonMissing 19:75: error: step "d" does not say why it cannot be taken back: write reversible: "no: why"; the plan shows it at the point of no return`,
				`ReasonMissing 20:75: error: step "e" does not say why it cannot be taken back: write reversible: "no: why"; the plan shows it at the point of no return`,
				`BadReversible 21:75: error: reversible "maybe" of step "f" is not known: write undo, restore or "no: why"`,
				`ReversibleMissing 23:7: error: step "h" changes things and does not say how it is taken back: no undo command is given: add undo to with, or write reversible: "no: why"`,
			},
		},
		"Leases": {
			reason: "A lease can be given back, later.",
			steps: `  a: {phase: upgrade, action: kube.wipe, with: {name: a}, lease: {until: stage}}
  b: {phase: upgrade, action: kube.scale, with: {name: a}, lease: {until: forever}}
  c: {phase: upgrade, action: kube.scale, with: {name: a}, lease: {until: "step:nothing"}}
  d: {phase: upgrade, action: kube.scale, with: {name: a}, lease: {until: "step:d"}}
  e: {phase: upgrade, action: kube.scale, with: {name: a}, needs: [d], lease: {until: "step:d"}}
  f: {phase: upgrade, action: kube.scale, with: {name: a}, lease: {until: "step:last"}}
  last: {phase: verify, action: kube.version}
`,
			want: []string{
				`NoLease 16:70: error: step "a" cannot give its change back: what is wiped is gone: remove the lease, or use an action that can be undone`,
				`BadLease 17:79: error: until "forever" of step "b" is not known: write stage, run or step:ID`,
				`UnknownStep 18:79: error: the lease of step "c" ends after "nothing", which does not exist: one of: a, b, c, d, e, f, last`,
				`LeaseEndsBefore 19:79: error: the lease of step "d" ends after the step itself: name a step that runs later, or write until: stage`,
				`LeaseEndsBefore 20:91: error: the lease of step "e" ends after "d", which has ended before it starts: name a step that runs later, or write until: stage`,
			},
		},
		"QuiesceWithoutLease": {
			reason: "Something has to give a quiesce back.",
			components: `  web: {kind: service}
`,
			steps: `  a: {phase: quiesce, action: kube.scale, with: {name: a}, quiesces: [db, web]}
`,
			want: []string{
				`QuiesceWithoutLease 17:7: warning: step "a" quiesces components and nothing gives them back: add lease: {until: stage}`,
				`HoldsNoData 17:79: warning: step "a" quiesces "web", a service that holds no data: name it in downtime instead`,
			},
		},
	})
}
