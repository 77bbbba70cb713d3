package all_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/schema"
)

var update = flag.Bool("update", false, "write the generated parts of the reference pages of actions")

const (
	pages       = "../../../docs/reference/actions"
	startMarker = "<!-- generated -->"
	endMarker   = "<!-- end -->"
)

// registry returns everything with real clients; nothing of it is called.
func registry(t *testing.T) *action.Registry {
	t.Helper()
	r, err := all.NewRegistry(all.NewClients(nil))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDocs(t *testing.T) {
	t.Parallel()
	r := registry(t)
	for _, name := range r.Names() {
		spec, _ := r.Spec(name)
		t.Run(name, func(t *testing.T) { t.Parallel(); checkGenerated(t, name+".md", describe(spec)) })
	}
	t.Run("Index", func(t *testing.T) { t.Parallel(); checkGenerated(t, "README.md", index(r)) })
	t.Run("NoOrphans", func(t *testing.T) {
		t.Parallel()
		files, err := filepath.Glob(filepath.Join(pages, "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".md")
			if _, known := r.Action(name); !known && name != "README" {
				t.Errorf("page %s describes no action", file)
			}
		}
	})
}

// checkGenerated compares the part of a page between the markers with want, or
// writes it with -update.
func checkGenerated(t *testing.T, file, want string) {
	t.Helper()
	path := filepath.Join(pages, file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("every action has a page: %v", err)
	}
	head, rest, ok := strings.Cut(string(data), startMarker)
	_, tail, closed := strings.Cut(rest, endMarker)
	if !ok || !closed {
		t.Fatalf("page %s has no part between %s and %s", file, startMarker, endMarker)
	}
	text := head + startMarker + "\n" + want + endMarker + tail
	if *update {
		if now, err := os.ReadFile(path); err == nil && string(now) == text {
			return // Other tests read the page at this moment.
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(text, string(data)); diff != "" {
		t.Errorf("page %s is out of date; make docs writes it (-want +got):\n%s", file, diff)
	}
}

// index lists all actions in a table.
func index(r *action.Registry) string {
	var b strings.Builder
	b.WriteString("| action | effect | what it does |\n|---|---|---|\n")
	for _, name := range r.Names() {
		spec, _ := r.Spec(name)
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", name, name, effect(spec), spec.Summary)
	}
	return b.String()
}

// describe is the generated part of the page of an action.
func describe(spec action.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nContract `%s`, effect: %s.\n", spec.Summary, spec.ID(), effect(spec))
	if spec.Effect != action.ReadOnly {
		fmt.Fprintf(&b, "\n%s\n", undo(spec))
	}
	if spec.ObserveField != "" {
		fmt.Fprintf(&b, "\nAfter a lost attempt the effect can be observed only when `%s` is given; "+
			"else the step is in doubt and a person settles it.\n", spec.ObserveField)
	}
	if spec.Selects {
		b.WriteString("\nPicks out what it acts on when it starts: the step says with `select` how much that may be.\n")
	}
	if len(spec.Targets) > 0 {
		fmt.Fprintf(&b, "\nActs on targets of the kinds %s.\n", strings.Join(spec.Targets, ", "))
	}
	table(&b, "Input", "required", spec.Input)
	table(&b, "Output", "always there", spec.Output)
	return b.String()
}

func effect(spec action.Spec) string {
	text := map[action.Effect]string{
		action.ReadOnly: "read-only", action.Scratch: "scratch", action.Mutating: "mutating",
	}[spec.Effect]
	if spec.Gate != "" {
		text += fmt.Sprintf(", gate (%s)", spec.Gate)
	}
	return text
}

func undo(spec action.Spec) string {
	switch {
	case spec.UndoField != "":
		return fmt.Sprintf("Can be undone when `%s` is given; else not: %s.", spec.UndoField, spec.WhyNoUndo)
	case spec.CanUndo:
		return "Can be undone."
	default:
		return "Cannot be undone: " + spec.WhyNoUndo + "."
	}
}

func table(b *strings.Builder, title, column string, t schema.Type) {
	fmt.Fprintf(b, "\n### %s\n\n| field | type | %s | meaning |\n|---|---|---|---|\n", title, column)
	rows(b, "", t)
}

// rows writes one row for each field of t, those of objects below them.
func rows(b *strings.Builder, prefix string, t schema.Type) {
	for _, name := range t.FieldNames() {
		f := t.Fields[name]
		required := "no"
		if f.Required {
			required = "yes"
		}
		doc := f.Doc
		if f.Sensitive {
			doc += " Sensitive."
		}
		cell := func(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, name, cell(f.Type.String()), required, cell(doc))
		rows(b, prefix+name+".", f.Type)
	}
}

// TestDocsExplainReasons compares the reasons in the source of each family
// with the tables "What can go wrong" of its pages.
func TestDocsExplainReasons(t *testing.T) {
	t.Parallel()
	r := registry(t)
	byFamily := map[string][]string{"target": {"README"}}
	for _, name := range r.Names() {
		family, _, _ := strings.Cut(name, ".")
		byFamily[family] = append(byFamily[family], name)
	}
	row := regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\|[^|]+\\|[^|]+\\|$")
	for family, names := range byFamily {
		var documented []string
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(pages, name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range row.FindAllStringSubmatch(string(text), -1) {
				documented = append(documented, match[1])
			}
			if family != "target" && !strings.Contains(string(text), "`InvalidInput`") {
				t.Errorf("page %s does not explain InvalidInput", name)
			}
		}
		slices.Sort(documented)
		want := reasons(t, family, "reason")
		if family == "target" { // the page of what holds for all actions
			want = append(want, reasons(t, "wrap", "Reason")...)
			want = append(want, reasons(t, "../kube", "Reason")...)
			slices.Sort(want)
			want = slices.Compact(want)
		}
		if slices.ContainsFunc(names, func(name string) bool { return takesSecrets(r, name) }) {
			want = append(want, action.ReasonSecretUnavailable)
			slices.Sort(want)
		}
		refused := uses(t, family, "action.ReasonAccessRefused")
		if family == "target" {
			refused = uses(t, "../kube", "action.ReasonAccessRefused")
		} else if uses(t, family, "internal/kube\"") { // what clusters answer is on the page of targets
			documented = slices.DeleteFunc(documented, func(reason string) bool {
				return slices.Contains(reasons(t, "../kube", "Reason"), reason) && !slices.Contains(want, reason)
			})
			refused = refused || slices.Contains(documented, action.ReasonAccessRefused)
		}
		if family == "archive" { // its reasons are those of what it works with
			refused = uses(t, "../backup", "action.ReasonAccessRefused")
			want = append(want, reasons(t, "../backup", "Reason")...)
			slices.Sort(want)
			want = slices.Compact(want)
		}
		if family == "image" { // what it asks is asked by a job
			want = append(want, slices.DeleteFunc(reasons(t, "kube", "reason"), func(reason string) bool {
				return !strings.HasPrefix(reason, "Job") && reason != "Interrupted"
			})...)
			slices.Sort(want)
		}
		if family == "database" { // as far as they are not about folders
			want = append(want, reasons(t, "../backup", "Reason")...)
			want = slices.DeleteFunc(want, func(reason string) bool {
				return slices.Contains([]string{"SourceNotFound", "SourceChanged", "ServerNeeded"}, reason)
			})
			slices.Sort(want)
			want = slices.Compact(want)
		}
		if family == "kube" { // as far as they are not about folders and files of databases
			want = append(want, reasons(t, "../backup", "Reason")...)
			want = slices.DeleteFunc(want, func(reason string) bool {
				return strings.HasPrefix(reason, "Source") ||
					slices.Contains([]string{"ServerNeeded", "DiskFull", "NotWritten"}, reason)
			})
			slices.Sort(want)
			want = slices.Compact(want)
		}
		if family == "secret" { // as far as they are not about folders and databases
			want = append(want, reasons(t, "../backup", "Reason")...)
			refused = uses(t, "../backup", "action.ReasonAccessRefused")
			want = slices.DeleteFunc(want, func(reason string) bool {
				return strings.HasPrefix(reason, "Source") || slices.Contains(
					[]string{"NotWritten", "DiskFull", "BackupNotFound", "BackupIncomplete", "ServerNeeded"}, reason)
			})
			slices.Sort(want)
			want = slices.Compact(want)
		}
		if refused {
			want = append(want, action.ReasonAccessRefused)
			slices.Sort(want)
		}
		if diff := cmp.Diff(want, slices.Compact(documented)); diff != "" {
			t.Errorf("family %s: reasons in the source and on its pages differ (-source +pages):\n%s", family, diff)
		}
	}
}

// uses tells whether a text is in the source of a family.
func uses(t *testing.T, family, what string) bool {
	t.Helper()
	files, err := filepath.Glob("../" + family + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && !strings.HasSuffix(file, "_test.go") && strings.Contains(string(text), what)
	})
}

// takesSecrets tells whether the input of an action has references to secrets.
func takesSecrets(r *action.Registry, name string) bool {
	spec, _ := r.Spec(name)
	for _, f := range spec.Input.Fields {
		if f.Type.Kind == schema.Secret || f.Type.ElemType().Kind == schema.Secret {
			return true
		}
	}
	return false
}

// reasons returns the values of the constants of a family that begin with
// prefix, sorted, with the one that every action has.
func reasons(t *testing.T, family, prefix string) []string {
	t.Helper()
	files, err := filepath.Glob("../" + family + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("family %s has no source: %v", family, err)
	}
	var found []string
	if !slices.Contains([]string{"target", "wrap", "../kube"}, family) {
		found = append(found, action.ReasonInvalidInput)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, prefix) || len(spec.Values) != 1 {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				value, _ := strconv.Unquote(literal.Value)
				found = append(found, value)
			}
			// One that the core knows has its text there.
			if of, ok := spec.Values[0].(*ast.SelectorExpr); ok && of.Sel.Name == "ReasonUnreachable" {
				found = append(found, action.ReasonUnreachable)
			}
			return true
		})
	}
	slices.Sort(found)
	return slices.Compact(found)
}
