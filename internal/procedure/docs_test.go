package procedure_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/versions"
	"github.com/refitproject/refit/internal/yamldoc"
)

// pages are the reference pages of the four languages and the documents that
// their tables describe.
func pages() map[string]reflect.Type {
	return map[string]reflect.Type{
		"procedure.md": reflect.TypeFor[procedure.Document](),
		"platform.md":  reflect.TypeFor[platform.Platform](),
		"versions.md":  reflect.TypeFor[versions.Document](),
		"issues.md":    reflect.TypeFor[issues.Document](),
	}
}

func pagePath(name string) string { return filepath.Join("..", "..", "docs", "reference", name) }

var generated = regexp.MustCompile(`(?s)<!-- generated (\w+) -->\n.*?<!-- end -->`)

// TestDocsTables checks that the tables of keys are those of the structs, and
// that there is one for every struct.
func TestDocsTables(t *testing.T) {
	t.Parallel()
	for name, document := range pages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			structs := map[string]reflect.Type{}
			for _, s := range yamldoc.Structs(document) {
				structs[s.Name()] = s
			}
			page := readFile(t, pagePath(name))
			shown := map[string]bool{}
			got := generated.ReplaceAllStringFunc(page, func(block string) string {
				of := generated.FindStringSubmatch(block)[1]
				shown[of] = true
				if structs[of] == nil {
					t.Errorf("the table %q is of no struct", of)
					return block
				}
				return fmt.Sprintf("<!-- generated %s -->\n%s<!-- end -->", of, table(yamldoc.Table(structs[of]), structs))
			})
			for of := range structs {
				if !shown[of] {
					t.Errorf("there is no table of %s: add <!-- generated %s --> and <!-- end -->", of, of)
				}
			}
			if got == page {
				return
			}
			if !*update {
				t.Error("the tables are stale: run go test with -update")
				return
			}
			if err := os.WriteFile(pagePath(name), []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// table renders the keys of a struct.
func table(rows []yamldoc.Row, structs map[string]reflect.Type) string {
	var out strings.Builder
	out.WriteString("| key | type | meaning |\n|---|---|---|\n")
	for _, r := range rows {
		kind := r.Type
		if words := strings.Fields(kind); structs[words[len(words)-1]] != nil {
			of := words[len(words)-1]
			kind = strings.TrimSuffix(kind, of) + "[" + of + "](#" + anchor(of) + ")"
		}
		if r.Required {
			kind += ", required"
		}
		doc := r.Doc
		if len(r.Enum) > 0 && len(r.Enum) > 1 {
			doc += " One of `" + strings.Join(r.Enum, "`, `") + "`."
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", r.Key, kind, strings.ReplaceAll(doc, "|", `\|`))
	}
	return out.String()
}

// anchor returns the heading under which a struct is described.
func anchor(of string) string {
	anchors := map[string]string{
		"Target": "targets", "Component": "components", "Input": "inputs",
		"Notification": "notifications", "Observe": "facts-observe", "Probe": "probes", "Stage": "stages", "Step": "steps",
		"Estimate": "duration-and-retry", "Retry": "duration-and-retry", "Window": "windows",
		"SchemeDocument": "scheme", "PropertyDocument": "properties", "VersionDocument": "versions",
		"EdgeDocument": "edges", "RequirementDocument": "requirements", "RiskDocument": "risks", "RuleDocument": "risks",
		"IssueDocument": "the-document", "MatchDocument": "match", "ScopeDocument": "scope", "RemedyDocument": "remedies",
		"StepDocument": "remedies", "SourceDocument": "source", "FixtureDocument": "fixtures",
	}
	if a, ok := anchors[of]; ok {
		return a
	}
	return strings.ToLower(of)
}

// TestDocsAnchors checks that the links within a page lead to its headings.
func TestDocsAnchors(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(#([^)]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.*)$`)
	for name := range pages() {
		page := readFile(t, pagePath(name))
		headings := map[string]bool{}
		for _, m := range heading.FindAllStringSubmatch(page, -1) {
			text := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
			headings[strings.ReplaceAll(text, " ", "-")] = true
		}
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if !headings[m[1]] {
				t.Errorf("%s links to #%s, which is no heading", name, m[1])
			}
		}
	}
}

// example is one block of YAML of a page: its label says what it is.
type example struct {
	label, file, text string
	line              int
}

var fence = regexp.MustCompile("(?sm)^```yaml ([^\n]*)\n(.*?)^```$")

func examples(page string) []example {
	var out []example
	for _, at := range fence.FindAllStringSubmatchIndex(page, -1) {
		label, file, _ := strings.Cut(page[at[2]:at[3]], " ")
		out = append(out, example{label: label, file: file, text: page[at[4]:at[5]], line: strings.Count(page[:at[0]], "\n") + 1})
	}
	return out
}

// TestDocsExamples checks every example of the pages, in the frame that
// procedure.md shows.
func TestDocsExamples(t *testing.T) {
	t.Parallel()
	shared := memory{}
	frame := ""
	blocks := map[string][]example{}
	for _, name := range slices.Sorted(maps.Keys(pages())) {
		blocks[name] = examples(readFile(t, pagePath(name)))
		if plain := strings.Count(readFile(t, pagePath(name)), "```yaml\n"); plain > 0 {
			t.Errorf("%s has %d examples without a label, which nothing checks", name, plain)
		}
		for _, e := range blocks[name] {
			if e.file != "" {
				shared[e.file] = e.text
			}
			if e.label == "frame" {
				frame = e.text
			}
		}
	}
	for name, list := range blocks {
		for _, e := range list {
			t.Run(fmt.Sprintf("%s:%d", name, e.line), func(t *testing.T) {
				t.Parallel()
				for _, d := range lintExample(t, e, frame, shared) {
					if d.Code != "Unused" {
						t.Error(d)
					}
				}
			})
		}
	}
}

// lintExample returns what is wrong with an example.
func lintExample(t *testing.T, e example, frame string, shared memory) diag.Diagnostics {
	t.Helper()
	files := maps.Clone(shared)
	switch e.label {
	case "procedure", "subprocedure":
		files["example.yaml"] = e.text
	case "frame":
		files["example.yaml"] = strings.Replace(e.text, "steps: {}", "steps: {a: {phase: verify, action: file.read, with: {path: x}}}", 1)
	case "platform":
		_, ds := platform.Load("example.yaml", []byte(e.text))
		return ds
	case "issues":
		set, ds := issues.Load("example.yaml", []byte(e.text))
		return append(ds, set.CheckActions(docsCatalog())...)
	case "versions":
		_, ds := versions.Load("example.yaml", []byte(e.text))
		return ds
	case "steps":
		files["example.yaml"] = framed(frame, "    steps: {}\n", "    steps:\n"+indent("      ", e.text))
	case "stage":
		files["example.yaml"] = framed(frame, "  - id: upgrade\n    steps: {}\n", "  -\n"+indent("    ", e.text))
	case "inputs", "observe", "probes":
		text := indent("  ", e.text)
		if e.label == "probes" {
			text = "probes:\n" + text + "observe:\n"
			files["example.yaml"] = framed(frame, "observe:\n", text)
		} else {
			files["example.yaml"] = framed(frame, e.label+":\n", e.label+":\n"+text)
		}
		files["example.yaml"] = framed(files["example.yaml"], "steps: {}", "steps: {a: {phase: verify, action: file.read, with: {path: x}}}")
	default:
		t.Fatalf("unknown label %q", e.label)
	}
	files["versions.yaml"] = shared["versions.yaml"]
	return procedure.Lint(files, "example.yaml", docsCatalog())
}

func framed(frame, old, with string) string { return strings.Replace(frame, old, with, 1) }

// docsCatalog is the registry of the program, and the three actions that the
// page says do not exist yet.
func docsCatalog() actiontest.Catalog {
	registry, err := all.NewRegistry(all.NewClients(nil))
	if err != nil {
		return actiontest.NewCatalog()
	}
	var specs []action.Spec
	for _, s := range testSpecs() {
		if slices.Contains([]string{"database.backup", "helm.upgrade", "kube.scale"}, s.Name) {
			specs = append(specs, s)
		}
	}
	for _, name := range registry.Names() {
		if s, ok := registry.Spec(name); ok {
			specs = append(specs, s)
		}
	}
	return actiontest.NewCatalog(specs...)
}
