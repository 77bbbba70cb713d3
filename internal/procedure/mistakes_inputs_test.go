package procedure_test

import "testing"

func TestMistakesInputs(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Names": {
			reason: "Inputs are selected with dots.",
			inputs: `  my-input: {type: string, default: a}
  in: {type: string, default: a}
`,
			want: []string{
				`BadName 11:3: error: input "my-input" has a name that cannot be selected in expressions: use letters, digits and underscores, beginning with a letter, and no word of the expression language`,
				`BadName 12:3: error: input "in" has a name that cannot be selected in expressions: use letters, digits and underscores, beginning with a letter, and no word of the expression language`,
			},
		},
		"Keys": {
			reason: "Some keys are for some types only.",
			inputs: `  a: {type: int, enum: [x], default: 1}
  b: {type: int, pattern: x, default: 1}
  c: {type: string, items: int, default: x}
  d: {type: string, fields: {e: {type: int}}, default: x}
  f: {type: string, optional: true, default: x}
`,
			want: []string{
				`KeyNotPermitted 11:13: error: input "a" of type int cannot have enum: enum is for inputs of type string`,
				`KeyNotPermitted 12:27: error: input "b" of type int cannot have pattern: pattern is for inputs of type string`,
				`KeyNotPermitted 13:28: error: input "c" of type string cannot have items: items is for inputs of type list or map`,
				`KeyNotPermitted 14:13: error: input "d" of type string cannot have fields: fields is for inputs of type object`,
				`KeyNotPermitted 15:46: error: input "f" is optional and has a default: remove optional: an input with a default is always there`,
			},
		},
		"Defaults": {
			reason: "A default is a literal value of the declared type.",
			inputs: `  a: {type: int, default: one}
  b: {type: duration, default: soon}
  c: {type: string, enum: [x, y], default: z}
  d: {type: list, items: int, default: [1, two]}
  e: {type: object, fields: {f: {type: string}, g: {type: int, default: 1}}, default: {h: 1}}
  i: {type: string, default: "${inputs.a}"}
  j: {type: string, default: }
  k: {type: secret, default: hunter2}
`,
			want: []string{
				"TypeMismatch 11:27: error: the value is a string, needs an int",
				`InvalidDuration 12:32: error: "soon" is not a duration; write a number with a unit, such as 90s, 20m, 1h30m or 7d`,
				`UnknownValue 13:44: error: the value cannot be "z": did you mean "x"?`,
				"TypeMismatch 14:44: error: 1 is a string, needs an int",
				"MissingField 15:87: error: f is missing",
				`UnknownField 15:88: error: unknown field "h": did you mean "f"?`,
				`DefaultNotLiteral 16:30: error: the default of input "i" holds an expression: write a literal value; defaults are known before anything is observed`,
				`EmptyDefault 17:30: error: the default of input "j" is empty: write a value, or optional: true`,
				`SecretDefault 18:30: error: input "k" is a secret and has a literal default: remove it: the platform file names the secret by env, file, command or kubernetes`,
			},
		},
		"Patterns": {
			reason: "Patterns compile and match.",
			inputs: `  a: {type: string, pattern: "[a", default: x}
  b: {type: string, pattern: "[a-z]+", default: "a1"}
  c: {type: string, pattern: "[a-z]+", enum: [ok, "1"], default: ok}
`,
			want: []string{
				`BadPattern 11:30: error: pattern "[a" of input "a" is not a regular expression: write it in the RE2 syntax of Go`,
				`PatternMismatch 12:49: error: default "a1" of input "b" does not match its pattern: the whole value must match [a-z]+`,
				`PatternMismatch 13:51: error: value "1" of input "c" does not match its pattern: the whole value must match [a-z]+`,
			},
		},
		"Unused": {
			reason: "What nothing refers to is pointed out.",
			inputs: `  spare: {type: string, default: x}
`,
			targets: `  other: {kind: kubernetes}
  pinned: {kind: git}
`,
			components: `  web: {kind: service}
`,
			observe: `  extra: {action: file.read, with: {path: x}}
`,
			steps: `  look: {phase: verify, action: kube.version, target: cluster}
`,
			want: []string{
				`Unused 6:3: warning: target "other" is not used: remove it, or let a step act on it`,
				`Unused 9:3: warning: component "db" is not used: remove it, or name it in changes, downtime, quiesces or covers`,
				`Unused 10:3: warning: component "web" is not used: remove it, or name it in changes, downtime, quiesces or covers`,
				`Unused 12:3: warning: input "url" is not used: remove it, or use ${inputs.url}`,
				`Unused 13:3: warning: input "hosts" is not used: remove it, or use ${inputs.hosts}`,
				`Unused 14:3: warning: input "spare" is not used: remove it, or use ${inputs.spare}`,
				`Unused 16:3: warning: fact "installed" is not used: remove it, or use ${observe.installed}`,
				`Unused 17:3: warning: fact "extra" is not used: remove it, or use ${observe.extra}`,
			},
		},
	})
}
