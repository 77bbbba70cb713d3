package procedure_test

import "testing"

func TestMistakesSecrets(t *testing.T) {
	t.Parallel()
	login := "  login: {action: login.read}\n"
	runMistakes(t, map[string]mistake{
		"Literal": {
			reason: "A secret that is written out is not quoted.",
			inputs: "  token: {type: secret}\n",
			steps: `  a: {phase: verify, action: login.read, with: {headers: {Authorization: Bearer x}}}
  b: {phase: verify, action: login.read, with: {headers: {Authorization: "Bearer ${inputs.token}"}}}
  c: {phase: verify, action: login.read, with: {headers: {Authorization: "${inputs.token}"}}}
  d: {phase: verify, action: login.read, with: {headers: {Authorization: {env: TOKEN, prefix: "Bearer "}}}}
`,
			want: []string{
				"TypeMismatch 17:78: error: headers.Authorization is a string, needs a secret: write {env: NAME}, {file: PATH}, {command: [PROGRAM, …]} or {kubernetes: {namespace: NAMESPACE, name: NAME, key: KEY}}",
				`TypeMismatch 18:78: error: headers.Authorization is a string of several parts, needs a secret: pass the secret on whole; a text before it, such as "Bearer ", is the prefix of its reference: {env: NAME, prefix: "Bearer "}`,
			},
		},
		"Facts": {
			reason:  "Of a sensitive fact only the hash is known.",
			observe: login + `  more: {action: login.read, with: {any: "${observe.login.password}"}}` + "\n",
			steps: `  a: {phase: verify, action: login.read, with: {any: "x ${observe.login.password}"}}
  b: {phase: verify, action: login.read, with: {any: "${observe.login}"}}
  c: {phase: verify, action: kube.version, when: "${observe.login.password != ''}"}
  d: {phase: verify, action: kube.version, description: "${observe.login.user}", when: "${has(observe.login.password)}"}
`,
			want: []string{
				"SensitiveFact 14:59: error: observe.login.password is sensitive: a plan holds only its hash: use an input of type secret, which is resolved inside the action that needs it",
				"SensitiveFact 18:77: error: observe.login.password is sensitive: a plan holds only its hash: use an input of type secret, which is resolved inside the action that needs it",
				"SensitiveFact 19:69: error: observe.login has sensitive members: a plan holds only their hashes: select the members that are needed; for a password use an input of type secret",
				"SensitiveFact 20:71: error: observe.login.password is sensitive: a plan holds only its hash: use an input of type secret, which is resolved inside the action that needs it",
			},
		},
		"Expects": {
			reason:  "A fact with sensitive members is not compared with what is written.",
			observe: login,
			stages: `  - id: one
    expects: {login: {user: a, password: b}, login.user: "${observe.login.password}"}
    steps: {look: {phase: verify, action: kube.version}}
`,
			want: []string{
				`SensitiveFact 16:15: error: expects names "login", which has sensitive members that are never known: name one of its other members`,
				"SensitiveFact 16:75: error: observe.login.password is sensitive: a plan holds only its hash: use an input of type secret, which is resolved inside the action that needs it",
			},
		},
		"Outputs": {
			reason: "Of a sensitive output only the hash is recorded.",
			steps: `  a: {phase: verify, action: login.read}
  b: {phase: verify, action: login.read, needs: [a], with: {any: "${steps.a.output.password}"}}
  c: {phase: verify, action: login.read, needs: [a], with: {any: "${steps.a.output}"}, description: "${steps.a.output.password}"}
`,
			want: []string{
				"SensitiveFact 17:88: error: steps.a.output.password is sensitive: a run holds only its hash: use an input of type secret, which is resolved inside the action that needs it",
				"SensitiveFact 18:81: error: steps.a.output has sensitive members: a run holds only their hashes: select the members that are needed; for a password use an input of type secret",
				"SensitiveFact 18:123: error: steps.a.output.password is sensitive: a run holds only its hash: use an input of type secret, which is resolved inside the action that needs it",
			},
		},
		"ForEach": {
			reason:  "A list may be gone through; its members are looked at like all others.",
			observe: login,
			steps: `  a: {phase: verify, action: login.read, forEach: "${[observe.login]}", key: "${item.user}", with: {any: "${item.user}"}}
  b: {phase: verify, action: login.read, forEach: "${[observe.login]}", key: "${item.password}", with: {any: "${item}"}}
`,
			want: []string{
				"SensitiveFact 18:90: error: item.password is sensitive: a plan holds only its hash: use an input of type secret, which is resolved inside the action that needs it",
				"SensitiveFact 18:117: error: item has sensitive members: a plan holds only their hashes: select the members that are needed; for a password use an input of type secret",
			},
		},
	})
}
