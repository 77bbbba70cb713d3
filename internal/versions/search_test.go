package versions

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// graphOf loads a graph with the given versions and edges.
func graphOf(tb testing.TB, scheme, versions, edges string) *Graph {
	tb.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: refit.dev/v1alpha1\nkind: Versions\nproduct: P\nscheme: %s\nversions:\n", scheme)
	for v := range strings.FieldsSeq(versions) {
		fmt.Fprintf(&b, "  - version: %q\n", v)
	}
	b.WriteString("edges:\n" + edges + "\n")
	return load(tb, b.String())
}

func TestPaths(t *testing.T) {
	t.Parallel()
	const everywhere = `- {from: "*", to: "*", kind: upgrade}`
	cases := map[string]struct {
		reason   string
		scheme   string
		versions string
		edges    string
		from, to string
		limit    int
		want     string // one path a line
		wantErr  string
	}{
		"Same": {
			reason: "The path to the same version is empty.",
			edges:  everywhere, from: "2.0", to: "v2.0.0", limit: 3, want: "2.0",
		},
		"FewestHops": {
			edges: everywhere, from: "1.0", to: "4.0", limit: 1, want: "1.0 → 4.0",
		},
		"Alternatives": {
			reason: "After the hops the newest versions in between decide.",
			edges:  everywhere, from: "1.0", to: "4.0", limit: 9,
			want: "1.0 → 4.0\n1.0 → 3.0 → 4.0\n1.0 → 2.0 → 4.0\n1.0 → 2.0 → 3.0 → 4.0",
		},
		"RisksBeforeHops": {
			edges: everywhere + "\n" + `- {from: "1.0", to: ">=3.0", kind: upgrade, risks: [{name: a, summary: s}]}` + "\n" +
				`- {from: "2.0", to: "4.0", kind: upgrade, risks: [{name: b, summary: s}, {name: c, summary: s}]}`,
			from: "1.0", to: "4.0", limit: 9,
			want: "1.0 → 2.0 → 3.0 → 4.0\n1.0 → 4.0 !a\n1.0 → 3.0 !a → 4.0\n1.0 → 2.0 → 4.0 !b !c",
		},
		"RisksOfTwoEdgesAddUp": {
			edges: `- {from: "1.0", to: "4.0", kind: upgrade, risks: [{name: a, summary: s}]}` + "\n" +
				`- {from: "1.0", to: "*", kind: upgrade, risks: [{name: b, summary: s}]}` + "\n" +
				`- {from: "2.0", to: "4.0", kind: upgrade}`,
			from: "1.0", to: "4.0", limit: 9,
			want: "1.0 → 2.0 !b → 4.0\n1.0 → 4.0 !a !b",
		},
		"Forbidden": {
			edges: everywhere + "\n" + `- {from: "*", to: "4.0", kind: forbidden, why: It is broken.}`,
			from:  "1.0", to: "4.0",
			wantErr: `no path from "1.0" to "4.0": that is forbidden (It is broken); the nearest version that can be reached is "3.0"`,
		},
		"Waypoint": {
			edges: everywhere + "\n" + `- {from: "<3.0", to: "3.0", kind: waypoint}`,
			from:  "1.0", to: "4.0", limit: 9,
			want: "1.0 → 3.0 (waypoint) → 4.0\n1.0 → 2.0 → 3.0 (waypoint) → 4.0",
		},
		"WaypointBindsLaterHops": {
			reason: "Whoever has been at 1.0 must visit 3.0, even if 2.0 alone need not.",
			edges:  everywhere + "\n" + `- {from: "1.0", to: "3.0", kind: waypoint}`,
			from:   "1.0", to: "4.0", limit: 9,
			want: "1.0 → 3.0 (waypoint) → 4.0\n1.0 → 2.0 → 3.0 → 4.0",
		},
		"WaypointBindsOnlyItsVersions": {
			edges: everywhere + "\n" + `- {from: "1.0", to: "3.0", kind: waypoint}`,
			from:  "2.0", to: "4.0", limit: 1, want: "2.0 → 4.0",
		},
		"WaypointAfterWaypoint": {
			edges: everywhere + "\n" + `- {from: "<2.0", to: "2.0", kind: waypoint}` + "\n" + `- {from: "<3.0", to: "3.0", kind: waypoint}`,
			from:  "1.0", to: "4.0", limit: 9,
			want: "1.0 → 2.0 (waypoint) → 3.0 (waypoint) → 4.0",
		},
		"WaypointThatCannotBeReached": {
			edges: everywhere + "\n" + `- {from: "1.0", to: "2.0", kind: waypoint}` + "\n" +
				`- {from: "1.0", to: "2.0 !=3.0", kind: forbidden, why: It does not start.}`,
			from: "1.0", to: "4.0",
			wantErr: `no path from "1.0" to "4.0": that would jump over the waypoint "2.0"`,
		},
		"NextIsTheNextKnown": {
			reason: "2.0 may follow 1.9, but not while the graph knows 1.10.",
			scheme: "{kind: semver, breaking: minor}", versions: "1.9 1.10 2.0",
			edges: `- {from: "*", to: "*", crosses: next, kind: upgrade}`, from: "1.9", to: "2.0", limit: 9,
			want: "1.9 → 1.10 → 2.0",
		},
		"DeadEndBehindWaypoint": {
			reason: "The waypoint can be reached, so it is not what stops the way.",
			edges:  `- {from: "1.0", to: "2.0", kind: waypoint}` + "\n" + `- {from: "1.0", to: "4.0", kind: upgrade}`,
			from:   "1.0", to: "4.0",
			wantErr: `no path from "1.0" to "4.0": "2.0" can be reached, but no edge leads on from it`,
		},
		"MigrationInTheMiddle": {
			edges: `- {from: "<=2.0", to: "<=2.0", kind: upgrade}` + "\n" + `- {from: "2.0", to: "3.0", kind: migration, why: w, procedure: move}` +
				"\n" + `- {from: "3.0", to: "4.0", kind: upgrade}`,
			from: "1.0", to: "4.0",
			wantErr: `no path from "1.0" to "4.0": "2.0" can be reached, but from "2.0" to "3.0" is a migration (w): use the procedure "move"`,
		},
		"ObstacleBeforeTheNearest": {
			reason: "The dead end is nearest, the migration branches off before it.",
			edges: `- {from: "1.0", to: "3.0", kind: upgrade}` + "\n" + `- {from: "1.0", to: "2.0", kind: migration, why: w}` +
				"\n" + `- {from: "2.0", to: "4.0", kind: upgrade}`,
			from: "1.0", to: "4.0",
			wantErr: `no path from "1.0" to "4.0": from "1.0" to "2.0" is a migration (w); the nearest version that can be reached is "3.0"`,
		},
		"NoEdge": {
			edges: `- {from: "2.0", to: "4.0", kind: upgrade}`, from: "1.0", to: "4.0",
			wantErr: `no path from "1.0" to "4.0": no edge leads there`,
		},
		"UnknownOldest": {
			edges: everywhere, from: "0.1", to: "4.0",
			wantErr: `the version graph of P has no version "0.1": the oldest one that it knows is "1.0"`,
		},
		"UnknownNewest": {
			edges: everywhere, from: "1.0", to: "5.0",
			wantErr: `the version graph of P has no version "5.0": the newest one that it knows is "4.0"`,
		},
		"UnknownText": {
			edges: everywhere, from: "1.0", to: "latest",
			wantErr: `the version graph of P has no version "latest": one of: 1.0, 2.0, 3.0, 4.0`,
		},
		"TracksCycle": {
			reason: "Names may lead back, but no path visits one twice.",
			scheme: "{kind: tracks}", versions: "a b c d",
			edges: `- {from: [a, b], to: [a, b], kind: upgrade}` + "\n" + `- {from: b, to: [c, d], kind: upgrade}` + "\n" +
				`- {from: c, to: [b, d], kind: upgrade}`,
			from: "a", to: "d", limit: 9,
			want: "a → b → d\na → b → c → d",
		},
		"TracksRoundabout": {
			reason: "Two ways to x have been at y before; the third has not and must not be crowded out by them.",
			scheme: "{kind: tracks}", versions: "s y a b x c d e t",
			edges: `- {from: s, to: [y, c], kind: upgrade}` + "\n" + `- {from: y, to: [a, b, t], kind: upgrade}` + "\n" +
				`- {from: [a, b, e], to: x, kind: upgrade}` + "\n" + `- {from: x, to: y, kind: upgrade}` + "\n" +
				`- {from: c, to: d, kind: upgrade}` + "\n" + `- {from: d, to: e, kind: upgrade}`,
			from: "s", to: "t", limit: 2,
			want: "s → y → t\ns → c → d → e → x → y → t",
		},
		"TracksWaypoint": {
			reason: "What the waypoint leads to must not be reached without it, whatever the names say.",
			scheme: "{kind: tracks}", versions: "z 2.0 2.0-alpha a",
			edges: `- {from: z, to: [2.0-alpha, a], kind: upgrade}` + "\n" + `- {from: z, to: "2.0", kind: waypoint}` + "\n" +
				`- {from: "2.0", to: 2.0-alpha, kind: upgrade}` + "\n" + `- {from: 2.0-alpha, to: a, kind: upgrade}`,
			from: "z", to: "a", limit: 9,
			want: "z → 2.0 (waypoint) → 2.0-alpha → a",
		},
		"TracksNearest": {
			scheme: "{kind: tracks}", versions: "a b c d",
			edges: `- {from: a, to: b, kind: upgrade}` + "\n" + `- {from: b, to: c, kind: migration, why: w}` + "\n" +
				`- {from: c, to: d, kind: upgrade}`,
			from: "a", to: "d",
			wantErr: `no path from "a" to "d": "b" can be reached, but from "b" to "c" is a migration (w)`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme, versions := tc.scheme, tc.versions
			if scheme == "" {
				scheme, versions = "{kind: semver}", "1.0 2.0 3.0 4.0"
			}
			paths, err := graphOf(t, scheme, versions, tc.edges).Paths(tc.from, tc.to, tc.limit)
			if err != nil {
				if diff := cmp.Diff(tc.wantErr, err.Error()); diff != "" {
					t.Errorf("%s\nPaths(%q, %q): error -want +got:\n%s", tc.reason, tc.from, tc.to, diff)
				}
				return
			}
			got := make([]string, len(paths))
			for i, p := range paths {
				got[i] = trail(p)
			}
			if diff := cmp.Diff(tc.want+tc.wantErr, strings.Join(got, "\n")); diff != "" {
				t.Errorf("%s\nPaths(%q, %q): -want +got:\n%s", tc.reason, tc.from, tc.to, diff)
			}
		})
	}
}

