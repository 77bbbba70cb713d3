package runbook_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/runbook"
)

// What is no runbook is refused in one line.
func TestRefused(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		data []byte
		want string
	}{
		"Empty":     {[]byte(" \n\n"), "page.md: error: the file is empty"},
		"NotUTF8":   {[]byte("# a\n\xff\n"), "page.md:2: error: the file is not UTF-8 text: save the page as Markdown in UTF-8"},
		"Binary":    {[]byte("PK\x00\x03"), "page.md: error: the file is not text: it holds zero bytes: save the page as Markdown in UTF-8"},
		"Large":     {bytes.Repeat([]byte("a"), 4<<20+1), "page.md: error: the runbook has 4.0 MiB, at most 4 MiB are read: is this the file that you mean?"},
		"Deep":      {[]byte("a\n\n" + strings.Repeat(">", 1000) + "b\n"), "page.md:3: error: more than 50 lists and quotations stand one inside the other: is this the file that you mean?"},
		"DeepList":  {[]byte(strings.Repeat("- ", 60) + "b\n"), "page.md:1: error: more than 50 lists and quotations stand one inside the other: is this the file that you mean?"},
		"NothingIn": {[]byte("# About\n\nThe hub is old.\n"), "page.md: error: nothing in the runbook says what to do: it holds no commands, no list of steps and no sentence that begins with a verb: is this the file that you mean?"},
		"TooMany":   {[]byte(strings.Repeat("1. Stop it.\n", 10_001)), `page.md: error: stage "upgrade" would have 10001 steps, at most 10000 are permitted: split the runbook into pages of their own`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			book, ds := runbook.Load("page.md", tc.data)
			if book != nil {
				var d *runbook.Draft
				if d, ds = runbook.Build(book, runbook.Options{}); d != nil {
					t.Fatalf("there is a draft: %+v", d.Counts)
				}
			}
			if got := ds.Error(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// A page as large as is permitted is imported in little time, or refused.
func TestLargePage(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("The hub is a program that people log in to, and nothing else.\n\n", 4_000) + "Stop it.\n\n    systemctl stop a\n"
	onlyPeople(t, lint(t, build(t, page)))
}

// The order of a page is kept: each step waits for the one above it.
func TestOrder(t *testing.T) {
	t.Parallel()
	d := build(t, "# Up\n\n1. Stop it.\n2. Check that it is off.\n3. Start it.\n\n## Cleanup\n\nDelete the copies.\n")
	proc := lint(t, d)
	if len(proc.Stages) != 1 {
		t.Fatalf("%d stages, want 1", len(proc.Stages))
	}
	order := map[string]int{"prepare": 0, "preflight": 1, "quiesce": 2, "backup": 3, "upgrade": 4, "verify": 5, "resume": 6, "cleanup": 7}
	before := ""
	phase := ""
	for _, s := range proc.Stages[0].Steps {
		now := s.Source.Phase.Value
		if order[now] < order[phase] {
			t.Errorf("step %s of phase %s stands behind one of phase %s", s.ID, now, phase)
		}
		if now == phase && (len(s.Source.Needs) != 1 || s.Source.Needs[0].Value != before) {
			t.Errorf("step %s does not wait for %s", s.ID, before)
		}
		before, phase = s.ID, now
	}
}

// Expressions of Refit that a page happens to hold are text, and its placeholders
// are inputs.
func TestExpressionsAreText(t *testing.T) {
	t.Parallel()
	const fence = "```"
	d := build(t, "Run ${inputs.x} now:\n\n"+fence+"sh\necho ${observe.y} $${A:-b} $<name>\n"+fence+"\n")
	lint(t, d)
	text := string(d.RenderProcedure())
	for _, want := range []string{"Run $${inputs.x} now:", "$${observe.y}", "$$${A:-b}", `${"$"}${inputs.name}`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
