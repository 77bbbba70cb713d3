package runbook_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// meantLost are lines that are left out, each with a finding or by rule: fences and
// their languages, the kinds of boxes, tags of templates, and secrets.
var meantLost = regexp.MustCompile("^(?:```.*|!!! .*|:::.*|\\{%.*%\\}|.*(?:hunter2|abcdefgh|abcd1234|s3cr3t).*|root@.*)$")

// Every short page lints, leaves all work to people, and loses nothing.
func TestPages(t *testing.T) {
	t.Parallel()
	for name, page := range pages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := build(t, page)
			onlyPeople(t, lint(t, d))
			for _, line := range lost(page, d) {
				if !meantLost.MatchString(strings.TrimSpace(line)) {
					t.Errorf("lost %q in\n%s", line, d.RenderProcedure())
				}
			}
		})
	}
}

// What is lost is noticed: the test of the test.
func TestLost(t *testing.T) {
	t.Parallel()
	d := build(t, "# Up\n\nStop the hub.\n")
	if got := lost("# Up\n\nStop the hub.\n\nAnd the proxy as well.\n", d); len(got) != 1 {
		t.Errorf("got %q, want the line that is not there", got)
	}
}

// The procedure and the platform file of each page of testdata, and of the page of
// the documentation, are as they are kept.
func TestGolden(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.md")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			d := build(t, string(data))
			onlyPeople(t, lint(t, d))
			if missing := lost(string(data), d); len(missing) > 0 {
				for _, line := range missing {
					if !meantLost.MatchString(strings.TrimSpace(line)) {
						t.Errorf("lost %q", line)
					}
				}
			}
			findings := ""
			for _, f := range d.Findings {
				findings += "# " + f.String() + "\n"
			}
			got := string(d.RenderProcedure()) + "---\n" + string(d.RenderPlatform()) + "---\n" + findings
			golden := strings.TrimSuffix(name, ".md") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}