func TestNoPathErrorFields(t *testing.T) {
	t.Parallel()
	_, err := loadFile(t, "pachyderm.yaml").Paths("1.8.6", "1.13.4", 1)
	var got *NoPathError
	if !errors.As(err, &got) {
		t.Fatalf("Paths(…): error %v", err)
	}
	want := &NoPathError{
		From: "1.8.6", To: "1.13.4", Nearest: "1.8.8", Between: [2]string{"1.8.8", "1.9.12"}, Kind: Migration,
		Why: "Before 1.11 every minor release changes the format of the metadata.", Procedure: "pachyderm-migration",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Paths(…): error -want +got:\n%s", diff)
	}
	_, err = loadFile(t, "pachyderm.yaml").Paths("1.8.5", "1.13.4", 1)
	var unknown *UnknownVersionError
	if !errors.As(err, &unknown) || unknown.Version != "1.8.5" {
		t.Errorf("Paths(…): error %v, want *UnknownVersionError", err)
	}
}

// TestPathsInACrowd checks graphs in which every name of a crowd leads to
// every other: trying all ways would never end.
func TestPathsInACrowd(t *testing.T) {
	t.Parallel()
	var crowd []string
	for i := range 60 {
		crowd = append(crowd, fmt.Sprintf("n%02d", i))
	}
	all := strings.Join(crowd, ", ")
	edges := fmt.Sprintf("- {from: start, to: [%s], kind: upgrade}\n- {from: [%s], to: [%s, goal], kind: upgrade}\n", all, all, all) +
		"- {from: start, to: [hidden], kind: waypoint}\n- {from: hidden, to: goal, kind: upgrade}\n"
	cases := map[string]struct{ edges, want, wantErr string }{
		"WayOut": {
			"- {from: [start, n00], to: hidden, kind: forbidden, why: w}\n- {from: n30, to: hidden, kind: upgrade}",
			"start → n30 → hidden → goal", "",
		},
		"NoWayOut": {
			"- {from: [start, n00], to: hidden, kind: forbidden, why: w}", "",
			`no path from "start" to "goal": from "start" to "hidden" is forbidden (w); the nearest version that can be reached is "n59"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := graphOf(t, "{kind: tracks}", strings.Join(crowd, " ")+" start hidden goal", edges+tc.edges)
			paths, err := g.Paths("start", "goal", 1)
			if err != nil {
				if diff := cmp.Diff(tc.wantErr, err.Error()); diff != "" {
					t.Errorf("Paths(…): error -want +got:\n%s", diff)
				}
				return
			}
			if got := trail(paths[0]); got != tc.want {
				t.Errorf("Paths(…) = %q, want %q%s", got, tc.want, tc.wantErr)
			}
		})
	}
}

// TestPathsGivesUp checks that a search which has too much to compare ends with
// an error instead of taking all time and memory: behind 1.1 the waypoint 1.998
// is owed, hundreds of versions before it seem to be one hop from the goal, and
// only one of them leads to the waypoint.
func TestPathsGivesUp(t *testing.T) {
	t.Parallel()
	versions := make([]string, maxVersions)
	for i := range versions {
		versions[i] = fmt.Sprintf("1.%d", i)
	}
	g := graphOf(t, "{kind: semver}", strings.Join(versions, " "), `- {from: "*", to: "*", kind: upgrade}
- {from: "1.0", to: ">1.1", kind: forbidden, why: w}
- {from: "1.1", to: "1.998", kind: waypoint}
- {from: "!=1.997", to: "1.998 || 1.998", kind: forbidden, why: w}`)
	_, err := g.Paths("1.0", "1.999", 1)
	want := `search for a path from "1.0" to "1.999": the version graph has too many ways to compare: forbid some of them`
	if !errors.Is(err, ErrTooManyWays) || err.Error() != want {
		t.Errorf("Paths(…): error %v, want %q", err, want)
	}
	if paths, err := g.Paths("1.1", "1.999", 1); err != nil || trail(paths[0]) != "1.1 → 1.997 → 1.998 → 1.999" {
		t.Errorf("Paths(…) = %v, %v: the waypoint that the start owes must guide the search", paths, err)
	}
}

// wideGraph writes a graph of n versions with the given number of edges, most
// of them narrow, some over everything.
func wideGraph(n, edges int) string {
	var b strings.Builder
	b.WriteString("apiVersion: refit.dev/v1alpha1\nkind: Versions\nproduct: P\nscheme: {kind: semver, breaking: minor}\n" +
		"properties:\n  rules: {type: string, default: \"\"}\nversions:\n")
	const patches = 10
	for i := range n {
		fmt.Fprintf(&b, "  - {version: \"1.%d.%d\", properties: {rules: r%d}}\n", i/patches, i%patches, i)
	}
	b.WriteString("edges:\n  - {from: \"*\", to: \"*\", crosses: compatible, kind: upgrade}\n" +
		"  - {from: \"*\", to: \"*\", crosses: next, kind: upgrade}\n")
	for k := 2; k < edges; k++ {
		minor := k % (n/patches - 2)
		switch k % 5 {
		case 0:
			fmt.Fprintf(&b, "  - {from: \"<1.%d.5\", to: \"1.%d.5\", kind: waypoint}\n", minor+1, minor+1)
		case 1:
			fmt.Fprintf(&b, "  - {from: \"1.%d.%d\", to: \"1.%d.%d\", kind: forbidden, why: w}\n", minor, k%4, minor+1, k%3)
		case 2:
			fmt.Fprintf(&b, "  - {from: \"1.%d.%d\", to: \"1.%d.x\", kind: upgrade, risks: [{name: r%d, summary: s}]}\n",
				minor, k%patches, minor+1, k)
		default:
			fmt.Fprintf(&b, "  - {from: \">=1.%d\", to: \">=1.%d\", kind: upgrade}\n", minor, minor+2)
		}
	}
	return b.String()
}

func BenchmarkPaths(b *testing.B) {
	g := load(b, wideGraph(500, 2000))
	versions := g.Versions()
	from, to := versions[0].Version, versions[len(versions)-1].Version
	for b.Loop() {
		if _, err := g.Paths(from, to, 3); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	data := []byte(wideGraph(500, 2000))
	for b.Loop() {
		if g, ds := Load("v.yaml", data); g == nil {
			b.Fatal(ds)
		}
	}
}
