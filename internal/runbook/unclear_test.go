package runbook

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fenced puts a page of one section together: each text that begins with ` is a fence
// with the word behind it as its language.
func fenced(heading string, texts ...string) string {
	var b strings.Builder
	b.WriteString("# A\n\n## " + heading + "\n\n")
	for _, text := range texts {
		if lang, code, ok := strings.Cut(text, "|"); ok && strings.HasPrefix(lang, "`") {
			text = "```" + lang[1:] + "\n" + code + "\n```"
		}
		b.WriteString(text + "\n\n")
	}
	return b.String()
}

// asked returns the kind, the phase and the text of every step, and the codes of what
// was found.
func asked(tb testing.TB, page string) (steps, findings []string) {
	tb.Helper()
	book, ds := Load("page.md", []byte(page))
	if book == nil {
		tb.Fatal(ds)
	}
	d, ds := Build(book, Options{})
	if d == nil {
		tb.Fatal(ds)
	}
	for s := range d.all() {
		kind := "do"
		if s.kind.gate() {
			kind = "approve"
		}
		steps = append(steps, kind+" "+string(s.phase)+": "+strings.Join(strings.Fields(s.asks()), " "))
	}
	for _, f := range d.Findings {
		findings = append(findings, f.Code)
	}
	return steps, findings
}

// What somebody might have to do never becomes a check that one says yes to, unless a
// finding says so.
func TestUnclear(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		page     string
		steps    []string
		findings []string
	}{
		"Verify": {
			fenced("Upgrade", "`|my-tool upgrade --all", "Verify that it works."),
			[]string{"do upgrade: Run this: my-tool upgrade --all", "approve verify: Verify that it works."},
			[]string{"TakenAsCommands"},
		},
		"Wait": {
			fenced("The database", "`|my-tool upgrade --all", "Wait until it works."),
			[]string{"do upgrade: Run this: my-tool upgrade --all", "approve verify: Wait until it works."},
			[]string{"TakenAsCommands"},
		},
		"Told": {
			fenced("Upgrade", "The tool has its turn now.", "`|my-tool upgrade", "Verify that it works."),
			[]string{"do upgrade: The tool has its turn now. my-tool upgrade", "approve verify: Verify that it works."},
			[]string{"TakenAsCommands"},
		},
		"BehindACheck": {
			fenced("Upgrade", "Verify that it is off.", "`|my-tool upgrade --all"),
			[]string{"approve upgrade: Verify that it is off.", "do upgrade: Run this: my-tool upgrade --all"},
			[]string{"TakenAsCommands"},
		},
		"Statement": {
			fenced("Upgrade", "`|ALTER TABLE x ADD y int;", "Verify that it works."),
			[]string{"do upgrade: Do this: ALTER TABLE x ADD y int;", "approve verify: Verify that it works."},
			[]string{"TakenAsCommands"},
		},
		"StatementOfSQL": {
			fenced("Upgrade", "The table grows.", "`sql|ALTER TABLE x ADD y int;", "Wait until it works."),
			[]string{"do upgrade: The table grows. ALTER TABLE x ADD y int;", "approve verify: Wait until it works."},
			[]string{"TakenAsCommands"},
		},
		"StatementBelowVerify": {
			fenced("Verify", "`|DROP TABLE x;", "Verify that it works."),
			[]string{"do upgrade: Do this: DROP TABLE x;", "approve verify: Verify that it works."},
			[]string{"TakenAsCommands"},
		},
		"Script": {
			fenced("Upgrade", "`python|import os\nos.remove('x')", "Verify that it works."),
			[]string{"do upgrade: Do this: import os os.remove('x')", "approve verify: Verify that it works."},
			[]string{"TakenAsCommands"},
		},
		"FileAlone": {
			fenced("Upgrade", "`yaml|a: b", "Verify that it works."),
			[]string{"do upgrade: Do this: a: b", "approve verify: Verify that it works."},
			[]string{"TakenAsCommands"},
		},
		"FileTold": {
			fenced("Upgrade", "The job is this one.", "`yaml|a: b", "Wait until it is done.", "Stop it."),
			[]string{"approve upgrade: The job is this one. a: b Wait until it is done.", "do upgrade: Stop it."},
			[]string{"NotAStep"},
		},
		"Text": {
			fenced("Upgrade", "`text|all good", "Verify that you see this.", "Stop it."),
			[]string{"approve upgrade: Look at this: all good Verify that you see this.", "do upgrade: Stop it."},
			nil,
		},
		"Output": {
			fenced("Upgrade", "`sh|my-tool upgrade", "The output is:", "`|all good"),
			[]string{"do upgrade: Run this: my-tool upgrade The output is: all good"},
			[]string{"TakenAsOutput"},
		},
		"NothingRan": {
			fenced("Upgrade", "The tool with the nice output:", "`|my-tool upgrade", "Verify that it works."),
			[]string{"do upgrade: The tool with the nice output: my-tool upgrade", "approve verify: Verify that it works."},
			[]string{"TakenAsCommands"},
		},
		"Seen": {
			fenced("Upgrade", "`sh|my-tool upgrade", "You should see:", "`|NAME  STATUS\nn1    Ready"),
			[]string{"do upgrade: Run this: my-tool upgrade", "approve verify: You should see: NAME STATUS n1 Ready"},
			nil,
		},
		"Description": {
			"# A\n\n```\nmy-tool upgrade\n```\n\n## Upgrade\n\nStop it.\n",
			[]string{"do upgrade: Stop it."},
			[]string{"NotAStep"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, findings := asked(t, tc.page)
			if diff := cmp.Diff(tc.steps, steps); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing stands under a sentence that is not about it.
func TestIntroduced(t *testing.T) {
	t.Parallel()
	const table = "| a | b |\n|---|---|\n| c | d |"
	const shown = "| a | b | |---|---| | c | d |"
	for name, tc := range map[string]struct{ page, want string }{
		"Table":     {fenced("Upgrade", table, "`sh|my-tool go"), "do upgrade: The runbook shows this: " + shown + " Run this: my-tool go"},
		"Yaml":      {fenced("Upgrade", "`console|a: b\n$ my-tool go\nok"), "do upgrade: The runbook shows this: a: b Run this: my-tool go The runbook shows this output: ok"},
		"Tags":      {fenced("Upgrade", "`console|$ my-tool go\nok", "</details>"), "do upgrade: Run this: my-tool go The runbook shows this output: ok"},
		"TableLast": {fenced("Upgrade", "`console|$ my-tool go\nok", table), "do upgrade: Run this: my-tool go The runbook shows this output: ok The runbook shows this: " + shown},
		"Told":      {fenced("Upgrade", "Run it:", "`sh|my-tool go", "`text|ok"), "do upgrade: Run it: my-tool go The runbook shows this: ok"},
		"Reads":     {fenced("Upgrade", table, "`sh|kubectl get pods"), "approve verify: The runbook shows this: " + shown + " Run this and read what it prints: kubectl get pods"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, _ := asked(t, tc.page)
			if diff := cmp.Diff([]string{tc.want}, steps); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A heredoc whose end the page lost is typed, and somebody is told.
func TestEndlessHeredoc(t *testing.T) {
	t.Parallel()
	steps, findings := asked(t, fenced("Upgrade", "`console|  $ kubectl get ns\n  NAME\n  $ kubectl apply -f - <<EOF\n  a: b"))
	want := "do upgrade: Run this: kubectl get ns kubectl apply -f - <<EOF a: b The runbook shows this output: NAME"
	if diff := cmp.Diff([]string{want}, steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"NotShell"}, findings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
