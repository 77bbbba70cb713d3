package procedure_test

import "testing"

func TestMistakesObserve(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"NotReadOnly": {
			reason: "Facts come from actions that change nothing.",
			observe: `  a: {action: exec.command, with: {command: [ls]}}
  b: {action: scratch.try}
  c: {action: gate.approval, with: {reason: why}}
`,
			want: []string{
				`NotReadOnly 13:15: error: fact "a" is observed with exec.command, which changes things: use a read-only action such as file.read or http.get`,
				`NotReadOnly 14:15: error: fact "b" is observed with scratch.try, which creates objects of its own: use a read-only action such as file.read or http.get`,
				`NotReadOnly 15:15: error: fact "c" is observed with gate.approval, which waits: use a read-only action such as file.read or http.get`,
			},
		},
		"Order": {
			reason: "A fact uses facts above it only.",
			observe: `  a: {action: file.read, with: {path: "${observe.b.text}"}}
  b: {action: file.read, with: {path: "${observe.b.text}"}}
  c: {action: file.read, with: {path: "${json.encode(observe)}"}}
  d-e: {action: file.read, with: {path: x}, when: "${observe.installed.size}"}
`,
			want: []string{
				`FactOrder 13:32: error: fact "a" uses "b", which is not observed before it: facts are observed in the order of the file; move "b" above`,
				`FactOrder 14:32: error: fact "b" uses "b", which is not observed before it: facts are observed in the order of the file; move "b" above`,
				`FactOrder 15:32: error: fact "c" uses all facts: name the facts that it needs`,
				`SensitiveFact 15:54: error: observe has sensitive members: a plan holds only their hashes: select the members that are needed; for a password use an input of type secret`,
				`BadName 16:3: error: fact "d-e" has a name that cannot be selected in expressions: use letters, digits and underscores, beginning with a letter, and no word of the expression language`,
				"TypeMismatch 16:52: error: ${observe.installed.size} is an int, needs a bool",
			},
		},
		"Input": {
			reason: "The input of the action is checked.",
			observe: `  a: {action: file.read, with: {pth: x}}
  b: {action: file.raed}
  c: {action: helm.upgrade@7}
  d: {with: {path: x}}
`,
			want: []string{
				"MissingField 13:32: error: path is missing",
				`UnknownField 13:33: error: unknown field "pth": did you mean "path"?`,
				`UnknownAction 14:15: error: action "file.raed" does not exist: did you mean "file.read"?`,
				`UnknownAction 15:15: error: action "helm.upgrade" has no version "7": the newest is helm.upgrade@2`,
				`MissingKey 16:6: error: d needs the key "action": action: Read-only action.`,
			},
		},
		"UnknownBelow": {
			reason: "A fact whose action is not known does not spread mistakes.",
			observe: `  a: {action: file.raed, with: {path: x}}
`,
			steps: `  look: {phase: verify, action: http.get, with: {url: "${observe.a.whatever.there}"}}
`,
			want: []string{
				`UnknownAction 13:15: error: action "file.raed" does not exist: did you mean "file.read"?`,
			},
		},
	})
}
