package runbook_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/runbook"
)

// TestRealRunbooks imports pages that people really follow, where they are at
// hand: they are not part of the source.
func TestRealRunbooks(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../shared/source/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		files, _ = filepath.Glob("../../../../shared/source/*.txt")
	}
	if len(files) == 0 {
		t.Log("not tried: there is no folder ../shared/source beside the checkout")
	}
	left := regexp.MustCompile(`^\s*(?:\{%.*%\}|-+\s*\[.*\]\(.*\)|\*\*Contents:\*\*|` + "```.*" + `|\d+\.)\s*$`)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			page := string(data)
			book, ds := runbook.Load(file, data)
			if book == nil {
				t.Fatal(ds)
			}
			d, ds := runbook.Build(book, runbook.Options{})
			if d == nil {
				t.Fatal(ds)
			}
			onlyPeople(t, lint(t, d))
			for _, line := range lost(page, d) {
				if !left.MatchString(line) {
					t.Errorf("lost: %s", line)
				}
			}
			fences := strings.Count(page, "```") / 2
			t.Logf("%+v, %d fences, %d findings", d.Counts, fences, len(d.Findings))
			if d.Counts.Steps < fences/2 || d.Counts.Steps > 60 {
				t.Errorf("%d steps of %d fences", d.Counts.Steps, fences)
			}
			if d.Counts.CommandSteps > d.Counts.Steps {
				t.Errorf("%+v", d.Counts)
			}
		})
	}
}
