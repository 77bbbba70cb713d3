package versions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/diag"
)

// loadFile loads a graph of testdata that must be without mistakes.
func loadFile(tb testing.TB, name string) *Graph {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return load(tb, string(data))
}

// load loads a graph that must be without mistakes.
func load(tb testing.TB, text string) *Graph {
	tb.Helper()
	g, ds := Load("versions.yaml", []byte(text))
	if len(ds) > 0 {
		tb.Fatalf("Load(…): %v", ds)
	}
	return g
}

// trail renders a path as "1.0 → 2.0 (waypoint) → 3.0".
func trail(p Path) string {
	var b strings.Builder
	b.WriteString(p.From)
	for _, h := range p.Hops {
		b.WriteString(" → " + h.To)
		if h.Kind == Waypoint {
			b.WriteString(" (waypoint)")
		}
		for _, r := range h.Risks {
			b.WriteString(" !" + r.Name)
		}
	}
	return b.String()
}

func TestProductPaths(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason   string
		file     string
		from, to string
		want     string // the best path
		wantErr  string
	}{
		"JupyterHubOldest": {
			reason: "No release up to 0.7.0 is left out, and 1.2.0 is not jumped over.",
			file:   "jupyterhub.yaml", from: "0.4", to: "1.2.0",
			want: "v0.4 → v0.5 → v0.6 → 0.7.0 → 1.2.0 (waypoint)",
		},
		"JupyterHubRisk": {
			reason: "The way over 3.0.2 has one risk more, so 3.3.8 comes directly behind 2.0.0.",
			file:   "jupyterhub.yaml", from: "1.2.0", to: "4.4.0",
			want: "1.2.0 → 2.0.0 !token-loss → 3.3.8 → 4.4.0",
		},
		"JupyterHubAlias": {
			file: "jupyterhub.yaml", from: "v1.2.0", to: "hub-3",
			want: "1.2.0 → 2.0.0 !token-loss",
		},
		"JupyterHubWaypoint": {
			reason: "From before 1.0 the path visits 1.2.0 although 1.0.0 leads on as well.",
			file:   "jupyterhub.yaml", from: "0.11.1", to: "2.0.0",
			want: "0.11.1 → 1.2.0 (waypoint) → 2.0.0 !token-loss",
		},
		"JupyterHubUnknown": {
			file: "jupyterhub.yaml", from: "3.1.0", to: "4.4.0",
			wantErr: `the version graph of the JupyterHub chart has no version "3.1.0": the nearest ones are "3.0.2" and "3.3.8"`,
		},
		"PachydermPatch": {
			file: "pachyderm.yaml", from: "1.8.4", to: "1.8.8",
			want: "1.8.4 → 1.8.8",
		},
		"PachydermMinorIsMajor": {
			reason: "semver would call 1.8.6 to 1.9.0 harmless.",
			file:   "pachyderm.yaml", from: "1.8.6", to: "1.9.0",
			wantErr: `no path from "1.8.6" to "1.9.0": that is a migration (Before 1.11 every minor release changes the ` +
				`format of the metadata): use the procedure "pachyderm-migration"; the nearest version that can be reached is "1.8.8"`,
		},
		"PachydermFar": {
			file: "pachyderm.yaml", from: "1.8.6", to: "1.13.4",
			wantErr: `no path from "1.8.6" to "1.13.4": "1.8.8" can be reached, but from "1.8.8" to "1.9.12" is a migration ` +
				`(Before 1.11 every minor release changes the format of the metadata): use the procedure "pachyderm-migration"`,
		},
		"PachydermMinorFrom111": {
			file: "pachyderm.yaml", from: "1.11.7", to: "1.13.4",
			want: "1.11.7 → 1.13.4",
		},
		"PachydermIntoTwo": {
			file: "pachyderm.yaml", from: "1.11.7", to: "2.5.3",
			wantErr: `no path from "1.11.7" to "2.5.3": that is a migration (No public procedure leads from 1.x to 2.x, ` +
				`ask the vendor); the nearest version that can be reached is "1.13.4"`,
		},
		"PachydermBack": {
			file: "pachyderm.yaml", from: "2.5.3", to: "2.0.5",
			wantErr: `no path from "2.5.3" to "2.0.5": "2.0.5" is older, and a path never leads back`,
		},
		"CharmedKubernetesOneMinorAtATime": {
			file: "charmed-kubernetes.yaml", from: "1.23", to: "1.26",
			want: "1.23 → 1.24 → 1.25 → 1.26",
		},
		"CharmedKubernetesGap": {
			reason: "Although no version between is known, 1.31 is not the minor after 1.29.",
			file:   "charmed-kubernetes.yaml", from: "1.28", to: "1.31",
			wantErr: `no path from "1.28" to "1.31": "1.29" can be reached, but no edge leads on from it`,
		},
		"KubeflowAllTheWay": {
			file: "kubeflow.yaml", from: "1.6", to: "1.10",
			want: "ckf-1.6/stable → ckf-1.7/stable (waypoint) → ckf-1.8/stable (waypoint) → ckf-1.9/stable (waypoint) → ckf-1.10/stable",
		},
		"KubeflowBack": {
			file: "kubeflow.yaml", from: "1.8", to: "1.7",
			wantErr: `no path from "ckf-1.8/stable" to "ckf-1.7/stable": no edge leads there`,
		},
		"KubeflowTypo": {
			file: "kubeflow.yaml", from: "ckf-1.6/stabel", to: "1.7",
			wantErr: `the version graph of Charmed Kubeflow has no version "ckf-1.6/stabel": did you mean "ckf-1.6/stable"?`,
		},
		"MinIOBeforeTheLine": {
			file: "minio.yaml", from: "2021-09-03T03-56-13Z", to: "last-with-fs",
			want: "RELEASE.2021-09-03T03-56-13Z → RELEASE.2022-10-24T18-35-07Z",
		},
		"MinIOOverTheLine": {
			file: "minio.yaml", from: "last-with-fs", to: "RELEASE.2024-11-07T00-52-20Z",
			wantErr: `no path from "RELEASE.2022-10-24T18-35-07Z" to "RELEASE.2024-11-07T00-52-20Z": that is a migration ` +
				`(The fs backend is gone, objects have to go through S3): use the procedure "minio-fs-to-erasure"`,
		},
		"MinIOTooOldToMigrate": {
			file: "minio.yaml", from: "RELEASE.2021-09-03T03-56-13Z", to: "RELEASE.2022-10-29T06-21-33Z",
			wantErr: `no path from "RELEASE.2021-09-03T03-56-13Z" to "RELEASE.2022-10-29T06-21-33Z": that is forbidden ` +
				`(Settings cannot be exported from versions before RELEASE.2022-06-25T15-50-16Z); ` +
				`the nearest version that can be reached is "RELEASE.2022-10-24T18-35-07Z"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			paths, err := loadFile(t, tc.file).Paths(tc.from, tc.to, 1)
			if err != nil {
				if diff := cmp.Diff(tc.wantErr, err.Error()); diff != "" {
					t.Fatalf("%s\nPaths(%q, %q): error -want +got:\n%s", tc.reason, tc.from, tc.to, diff)
				}
				return
			}
			if tc.wantErr != "" {
				t.Fatalf("%s\nPaths(%q, %q): got %q, want the error %q", tc.reason, tc.from, tc.to, trail(paths[0]), tc.wantErr)
			}
			if diff := cmp.Diff(tc.want, trail(paths[0])); diff != "" {
				t.Errorf("%s\nPaths(%q, %q): -want +got:\n%s", tc.reason, tc.from, tc.to, diff)
			}
		})
	}
}

func TestProductHops(t *testing.T) {
	t.Parallel()
	kubernetes := func(constraint string) Requirement {
		return Requirement{
			Name: "kubernetes", Fact: "cluster.version", Constraint: constraint, Scheme: SchemeKubernetes,
			Owner: "cluster administrators",
		}
	}
	cases := map[string]struct {
		file     string
		from, to string
		want     Hop
	}{
		"PropertiesOfEdgeAndVersion": {
			file: "jupyterhub.yaml", from: "2.0.0", to: "3.3.8",
			want: Hop{
				From: "2.0.0", To: "3.3.8", Kind: Upgrade,
				Properties:    map[string]any{"appVersion": "4.1.6", "schema": "0eee8c825d24", "valuesRules": "rules/2-3.yaml"},
				Previous:      map[string]any{"appVersion": "3.0.0", "schema": "651f5419b74d", "valuesRules": ""},
				Requires:      []Requirement{kubernetes(">=1.23")},
				StillRequires: []Requirement{kubernetes(">=1.20")},
			},
		},
		"PropertiesOfTwoEdges": {
			file: "charmed-kubernetes.yaml", from: "1.23", to: "1.24",
			want: Hop{
				From: "1.23", To: "1.24", Kind: Upgrade,
				Properties: map[string]any{"channel": "1.24/stable", "switchCharm": true},
				Previous:   map[string]any{"channel": "1.23/stable", "switchCharm": false},
			},
		},
		"RequirementsOfEdgeAndVersion": {
			file: "kubeflow.yaml", from: "1.7", to: "1.8",
			want: Hop{
				From: "ckf-1.7/stable", To: "ckf-1.8/stable", Kind: Waypoint,
				Properties: map[string]any{}, Previous: map[string]any{},
				Requires: []Requirement{
					{
						Name: "database", Fact: "katib.database", Constraint: "mysql-k8s", Scheme: SchemeTracks,
						Owner: "operators of the databases",
					},
					kubernetes(">=1.24 <1.30"),
					{Name: "juju", Fact: "juju.version", Constraint: "2.9.x || >=3.4.3", Owner: "operators of Juju"},
				},
				StillRequires: []Requirement{
					kubernetes(">=1.22 <1.25"),
					{Name: "juju", Fact: "juju.version", Constraint: "2.9.x", Owner: "operators of Juju"},
				},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			paths, err := loadFile(t, tc.file).Paths(tc.from, tc.to, 1)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Hop{tc.want}, paths[0].Hops); diff != "" {
				t.Errorf("hops from %q to %q: -want +got:\n%s", tc.from, tc.to, diff)
			}
		})
	}
}

// TestEdgeInformation checks what is handed to the drawing of a graph.
func TestEdgeInformation(t *testing.T) {
	t.Parallel()
	g := loadFile(t, "pachyderm.yaml")
	got := g.Edges()[1]
	want := Edge{
		Pos:  diag.Position{File: "versions.yaml", Line: 27, Column: 5},
		From: "<1.11", To: "<=1.11", Kind: Migration, Crosses: "next", Pairs: 9,
		Why:          "Before 1.11 every minor release changes the format of the metadata.",
		Procedure:    "pachyderm-migration",
		FromVersions: []string{"1.8.4", "1.8.6", "1.8.8", "1.9.0", "1.9.12", "1.10.5"},
		ToVersions:   []string{"1.9.0", "1.9.12", "1.10.5", "1.11.7"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Edges()[1]: -want +got:\n%s", diff)
	}
	hub := loadFile(t, "jupyterhub.yaml")
	versions := hub.Versions()
	if v := versions[len(versions)-5]; v.Version != "1.2.0" || !v.Waypoint || v.Line != "1" {
		t.Errorf("Versions(): 1.2.0 is %+v, want a waypoint of the line 1", v)
	}
	if v := versions[0]; v.Version != "v0.4" || v.Waypoint || v.Line != "0.4" {
		t.Errorf("Versions(): the first is %+v, want v0.4 of the line 0.4", v)
	}
}
