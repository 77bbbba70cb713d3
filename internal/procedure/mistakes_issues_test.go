package procedure_test

import "testing"

// issueFile is a file with one known issue; more is what else stands in it.
func issueFile(more string) memory {
	return memory{"issues.yaml": `apiVersion: refit.dev/v1alpha1
kind: Issues
issues:
  burns:
    explanation: It burns.
    source: {note: the manual}
    failing:
      - {message: the lamp burns already, observe: {login: {user: a, password: b}}, benign: true}
      - {message: the lamp burns already, observe: {login: {user: c, password: d}}}
    passing: [{message: the lamp is off}]
` + more}
}

func TestMistakesIssues(t *testing.T) {
	t.Parallel()
	const (
		top    = "issues: issues.yaml\n"
		login  = "  login: {action: login.read}\n"
		look   = "  look: {phase: verify, action: kube.version}\n"
		text   = "    match: {text: the lamp burns already}\n"
		benign = "    benign: '${observe.login.user == \"a\"}'\n"
	)
	runMistakes(t, map[string]mistake{
		"Good": {
			reason: "Facts that only known issues speak of are used.",
			top:    top, observe: login, steps: look,
			files: issueFile(text + benign),
		},
		"Sensitive": {
			reason: "Of a hidden value only the hash is known.",
			top:    top, observe: login, steps: look,
			files: issueFile(text + "    benign: '${observe.login.password == \"b\"}'\n"),
			want: []string{
				"SensitiveFact issues.yaml:12:30: error: observe.login.password is sensitive: a plan holds only its hash: use an input of type secret, which is resolved inside the action that needs it",
			},
		},
		"Unknown": {
			reason: "Actions and facts that are not there are mistakes of the author.",
			top:    top, observe: login, steps: look,
			files: issueFile(text + "    in: {actions: [kube.versoin, login.read@1]}\n" +
				"    benign: '${!has(observe.logon) && observe.login.user == \"a\"}'\n"),
			want: []string{
				`UnknownAction issues.yaml:12:20: error: action "kube.versoin" does not exist: did you mean "kube.version"?`,
				`UnknownAction issues.yaml:12:34: error: action "login.read" is named with its version "1": write login.read`,
				`UnknownField issues.yaml:13:29: error: observe has no member "logon": did you mean "login"?`,
			},
		},
		"Remedies": {
			reason: "A remedy is a step like every other, and needs no other.",
			top:    top, observe: login, steps: look,
			files: issueFile(text + benign + "    remedy: {step: {action: helm.upgrde, max: 1}}\n"),
			want: []string{
				`UnknownAction issues.yaml:13:29: error: action "helm.upgrde" does not exist: did you mean "helm.upgrade"?`,
			},
		},
	})
}
