package versions

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// constraintRow is one example of the reference page.
type constraintRow struct{ constraint, scheme, in, out string }

// constraintRows reads the table of examples of the reference page.
func constraintRows(t *testing.T) []constraintRow {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "versions.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- constraints -->\n")
	table, _, found := strings.Cut(rest, "<!-- end constraints -->")
	if !found {
		t.Fatal("versions.md has no table of constraints")
	}
	first := regexp.MustCompile("^`([^`]*)`(?: \\((\\w+)\\))?$")
	var rows []constraintRow
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00"), "|")
		if i < 2 {
			continue // the head
		}
		m := first.FindStringSubmatch(strings.TrimSpace(cells[0]))
		if len(cells) != 3 || m == nil {
			t.Fatalf("this is no example of a constraint: %s", line)
		}
		row := constraintRow{
			constraint: strings.ReplaceAll(m[1], "\x00", "|"), scheme: m[2],
			in: strings.TrimSpace(cells[1]), out: strings.TrimSpace(cells[2]),
		}
		if row.scheme == "" {
			row.scheme = SchemeSemver
		}
		rows = append(rows, row)
	}
	return rows
}

// TestDocsConstraints checks that the examples of the reference page are true.
func TestDocsConstraints(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile("`([^`]*)`")
	rows := constraintRows(t)
	if len(rows) < 20 {
		t.Fatalf("the page has %d examples of constraints", len(rows))
	}
	for _, row := range rows {
		t.Run(row.constraint, func(t *testing.T) {
			t.Parallel()
			s := newScheme(t, row.scheme, SchemeOptions{})
			c, err := ParseConstraint(s, row.constraint)
			if (err != nil) != (row.in == "refused") {
				t.Fatalf("ParseConstraint(%q): %v, the page says %q", row.constraint, err, row.in)
			}
			if err != nil {
				return
			}
			for text, want := range map[string]bool{row.in: true, row.out: false} {
				for _, m := range quoted.FindAllStringSubmatch(text, -1) {
					if got := c.Match(parse(t, s, m[1])); got != want {
						t.Errorf("%q matches %q: %v, the page says %v", row.constraint, m[1], got, want)
					}
				}
			}
		})
	}
}
