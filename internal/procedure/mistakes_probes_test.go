package procedure_test

import "testing"

func TestMistakesProbes(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistake{
		"Kinds": {
			reason: "A probe measures exactly one thing.",
			top: `probes:
  a: {component: db}
  b: {component: db, tcp: {address: "localhost:1"}, http: {url: "${inputs.url}"}}
  c: {component: dbb, http: {url: "${inputs.ulr}", every: 10ms, status: [200, 700]}}
  D: {component: db, exec: {command: []}}
  e: {component: db, exec: {command: [a, 1]}}
`,
			want: []string{
				`ProbeKind 18:3: error: probe "a" has 0 of http, tcp and exec: write exactly one of them`,
				`ProbeKind 19:3: error: probe "b" has 2 of http, tcp and exec: write exactly one of them`,
				`OutOfRange 20:3: error: status 700 of probe "c" is not a status code of HTTP: use 100 to 599`,
				`OutOfRange 20:3: error: probe "c" samples every 10ms: use at least 100ms: a probe must not be a load`,
				`UnknownComponent 20:18: error: component "dbb" is not declared: did you mean "db"?`,
				`UnknownField 20:45: error: inputs has no member "ulr": one of: hosts, url`,
				`BadName 21:3: error: probe "D" has a name that is not permitted: use lower case letters, digits and dashes, beginning with a letter, at most 63`,
				`EmptyCommand 21:38: error: probe "D" has an empty command: name a program`,
				"TypeMismatch 22:42: error: 1 is an int, needs a string: put it in quotes",
			},
		},
	})
}
