package runbook_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/runbook"
)

// rewrite does what the comments of a procedure say: it puts the lines behind each
// step in the place of action, with and reversible, and adds the inputs that they
// need.
func rewrite(text string) string {
	var out []string
	from := -1 // where the action of the step begins
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		trimmed := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(trimmed)]
		switch {
		case strings.HasPrefix(trimmed, "action: "):
			from = len(out)
		case strings.HasPrefix(trimmed, "# To let Refit do it,"):
			out = out[:from]
			for i++; i < len(lines) && (strings.HasPrefix(lines[i], indent+"#   ") || lines[i] == indent+"#"); i++ {
				out = append(out, indent+strings.TrimPrefix(strings.TrimPrefix(lines[i], indent+"#"), "   "))
			}
			i--
			continue
		case strings.HasPrefix(line, "# A step that Refit does needs these:"):
			for i++; i < len(lines) && strings.HasPrefix(lines[i], "#   "); i++ {
				out = append(out, strings.TrimPrefix(lines[i], "#   "))
			}
			i--
			continue
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// FuzzImport imports anything. There is one diagnostic of one line, or a procedure
// that lints without even a warning, in which people do everything and which can be
// rewritten step by step.
func FuzzImport(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, page := range pages() {
		f.Add([]byte(page))
	}
	catalog := catalog(f)
	oneLine := regexp.MustCompile(`^[^\n]+$`)
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 10 * time.Second
		timer := time.AfterFunc(most, func() { panic("importing takes too long") })
		defer timer.Stop()
		book, ds := runbook.Load("page.md", data)
		if (book == nil) != ds.HasErrors() {
			t.Fatalf("no runbook: %v, but %v", book == nil, ds)
		}
		if book == nil {
			if len(ds) != 1 || !oneLine.MatchString(ds[0].String()) {
				t.Fatalf("not one line: %v", ds)
			}
			return
		}
		d, ds := runbook.Build(book, runbook.Options{})
		if (d == nil) != ds.HasErrors() {
			t.Fatalf("no draft: %v, but %v", d == nil, ds)
		}
		if d == nil {
			return
		}
		onlyPeople(t, lint(t, d))
		text := rewrite(string(d.RenderProcedure()))
		if _, ds := procedure.Load(memory{"procedure.yaml": []byte(text)}, "procedure.yaml", catalog); ds.HasErrors() {
			t.Fatalf("what the comments say does not lint:\n%v\n%s", ds, text)
		}
	})
}
