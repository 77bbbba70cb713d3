package platform_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// head begins every platform file of these tests.
const head = `apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: hub-prod}
procedure: hub
`

func TestLoad(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, text string
		want         []string
	}{
		"Good": {
			reason: "Everything that the language has, used well.",
			text: head + `targets:
  cluster: {kind: kubernetes, context: prod, identity: 4f1c}
inputs: {url: "https://hub.example.org"}
backup: {store: "s3://backups/hub"}
windows:
  - {days: [Sat, Sun], start: "22:00", duration: 4h, zone: Europe/Paris, onClose: abort}
  - {date: "2028-02-29", start: "00:00", duration: 7d, zone: UTC}
allowScratch: true
accept: [{name: risk/a, reason: Told everybody., by: Ada, expires: "2026-12-31"}]
`,
		},
		"Procedure": {
			reason: "A procedure is named as what it is.",
			text:   "apiVersion: refit.dev/v1alpha1\nkind: Procedure\nmetadata: {name: hub}\n",
			want: []string{
				`WrongKind 2:7: error: "p.yaml" is a Procedure, not a Platform: write a platform file with procedure: p.yaml and give that one`,
			},
		},
		"Plan": {
			reason: "So is a plan.",
			text:   "kind: Plan\n",
			want:   []string{`WrongKind 1:7: error: "p.yaml" is a Plan, not a Platform: give the platform file`},
		},
		"List": {
			reason: "A list is no platform.",
			text:   "- a\n",
			want: []string{
				`WrongKind 1:1: error: "p.yaml" holds a list, not a Platform: begin with apiVersion: refit.dev/v1alpha1 and kind: Platform`,
			},
		},
		"Head": {
			reason: "Names and versions are checked.",
			text:   "apiVersion: refit.dev/v2\nkind: Platform\nmetadata: {name: Hub Prod}\nprocedure: \"\"\ninputs: [a]\nwindow: []\n",
			want: []string{
				`UnsupportedAPIVersion 1:13: error: apiVersion "refit.dev/v2" is not known: write apiVersion: refit.dev/v1alpha1`,
				`BadName 3:18: error: name "Hub Prod" is not permitted: use lower case letters, digits and dashes, beginning with a letter, at most 63`,
				`EmptyValue 4:12: error: procedure is empty: write the name or the file of a procedure`,
				`WrongType 5:9: error: inputs must be a mapping, is a list: write NAME: VALUE for each input`,
				`UnknownKey 6:1: error: unknown key "window": did you mean "windows"?`,
			},
		},
		"Targets": {
			reason: "A target says of which kind it is.",
			text:   head + "targets:\n  a: prod\n  b: {context: prod}\n  c: {kind: kubernets}\n  d: {kind: git, identity: \"\"}\n",
			want: []string{
				`WrongType 6:6: error: target "a" must be a mapping, is a scalar: write kind, and what the kind needs, such as {kind: kubernetes, context: NAME}`,
				`MissingKey 7:3: error: target "b" needs the key "kind": write one of: database, directory, git, host, juju, kubernetes, s3, vault`,
				`UnknownValue 8:13: error: unknown kind "kubernets" of target "c": did you mean "kubernetes"?`,
				`WrongType 9:28: error: identity of target "d" must be a string that is not empty: write what the plan printed as the identity, or remove the key`,
			},
		},
		"Backup": {
			reason: "A store has an address that is known.",
			text:   head + "backup: {store: \"ftp://x\"}\n",
			want: []string{
				`BadStore 5:17: error: backup store "ftp://x" is not an address that is known: write file:///PATH or s3://BUCKET/PREFIX`,
			},
		},
		"Windows": {
			reason: "A window opens at a time that exists.",
			text: head + `windows:
  - {days: [Sat, Sat], date: "2026-02-30", start: "25:00", duration: 8d, zone: Local}
  - {start: "9:00", duration: 1h, zone: UTC}
  - {days: [Saturday], start: "22:00", duration: 1h, zone: UTC, onClose: stop}
`,
			want: []string{
				`Duplicate 6:18: error: days name "Sat" twice: remove one of them`,
				`BadDate 6:30: error: date "2026-02-30" is not a day of the calendar: write YEAR-MONTH-DAY, such as "2026-11-28"`,
				`DaysAndDate 6:30: error: the window has days and date: keep days for a weekly window, or date for one that opens once`,
				`BadTime 6:51: error: start "25:00" is not a time of the day: write hours and minutes, such as "22:00"`,
				`OutOfRange 6:70: error: the window stays open for 192h0m0s: use at most 7d`,
				`BadZone 6:80: error: zone "Local" is not the same on every machine: write an IANA name such as Europe/Paris, or UTC`,
				`NoDay 7:5: error: the window has neither days nor date: write days: [Sat, Sun], or date: "2026-11-28"`,
				`BadTime 7:13: error: start "9:00" is not a time of the day: write hours and minutes, such as "22:00"`,
				`UnknownValue 8:13: error: unknown value "Saturday" of days[0]: one of: Fri, Mon, Sat, Sun, Thu, Tue, Wed`,
				`UnknownValue 8:74: error: unknown value "stop" of onClose: one of: abort, finish, pause`,
			},
		},
		"Accept": {
			reason: "An acceptance says why and until when.",
			text: head + `accept:
  - {name: a, reason: " ", by: Ada, expires: soon}
  - {name: a, reason: Fine., by: Ada, expires: "2026-12-31"}
`,
			want: []string{
				`EmptyValue 6:23: error: reason of an acceptance is empty: it is printed in the report: write it out`,
				`BadDate 6:46: error: expires "soon" is not a day of the calendar: write YEAR-MONTH-DAY, such as "2026-11-28"`,
				`Duplicate 7:12: error: "a" is accepted twice: remove one of them`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ds := platform.Load("p.yaml", []byte(tc.text))
			if diff := cmp.Diff(tc.want, render(ds)); diff != "" {
				t.Errorf("%s\ndiagnostics (-want +got):\n%s", tc.reason, diff)
			}
			if p == nil && !ds.HasErrors() {
				t.Error("there is neither a platform nor an error")
			}
		})
	}
}

