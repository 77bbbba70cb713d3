package versions

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// head begins a graph of three versions; the edges of a test follow.
const head = `apiVersion: refit.dev/v1alpha1
kind: Versions
product: Thing
scheme: {kind: semver}
properties:
  rules: {type: string, optional: true}
versions: [{version: "1.0.0"}, {version: "1.5.0"}, {version: "2.0.0"}, {version: "3.0.0"}]
edges:
`

func TestDocumentTags(t *testing.T) {
	t.Parallel()
	if err := yamldoc.CheckTags(reflect.TypeFor[Document]()); err != nil {
		t.Error(err)
	}
}

func TestLoadEdgeMistakes(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		edges  string
		want   []string // the first %d is the line
	}{
		"NothingWrong": {"", `- {from: "1.x", to: "2.0.0", kind: upgrade}`, nil},
		"UpgradeAndMigration": {
			"Each pair of edges is reported once, with its first pair of versions.",
			"- {from: \"*\", to: \"2.0.0\", kind: upgrade}\n- {from: \"1.x\", to: \"*\", crosses: breaking, kind: migration, why: w}",
			[]string{`10:3: error: the pair "1.0.0" to "2.0.0" (and 1 more pairs) is of kind migration here and of kind upgrade on line 9: narrow one of the edges`},
		},
		"ExactUpgradeAndForbidden": {
			"",
			"- {from: \"1.0.0\", to: \"2.0.0\", kind: waypoint}\n- {from: \"1.0.0\", to: \"2.0.0\", kind: forbidden, why: w}",
			[]string{`10:3: error: the pair "1.0.0" to "2.0.0" is of kind forbidden here and of kind waypoint on line 9: narrow one of the edges`},
		},
		"ExactMigrationAndForbidden": {
			"A migration of exactly the pair contradicts it too.",
			"- {from: \"1.0.0\", to: \"2.0.0\", kind: migration, why: w}\n- {from: \"1.0.0\", to: \"2.0.0\", kind: forbidden, why: w}",
			[]string{`10:3: error: the pair "1.0.0" to "2.0.0" is of kind forbidden here and of kind migration on line 9: narrow one of the edges`},
		},
		"AllThree": {
			"What contradicts a forbidden edge may contradict a migration as well: both are reported.",
			"- {from: \"1.0.0\", to: \"2.0.0\", kind: upgrade}\n- {from: \"1.0.0\", to: \"*\", crosses: breaking, kind: migration, why: w}\n" +
				"- {from: \"1.0.0\", to: \"2.0.0\", kind: forbidden, why: w}",
			[]string{
				`10:3: error: the pair "1.0.0" to "2.0.0" is of kind migration here and of kind upgrade on line 9: narrow one of the edges`,
				`11:3: error: the pair "1.0.0" to "2.0.0" is of kind forbidden here and of kind upgrade on line 9: narrow one of the edges`,
			},
		},
		"ForbiddenException": {
			"A forbidden pair within a wide upgrade is an exception, not a contradiction.",
			"- {from: \"*\", to: \"*\", kind: upgrade}\n- {from: \"1.0.0\", to: \"2.0.0\", kind: forbidden, why: w}",
			nil,
		},
		"ForbiddenEndsTheQuarrel": {
			"Where a pair is forbidden it does not matter what else is said of it.",
			"- {from: \"1.0.0\", to: \"*\", kind: upgrade}\n- {from: \"*\", to: \"2.0.0\", kind: forbidden, why: w}\n" +
				"- {from: \"1.0.0\", to: \"2.0.0\", kind: migration, why: w}",
			nil,
		},
		"Downgrade": {
			"",
			`- {from: "2.0.0", to: "1.0.0", kind: upgrade}`,
			[]string{`9:3: error: the edge from "2.0.0" to "1.0.0" matches no pair of versions: an edge leads from an older version to a newer one`},
		},
		"NoSuchCrossing": {
			"",
			`- {from: "1.x", to: "2.0.0", crosses: compatible, kind: upgrade}`,
			[]string{`9:3: error: the edge from "1.x" to "2.0.0" matches no pair of versions: no such pair has crosses: compatible`},
		},
		"UnknownVersion": {
			"",
			`- {from: "1.x", to: "2.0.1", kind: upgrade}`,
			[]string{`9:21: error: the graph has no version "2.0.1": the nearest ones are "2.0.0" and "3.0.0"`},
		},
		"UnknownVersionInList": {
			"The other members of the list do not hide the mistake.",
			`- {from: ["1.0.0", "1.5.1"], to: "2.0.0", kind: upgrade}`,
			[]string{`9:20: error: the graph has no version "1.5.1": the nearest ones are "1.5.0" and "2.0.0"`},
		},
		"EmptyRange": {
			"",
			`- {from: ">=7", to: "2.0.0", kind: upgrade}`,
			[]string{`9:10: error: ">=7" matches no version of the graph`},
		},
		"EmptyList": {
			"",
			`- {from: [], to: "2.0.0", kind: upgrade}`,
			[]string{`9:10: error: the list of versions is empty`},
		},
		"BadConstraint": {
			"",
			`- {from: "^1.0", to: "2.0.0", kind: upgrade}`,
			[]string{`9:10: error: constraint "^1.0": operator "^" is not known: use >=, >, <=, <, = or !=`},
		},
		"NumberInsteadOfVersion": {
			"1.10 would silently be read as 1.1.",
			`- {from: 1.10, to: "2.0.0", kind: upgrade}`,
			[]string{`9:10: error: 1.10 is a number here, not a version: put it in quotes: "1.10"`},
		},
		"MappingInsteadOfVersion": {
			"",
			`- {from: {min: "1"}, to: "2.0.0", kind: upgrade}`,
			[]string{`9:10: error: a constraint or a version is needed, this is a mapping`},
		},
		"WaypointOfManyVersions": {
			"",
			`- {from: "1.0.0", to: ">1.0.0", kind: waypoint}`,
			[]string{`9:23: error: a waypoint is one version, ">1.0.0" matches 3: write the version that must be visited, or kind: upgrade`},
		},
		"NoReason": {
			"",
			`- {from: "1.x", to: "2.0.0", kind: migration}`,
			[]string{`9:3: error: a migration edge needs why: say in one sentence what whoever is stopped here must know`},
		},
		"RiskOfForbidden": {
			"",
			`- {from: "1.x", to: "2.0.0", kind: forbidden, why: w, properties: {rules: a}}`,
			[]string{`9:3: error: a forbidden edge is never taken, so it has no properties, requires or risks: remove them`},
		},
		"ProcedureOfUpgrade": {
			"",
			`- {from: "1.x", to: "2.0.0", kind: upgrade, procedure: other}`,
			[]string{`9:56: error: procedure belongs to a migration, the edge is of kind upgrade: remove it, or write kind: migration`},
		},
		"DifferentProperties": {
			"",
			"- {from: \"1.x\", to: \"2.0.0\", kind: upgrade, properties: {rules: a}}\n" +
				"- {from: \"*\", to: \"2.0.0\", kind: waypoint, properties: {rules: b}}",
			[]string{`10:3: error: property "rules" of the pair "1.0.0" to "2.0.0" differs from that of the edge on line 9: give both the same value, or narrow one of the edges`},
		},
		"SameProperties": {
			"",
			"- {from: \"1.x\", to: \"2.0.0\", kind: upgrade, properties: {rules: a}}\n" +
				"- {from: \"*\", to: \"2.0.0\", kind: waypoint, properties: {rules: a}}",
			nil,
		},
		"UndeclaredProperty": {
			"",
			`- {from: "1.x", to: "2.0.0", kind: upgrade, properties: {rule: a}}`,
			[]string{`9:58: error: property "rule" is not declared: did you mean "rules"?`},
		},
		"ExpressionInProperty": {
			"",
			`- {from: "1.x", to: "2.0.0", kind: upgrade, properties: {rules: "${hop.to}.yaml"}}`,
			[]string{`9:65: error: a property holds the expression "${hop.to}.yaml", but properties are plain values: write the expression in the procedure`},
		},
		"SameRiskTwice": {
			"",
			"- {from: \"1.x\", to: \"2.0.0\", kind: upgrade, risks: [{name: loss, summary: s}]}\n" +
				"- {from: \"1.5.0\", to: \"*\", kind: upgrade, risks: [{name: loss, summary: s}]}",
			[]string{`10:3: error: the pair "1.5.0" to "2.0.0" has the risk "loss" from the edge on line 9 already: choose another name, or narrow one of the edges`},
		},
		"SameRiskOnOtherPairs": {
			"",
			"- {from: \"1.x\", to: \"2.0.0\", kind: upgrade, risks: [{name: loss, summary: s}]}\n" +
				"- {from: \"2.0.0\", to: \"3.0.0\", kind: upgrade, risks: [{name: loss, summary: s}]}",
			nil,
		},
		"BadRisk": {
			"",
			`- {from: "1.x", to: "2.0.0", kind: upgrade, risks: [{name: Loss, summary: s, url: "ftp://x"}, {name: b, summary: s}, {name: b, summary: s}]}`,
			[]string{
				`9:60: error: risk "Loss" needs a name of lower case letters, digits and dashes`,
				`9:83: error: url "ftp://x" is not an address of the web: start it with https://`,
				`9:125: error: the edge has the risk "b" already: choose another name`,
			},
		},
		"BadRequirement": {
			"",
			`- {from: "1.x", to: "2.0.0", kind: upgrade, requires: {Db: {fact: "${observe.db}", constraint: "~15"}}}`,
			[]string{
				`9:56: error: requirement "Db" needs a name of lower case letters, digits and dashes`,
				`9:67: error: fact "${observe.db}" is not a path such as cluster.version: write the path below observe, without ${}`,
				`9:96: error: requirement "Db": constraint "~15": operator "~" is not known: use >=, >, <=, <, = or !=`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, ds := Load("v.yaml", []byte(head+tc.edges+"\n"))
			want := make([]string, len(tc.want))
			for i, text := range tc.want {
				want[i] = "v.yaml:" + text
			}
			var got []string
			for _, d := range ds {
				got = append(got, d.String())
			}
			if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(got, "\n")); diff != "" {
				t.Errorf("%s\nLoad(…): diagnostics -want +got:\n%s", tc.reason, diff)
			}
			if (g == nil) != ds.HasErrors() {
				t.Errorf("Load(…): graph is %v beside %d diagnostics", g, len(ds))
			}
		})
	}
}

