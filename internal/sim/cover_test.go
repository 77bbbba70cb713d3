package sim

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/run"
)

// TestAxes compares the axes of the coverage with the package of the core: what
// is new there cannot be forgotten here.
func TestAxes(t *testing.T) {
	t.Parallel()
	bodies, constants := declared(t)
	for name, axis := range map[string]struct{ got, want []string }{
		"events":   {events(), bodies},
		"statuses": {names("", statuses()), constants["Status"]},
		"parts":    {names("", parts()), constants["Part"]},
		"lives":    {names("", lives()), constants["Life"]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slices.Sort(axis.got)
			slices.Sort(axis.want)
			if d := cmp.Diff(axis.want, axis.got); d != "" {
				t.Errorf("the core has, the coverage has (-, +):\n%s", d)
			}
		})
	}
	for axis, n := range map[int]int{
		len(events()): eventCount, len(statuses()): statusCount, len(parts()): partCount, len(lives()): lifeCount,
	} {
		if axis != n {
			t.Errorf("an axis has %d names, %d are counted", axis, n)
		}
	}
}

// TestMoments finds each event at its own place, and those that are about an
// operation with its life.
func TestMoments(t *testing.T) {
	t.Parallel()
	s := newSim(NewCase(1, Small), nil)
	for i, name := range events() {
		e, err := run.DecodeEvent([]byte(`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"` + name + `@1","data":{}}`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m := s.judge.momentOf(e.Body); m.event != i {
			t.Errorf("%s is counted as event %d, it is event %d", name, m.event, i)
		}
	}
	var about []string
	for _, i := range operational() {
		about = append(about, events()[i])
	}
	want := []string{
		"Observed", "AskFailed", "OperationStarted", "OperationEnded", "IssuesMatched", "TimerFired", "Settled",
	}
	if d := cmp.Diff(want, about); d != "" {
		t.Errorf("the events about operations are (-, +):\n%s", d)
	}
}

// TestRules looks for names in the table that no axis has: they would explain
// nothing.
func TestRules(t *testing.T) {
	t.Parallel()
	known := slices.Concat(names("run ", statuses()), names("stage ", parts()), others())
	for _, r := range rules() {
		for _, e := range r.events {
			if !slices.Contains(events(), e) {
				t.Errorf("there is no event %q: %s", e, r.why)
			}
		}
		for _, s := range r.states {
			if !slices.Contains(known, s) {
				t.Errorf("there is no state %q: %s", s, r.why)
			}
		}
	}
}

// declared reads from the source of the core which events there are, and the
// constants of each type.
func declared(t *testing.T) (bodies []string, constants map[string][]string) {
	t.Helper()
	files, err := filepath.Glob("../run/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the core is not there: %v", err)
	}
	constants = map[string][]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if star := receiver(d); star != "" && d.Name.Name == "body" {
					bodies = append(bodies, star)
				}
			case *ast.GenDecl:
				addConstants(t, constants, d)
			}
		}
	}
	return bodies, constants
}

// receiver returns the type behind the pointer that a method has, or nothing.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) != 1 {
		return ""
	}
	star, ok := d.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return ""
	}
	name, ok := star.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return name.Name
}

func addConstants(t *testing.T, constants map[string][]string, d *ast.GenDecl) {
	t.Helper()
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || d.Tok != token.CONST || v.Type == nil {
			continue
		}
		kind, ok := v.Type.(*ast.Ident)
		if !ok {
			continue
		}
		for _, value := range v.Values {
			text, ok := value.(*ast.BasicLit)
			if !ok {
				continue
			}
			plain, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			constants[kind.Name] = append(constants[kind.Name], plain)
		}
	}
}