// render gives the code and the line of each diagnostic, without the file.
func render(ds diag.Diagnostics) []string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Code+" "+strings.TrimPrefix(d.String(), "p.yaml:"))
	}
	return out
}

func TestCheckZones(t *testing.T) {
	t.Parallel()
	p := loadPlatform(t, head+`windows:
  - {days: [Sat], start: "22:00", duration: 4h, zone: Europe/Paris}
  - {days: [Sun], start: "22:00", duration: 4h, zone: Europe/Pariss}
`)
	ds := p.CheckZones(func(name string) error {
		if name != "Europe/Paris" {
			return errors.New("unknown time zone")
		}
		return nil
	})
	want := []string{`BadZone 7:55: error: time zone "Europe/Pariss" does not exist: write an IANA name such as Europe/Paris, or UTC`}
	if diff := cmp.Diff(want, render(ds)); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}

// loadPlatform loads a platform file without mistakes.
func loadPlatform(tb testing.TB, text string) *platform.Platform {
	tb.Helper()
	p, ds := platform.Load("p.yaml", []byte(text))
	if ds.HasErrors() {
		tb.Fatal(ds)
	}
	return p
}

// readPlatform loads a platform file that may have mistakes.
func readPlatform(tb testing.TB, text string) *platform.Platform {
	tb.Helper()
	p, ds := platform.Load("p.yaml", []byte(text))
	if p == nil {
		tb.Fatal(ds)
	}
	return p
}

// memory gives files from a map.
type memory map[string]string

func (m memory) ReadFile(name string) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return []byte(text), nil
}

func loadProcedure(tb testing.TB) *procedure.Procedure {
	tb.Helper()
	text := schema.Of(schema.String)
	look := action.Spec{
		Name: "test.look", Effect: action.ReadOnly, Input: schema.ObjectOf(nil), Targets: []string{"kubernetes"},
		Output: schema.ObjectOf(map[string]schema.Field{"version": {Type: text, Required: true}}),
	}
	proc, ds := procedure.Load(memory{"procedure.yaml": `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: hub, summary: Upgrade the hub.}
targets:
  cluster: {kind: kubernetes}
  code: {kind: git}
inputs:
  url: {type: string, pattern: "https?://.*", description: Address of the hub.}
  size: {type: string, enum: [small, large], default: small}
  replicas: {type: int, default: 2}
  ratio: {type: number, default: 1}
  wait: {type: duration, default: 90s}
  proxy: {type: string, optional: true}
  password: {type: secret, optional: true}
  chart:
    type: object
    optional: true
    fields:
      repo: {type: string, pattern: "https://.*"}
      depth: {type: int, default: 1}
  hosts: {type: list, items: string, default: []}
stages:
  - id: only
    steps: {look: {phase: verify, action: test.look, target: cluster}}
`}, "procedure.yaml", actiontest.NewCatalog(look))
	if proc == nil {
		tb.Fatal(ds)
	}
	return proc
}

const targets = "targets: {cluster: {kind: kubernetes, context: prod, identity: abc}, code: {kind: git, path: .}}\n"