// TestLoadAllMistakes loads a file with many mistakes: all of them come back at
// once, in the order of the file, and none that only follows from another.
func TestLoadAllMistakes(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("testdata", "mistakes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, ds := Load("mistakes.yaml", data)
	want, err := os.ReadFile(filepath.Join("testdata", "mistakes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), ds.Error()+"\n"); diff != "" {
		t.Errorf("Load(mistakes.yaml): diagnostics -want +got:\n%s", diff)
	}
}

func TestLoadMissingProperty(t *testing.T) {
	t.Parallel()
	const file = `apiVersion: refit.dev/v1alpha1
kind: Versions
product: Thing
scheme: {kind: semver}
properties:
  app: {type: string}
versions:
  - {version: "1.0"}
  - {version: "1.1"}
  - {version: "1.2"}
  - {version: "1.3", properties: {app: "7"}}
edges:
  - {from: "1.0", to: "1.1", kind: upgrade, properties: {app: "5"}}
  - {from: "*", to: ">=1.2", kind: upgrade}
`
	_, ds := Load("v.yaml", []byte(file))
	want := `v.yaml:10:15: error: the hop from "1.0" to "1.2" has no value for the property "app": ` +
		`give it to the version "1.2", or declare a default or optional: true`
	if diff := cmp.Diff(want, ds.Error()); diff != "" {
		t.Errorf("Load(…): diagnostics -want +got:\n%s", diff)
	}
}

// TestLoadPropertyOfJump checks that a hop which jumps over a waypoint, and so
// is never taken, needs no values.
func TestLoadPropertyOfJump(t *testing.T) {
	t.Parallel()
	load(t, `apiVersion: refit.dev/v1alpha1
kind: Versions
product: Thing
scheme: {kind: semver}
properties:
  app: {type: string}
versions: [{version: "1.0"}, {version: "1.1", properties: {app: "1"}}, {version: "1.2"}]
edges:
  - {from: "1.0", to: ">1.0", kind: upgrade}
  - {from: "1.0", to: "1.1", kind: waypoint}
  - {from: "1.1", to: "1.2", kind: upgrade, properties: {app: "2"}}
`)
}

func TestLoadBounds(t *testing.T) {
	t.Parallel()
	var versions, edges strings.Builder
	for i := range maxVersions + 1 {
		fmt.Fprintf(&versions, "{version: \"1.%d\"},", i)
	}
	for range maxEdges + 1 {
		edges.WriteString("{from: '*', to: '*', kind: upgrade},")
	}
	cases := map[string]struct{ versions, edges, want string }{
		"Versions": {versions.String(), "", "the graph has 1001 versions, at most 1000 are read"},
		"Edges":    {"{version: \"1.0\"}", edges.String(), "the graph has 4001 edges, at most 4000 are read"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := "apiVersion: refit.dev/v1alpha1\nkind: Versions\nproduct: P\nscheme: {kind: semver}\n" +
				"versions: [" + tc.versions + "]\nedges: [" + tc.edges + "]\n"
			_, ds := Load("v.yaml", []byte(file))
			if len(ds) != 1 || ds[0].Code != CodeTooMany || ds[0].Summary != tc.want {
				t.Errorf("Load(…) = %v, want %q", ds, tc.want)
			}
		})
	}
}

func TestLoadEmptyGraph(t *testing.T) {
	t.Parallel()
	g := load(t, "apiVersion: refit.dev/v1alpha1\nkind: Versions\nproduct: P\nscheme: {kind: semver}\nversions: []\nedges: []\n")
	_, err := g.Paths("1.0", "2.0", 1)
	if err == nil || err.Error() != `the version graph of P has no version "1.0": it knows none at all` {
		t.Errorf("Paths(…): error %v", err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ file, text, want string }{
		"Canonical":     {"jupyterhub.yaml", "1.2.0", "1.2.0"},
		"LeadingV":      {"jupyterhub.yaml", "v1.2.0", "1.2.0"},
		"WithoutV":      {"jupyterhub.yaml", "0.6", "v0.6"},
		"FilledUp":      {"jupyterhub.yaml", "0.6.0", "v0.6"},
		"Alias":         {"jupyterhub.yaml", "hub-3", "2.0.0"},
		"Unknown":       {"jupyterhub.yaml", "1.2.1", ""},
		"NoVersion":     {"jupyterhub.yaml", "", ""},
		"WithoutPrefix": {"minio.yaml", "2022-10-24T18-35-07Z", "RELEASE.2022-10-24T18-35-07Z"},
		"Track":         {"kubeflow.yaml", "ckf-1.7/stable", "ckf-1.7/stable"},
		"TrackAlias":    {"kubeflow.yaml", "1.7", "ckf-1.7/stable"},
		"TrackUnknown":  {"kubeflow.yaml", "ckf-1.7", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := loadFile(t, tc.file).Find(tc.text)
			if got != tc.want || ok != (tc.want != "") {
				t.Errorf("Find(%q) = %q, %v, want %q", tc.text, got, ok, tc.want)
			}
		})
	}
}

// TestHopType checks the type of a hop, and that real hops fit it.
func TestHopType(t *testing.T) {
	t.Parallel()
	g := loadFile(t, "charmed-kubernetes.yaml")
	hop := g.HopType()
	required := map[string]bool{}
	for name, field := range hop.Fields {
		required[name] = field.Required
	}
	want := map[string]bool{
		"from": true, "to": true, "kind": true, "previous": true, "channel": true, "switchCharm": true, "notes": false,
	}
	if diff := cmp.Diff(want, required); diff != "" {
		t.Errorf("HopType(): required fields -want +got:\n%s", diff)
	}
	if got := hop.Fields["notes"].Type.String(); got != "list(string)" {
		t.Errorf("HopType(): notes is %s", got)
	}
	paths, err := g.Paths("1.23", "1.29", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range paths[0].Hops {
		if problems := schema.Check(hop, h.Value()); len(problems) > 0 {
			t.Errorf("the hop to %s does not fit HopType: %v", h.To, problems)
		}
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(head + "- {from: \"*\", to: \"*\", kind: upgrade}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, ds := Load("fuzz.yaml", data)
		for _, d := range ds {
			if strings.Contains(d.String(), "\n") {
				t.Errorf("the diagnostic %q has more than one line", d)
			}
		}
		if g == nil {
			if !ds.HasErrors() {
				t.Error("Load gives neither a graph nor an error")
			}
			return
		}
		versions := g.Versions()
		if len(versions) == 0 {
			return
		}
		for _, v := range versions {
			if found, ok := g.Find(v.Version); !ok || found != v.Version {
				t.Errorf("Find(%q) = %q, %v", v.Version, found, ok)
			}
		}
		from, to := versions[0].Version, versions[len(versions)-1].Version
		paths, err := g.Paths(from, to, 2)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error %q has more than one line", err)
		}
		for _, p := range paths {
			if p.From != from || p.To != to {
				t.Errorf("Paths(%q, %q) leads from %q to %q", from, to, p.From, p.To)
			}
		}
	})
}
