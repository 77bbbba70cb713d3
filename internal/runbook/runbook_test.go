package runbook_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/runbook"
)

// memory is a folder in memory.
type memory map[string][]byte

func (m memory) ReadFile(name string) ([]byte, error) {
	if data, ok := m[name]; ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

func catalog(tb testing.TB) action.Catalog {
	tb.Helper()
	registry, err := all.NewRegistry(all.NewClients(nil))
	if err != nil {
		tb.Fatal(err)
	}
	return registry
}

// build makes a draft of a page, which has to be one.
func build(tb testing.TB, page string) *runbook.Draft {
	tb.Helper()
	book, ds := runbook.Load("page.md", []byte(page))
	if book == nil {
		tb.Fatal(ds)
	}
	d, ds := runbook.Build(book, runbook.Options{})
	if d == nil {
		tb.Fatal(ds)
	}
	return d
}

// lint loads what was rendered, and fails on any diagnostic.
func lint(tb testing.TB, d *runbook.Draft) *procedure.Procedure {
	tb.Helper()
	text := d.RenderProcedure()
	proc, ds := procedure.Load(memory{"procedure.yaml": text}, "procedure.yaml", catalog(tb))
	if len(ds) > 0 {
		tb.Fatalf("the procedure does not lint:\n%v\n%s", ds, text)
	}
	if _, ds := platform.Load("platform.yaml", d.RenderPlatform()); len(ds) > 0 {
		tb.Fatalf("the platform file does not lint:\n%v\n%s", ds, d.RenderPlatform())
	}
	return proc
}

// Whatever a page says, no step lets Refit run anything: each waits for a person.
func onlyPeople(tb testing.TB, proc *procedure.Procedure) {
	tb.Helper()
	for _, s := range proc.Stages {
		for _, step := range slices.Concat(s.Steps, s.Abort) {
			if step.Spec.Gate == "" {
				tb.Errorf("step %s of stage does not wait for a person: it uses %s", step.ID, step.Spec.Name)
			}
		}
	}
	if len(proc.Facts) > 0 || len(proc.Probes) > 0 {
		tb.Error("the procedure observes something by itself")
	}
}

var (
	word     = regexp.MustCompile(`[\p{L}\p{N}]+`)
	inputRef = regexp.MustCompile(`\$\{inputs\.([a-z0-9_]+)\}`)
	lineHead = regexp.MustCompile(`(?m)^\s*(?:# ?)*`)
)

// lost returns the words of a page that do not stand in what was made of it, in
// their order: lines are joined and marks left out, so that only words count.
func lost(page string, d *runbook.Draft) []string {
	made := lineHead.ReplaceAllString(string(d.RenderProcedure()), " ")
	names := map[string]string{}
	for _, in := range d.Inputs {
		names[in.Name] = in.Text
	}
	made = inputRef.ReplaceAllStringFunc(made, func(ref string) string { return names[inputRef.FindStringSubmatch(ref)[1]] })
	made = " " + strings.Join(word.FindAllString(made, -1), " ") + " "
	var out []string
	for line := range strings.SplitSeq(page, "\n") {
		words := word.FindAllString(strings.TrimSpace(line), -1)
		if len(words) == 0 {
			continue
		}
		// A line may be split between two steps, but not its halves.
		if !contains(made, words) {
			out = append(out, line)
		}
	}
	return out
}

// contains tells whether words stand in a text one behind the other, in at most
// some pieces.
func contains(text string, words []string) bool {
	const pieces = 4
	for range pieces {
		n := len(words)
		for n > 0 && !strings.Contains(text, " "+strings.Join(words[:n], " ")+" ") {
			n--
		}
		if words = words[n:]; len(words) == 0 {
			return true
		}
		if n == 0 {
			return false
		}
	}
	return false
}