func TestResolveInputs(t *testing.T) {
	t.Parallel()
	proc := loadProcedure(t)
	defaults := map[string]any{
		"url": "https://a", "size": "small", "replicas": int64(2), "ratio": 1.0, "wait": "90s", "hosts": []any{},
	}
	with := func(changes map[string]any) map[string]any {
		out := maps.Clone(defaults)
		maps.Copy(out, changes)
		return out
	}
	for name, tc := range map[string]struct {
		reason, inputs string
		want           map[string]any
		problems       []string
	}{
		"Defaults": {"Defaults are put in, optional inputs left out.", `{url: "https://a"}`, defaults, nil},
		"Values": {
			"Values that are given win, numbers get the form of their type.",
			`{url: "https://a", size: large, replicas: 3.0, ratio: 2, hosts: [x], proxy: p}`,
			with(map[string]any{"size": "large", "replicas": int64(3), "ratio": 2.0, "hosts": []any{"x"}, "proxy": "p"}), nil,
		},
		"Nested": {
			"Members of objects have defaults too.", `{url: "https://a", chart: {repo: "https://c"}}`,
			with(map[string]any{"chart": map[string]any{"repo": "https://c", "depth": int64(1)}}), nil,
		},
		"Secret": {
			"A secret is a reference.", `{url: "https://a", password: {env: HUB_PASSWORD}}`,
			with(map[string]any{"password": map[string]any{"env": "HUB_PASSWORD"}}), nil,
		},
		"SecretValue": {
			"A secret is not a value, and is not repeated.", `{url: "https://a", password: hunter2}`, nil,
			[]string{`InvalidInput 5:38: error: input "password": must be a reference to a secret, is a string: ` +
				`write {env: NAME}, {file: PATH}, {command: [PROGRAM, …]} or {kubernetes: {namespace: NAMESPACE, name: NAME, key: KEY}}`},
		},
		"Missing": {
			"A required input is asked for with its description.", `{}`, nil,
			[]string{`InputMissing 5:9: error: input "url" of type string is missing: add url below inputs (Address of the hub)`},
		},
		"Unknown": {
			"An input that is not declared is refused.", `{url: "https://a", replcas: 3}`, nil,
			[]string{`UnknownInput 5:28: error: procedure "hub" has no input "replcas": did you mean "replicas"?`},
		},
		"Types": {
			"Values fit the declared types.", `{url: "https://a", size: huge, replicas: two, wait: soon, hosts: [a, 1]}`, nil,
			[]string{
				`InvalidInput 5:34: error: input "size": "huge" is not a permitted value: one of: large, small`,
				`InvalidInput 5:50: error: input "replicas": must be a whole number, is a string`,
				`InvalidInput 5:61: error: input "wait": "soon" is not a duration; write a number with a unit, such as 90s, 20m, 1h30m or 7d`,
				`InvalidInput 5:78: error: input "hosts.1": must be a string, is a whole number`,
			},
		},
		"Patterns": {
			"Strings match the declared patterns.", `{url: "ftp://a", chart: {repo: "http://c"}}`, nil,
			[]string{
				`PatternMismatch 5:15: error: "ftp://a" does not match the pattern of input "url": the whole value must match https?://.*`,
				`PatternMismatch 5:40: error: "http://c" does not match the pattern of input "chart.repo": the whole value must match https://.*`,
			},
		},
		"Expression": {
			"Expressions are not evaluated here.", `{url: "https://a", proxy: "${x}"}`, with(map[string]any{"proxy": "${x}"}),
			[]string{`ExpressionNotEvaluated 5:35: warning: input "proxy" holds ${…}, which is not evaluated in a platform file: write the value itself`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ds := platform.ResolveInputs(loadPlatform(t, head+"inputs: "+tc.inputs+"\n"), proc)
			if diff := cmp.Diff(tc.problems, render(ds)); diff != "" {
				t.Errorf("%s\ndiagnostics (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nvalues (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestResolveTargets(t *testing.T) {
	t.Parallel()
	proc := loadProcedure(t)
	got, ds := platform.ResolveTargets(loadPlatform(t, head+targets), proc)
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	want := []platform.Target{
		{Name: "cluster", Kind: "kubernetes", Identity: "abc", Config: map[string]any{"context": "prod"}},
		{Name: "code", Kind: "git", Config: map[string]any{"path": "."}},
	}
	for i := range got {
		got[i].Pos = diag.Position{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	_, ds = platform.ResolveTargets(loadPlatform(t, head+"targets: {clusters: {kind: kubernetes}, code: {kind: host}}\n"), proc)
	problems := []string{
		`TargetMissing 1:1: error: target "cluster" of kind kubernetes is missing: add targets: {cluster: {kind: kubernetes, …}}`,
		`UnknownTarget 5:11: error: procedure "hub" has no target "clusters": did you mean "cluster"?`,
		`TargetKind 5:47: error: target "code" is of kind host, the procedure needs git: name a target of kind git`,
	}
	if diff := cmp.Diff(problems, render(ds)); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	proc := loadProcedure(t)
	good := head + targets + "inputs: {url: \"https://a\"}\n"
	for name, tc := range map[string]struct {
		reason, text string
		want         []string
	}{
		"Good": {"It is for this procedure.", good, nil},
		"File": {"A file may have any name.", strings.Replace(good, "procedure: hub", "procedure: ./other.yaml", 1), nil},
		"Other": {
			"A platform file for another procedure is refused.", strings.Replace(good, "procedure: hub", "procedure: lab", 1),
			[]string{`OtherProcedure 4:12: error: the platform file is for procedure "lab", not for "hub": ` +
				`give the platform file of this procedure, or write procedure: hub`},
		},
		"Broken": {
			"What the file says wrong by itself hides nothing, and is not said again.",
			head + "targets: {cluster: {kind: kubernets}, cod: {kind: git}, code: prod}\ninputs: {url: 1}\n" +
				"windows: [{days: [Sat], start: \"9\", duration: 1h, zone: UTC}]\n",
			[]string{
				`UnknownTarget 5:39: error: procedure "hub" has no target "cod": did you mean "code"?`,
				`InvalidInput 6:15: error: input "url": must be a string, is a whole number`,
			},
		},
		"All": {
			"Inputs and targets are reported together.", head + "inputs: {usr: x}\n",
			[]string{
				`TargetMissing 1:1: error: target "cluster" of kind kubernetes is missing: add targets: {cluster: {kind: kubernetes, …}}`,
				`TargetMissing 1:1: error: target "code" of kind git is missing: add targets: {code: {kind: git, …}}`,
				`InputMissing 5:9: error: input "url" of type string is missing: add url below inputs (Address of the hub)`,
				`UnknownInput 5:10: error: procedure "hub" has no input "usr": one of: chart, hosts, password, proxy, ratio, replicas, size, url, wait`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, render(platform.Check(readPlatform(t, tc.text), proc))); diff != "" {
				t.Errorf("%s\ndiagnostics (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSchema(t *testing.T) {
	t.Parallel()
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("platform.json", decode(t, mustJSON(t, platform.Schema()))); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("platform.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, ok := range map[string]bool{
		head + targets + "inputs: {a: 1}\nwindows: [{days: [Sat], start: \"22:00\", duration: 4h, zone: UTC}]\n": true,
		head + "window: []\n":                        false,
		head + "targets: {a: {kind: kubernets}}\n":   false,
		head + "targets: {a: {context: x}}\n":        false,
		head + "windows: [{start: \"22:00\"}]\n":     false,
		strings.Replace(head, "Platform", "Plan", 1): false,
	} {
		root, ds := yamldoc.Parse("p.yaml", []byte(text), yamldoc.DefaultLimits())
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		if err := s.Validate(decode(t, mustJSON(t, root.Plain()))); (err == nil) != ok {
			t.Errorf("valid: %v, want %v: %v\n%s", err == nil, ok, err, text)
		}
	}
}

func mustJSON(tb testing.TB, v any) string {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

func decode(tb testing.TB, text string) any {
	tb.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// FuzzLoad loads a platform file and resolves it against a procedure. Nothing
// panics, and every diagnostic is one line.
func FuzzLoad(f *testing.F) {
	f.Add(head + targets + "inputs: {url: \"https://a\", chart: {repo: x}, password: {env: A}}\n")
	f.Add(head + "windows: [{days: [Sat], start: \"22:00\", duration: 4h, zone: UTC}, {}, 3]\ninputs: {url: , hosts: {a: 1}}\n")
	f.Add("kind: Procedure\n")
	f.Add("targets: {a: , b: [], c: {kind: {}}}\naccept: [{}]\n")
	proc := loadProcedure(f)
	f.Fuzz(func(t *testing.T, text string) {
		p, ds := platform.Load("p.yaml", []byte(text))
		if p == nil && !ds.HasErrors() {
			t.Error("there is neither a platform nor an error")
		}
		if p != nil {
			ds = append(ds, platform.Check(p, proc)...)
		}
		for _, d := range ds {
			if d.Code == "" || d.Summary == "" || strings.Contains(d.String(), "\n") {
				t.Errorf("bad diagnostic %q", d)
			}
		}
	})
}
