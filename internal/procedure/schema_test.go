package procedure_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/yamldoc"
)

// compileSchema compiles a schema as an editor would.
func compileSchema(tb testing.TB, document map[string]any) *jsonschema.Schema {
	tb.Helper()
	data, err := json.Marshal(document)
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("procedure.json", plain); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("procedure.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// instance reads YAML as an editor hands it to the schema.
func instance(tb testing.TB, text string) any {
	tb.Helper()
	root, ds := yamldoc.Parse("x.yaml", []byte(text), yamldoc.DefaultLimits())
	if ds.HasErrors() {
		tb.Fatal(ds)
	}
	data, err := json.Marshal(root.Plain())
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		tb.Fatal(err)
	}
	return plain
}

func TestSchemaAcceptsFixtures(t *testing.T) {
	t.Parallel()
	s := compileSchema(t, procedure.Schema(testCatalog()))
	for _, name := range []string{
		"jupyterhub/procedure.yaml", "sub/procedure.yaml", "sub/steps/save.yaml", "sub/steps/check.yaml",
		"service/procedure.yaml",
	} {
		if err := s.Validate(instance(t, readFile(t, "testdata/"+name))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	older := action.Spec{Name: "file.read", Version: 1, Effect: action.ReadOnly, Input: object(nil)}
	newer := action.Spec{Name: "file.read", Version: 2, Effect: action.ReadOnly, Input: testSpecs()[0].Input}
	change := action.Spec{Name: "file.write", Effect: action.Mutating, Input: object(nil)}
	s := compileSchema(t, procedure.Schema(actiontest.NewCatalog(older, newer, change)))
	for name, tc := range map[string]struct {
		reason, step, observe string
		ok                    bool
	}{
		"Good":          {"The input of the newest version fits.", `{phase: verify, action: file.read, with: {path: x}}`, "", true},
		"Expression":    {"An expression may stand for any input.", `{phase: verify, action: file.read, with: {path: "${inputs.x}", optional: "${inputs.y}"}}`, "", true},
		"OldVersion":    {"A pinned version has its own input.", `{phase: verify, action: file.read@1, with: {}}`, "", true},
		"OldInput":      {"A pinned version refuses newer members.", `{phase: verify, action: file.read@1, with: {path: x}}`, "", false},
		"Missing":       {"A required member is missing.", `{phase: verify, action: file.read, with: {}}`, "", false},
		"NoWith":        {"The input is missing.", `{phase: verify, action: file.read}`, "", false},
		"UnknownMember": {"A member is unknown.", `{phase: verify, action: file.read, with: {path: x, pth: y}}`, "", false},
		"WrongType":     {"A member has another type.", `{phase: verify, action: file.read, with: {path: x, optional: 3}}`, "", false},
		"UnknownAction": {"An action is unknown.", `{phase: verify, action: file.raed, with: {path: x}}`, "", false},
		"UnknownKey":    {"A key is unknown.", `{phase: verify, action: file.read, with: {path: x}, neds: []}`, "", false},
		"Phase":         {"A phase is unknown.", `{phase: verfy, action: file.read, with: {path: x}}`, "", false},
		"Both":          {"A step has action and use.", `{phase: verify, action: file.read, with: {path: x}, use: a.yaml}`, "", false},
		"Neither":       {"A step has neither.", `{phase: verify}`, "", false},
		"Use":           {"A step uses a sub-procedure.", `{phase: verify, use: a.yaml}`, "", true},
		"Observe":       {"A fact is read.", `{phase: verify, use: a.yaml}`, `{action: file.read, with: {path: x}}`, true},
		"ObserveChange": {"A fact is not changed.", `{phase: verify, use: a.yaml}`, `{action: file.write}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := mainFile("      a: " + tc.step + "\n")
			if tc.observe != "" {
				text += "observe: {a: " + tc.observe + "}\n"
			}
			if err := s.Validate(instance(t, text)); (err == nil) != tc.ok {
				t.Errorf("%s valid: %v, want %v: %v", tc.reason, err == nil, tc.ok, err)
			}
		})
	}
	for _, text := range []string{
		mainFile("      a: {phase: verify, use: a.yaml}\n") + "steps: {}\n",
		subFile("  a: {phase: verify, use: a.yaml}\n") + "stages: []\n",
		strings.Replace(subFile(lookStep), "steps", "targets", 1),
	} {
		if s.Validate(instance(t, text)) == nil {
			t.Errorf("keys of another kind are accepted:\n%s", text)
		}
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	for name, document := range pages() {
		if err := yamldoc.CheckTags(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
