package report

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/versions"
)

const wikiVersions = `apiVersion: refit.dev/v1alpha1
kind: Versions
product: Wiki
scheme: {kind: semver}
versions:
  - version: "1.0.0"
  - version: "2.0.0"
  - version: "3.0.0"
edges:
  - from: "1.0.0"
    to: "2.0.0"
    kind: upgrade
    requires: {database: {fact: database.version, constraint: ">=11", owner: database administrators}}
    risks:
      - name: links
        summary: Old links break.
        url: https://example.org/links
        remedy: Keep a redirect.
        rules: [{when: "true", outcome: applies}]
  - {from: "2.0.0", to: "3.0.0", kind: migration, why: the pages move, procedure: wiki-migration}
`

func TestPathsOf(t *testing.T) {
	t.Parallel()
	g, problems := versions.Load("versions.yaml", []byte(wikiVersions))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason   string
		from, to string
		want     Paths
		noPath   string
		err      bool
	}{
		"Path": {
			reason: "a hop keeps its risks and requirements", from: "1.0.0", to: "2.0.0",
			want: Paths{Product: "Wiki", From: "1.0.0", To: "2.0.0", Paths: []VersionPath{{Hops: []PathHop{{
				From: "1.0.0", To: "2.0.0", Kind: EdgeUpgrade,
				Risks: []PathRisk{{Name: "links", Summary: "Old links break.", URL: "https://example.org/links", Remedy: "Keep a redirect."}},
				Requires: []PathRequirement{{
					Name: "database", Fact: "database.version", Constraint: ">=11", Owner: "database administrators",
				}},
			}}}}},
		},
		"Same": {
			reason: "the path to the same version has no hops", from: "2.0.0", to: "2.0.0",
			want: Paths{Product: "Wiki", From: "2.0.0", To: "2.0.0", Paths: []VersionPath{{Hops: []PathHop{}}}},
		},
		"Migration": {
			reason: "no path is an answer, not an error", from: "1.0.0", to: "3.0.0",
			want: Paths{
				Product: "Wiki", From: "1.0.0", To: "3.0.0", Paths: []VersionPath{}, Nearest: "2.0.0", Procedure: "wiki-migration",
			},
			noPath: "is a migration",
		},
		"Unknown": {reason: "a version that nobody knows is an error", from: "1.0.0", to: "9.0.0", err: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, searchErr := g.Paths(tc.from, tc.to, 3)
			got, err := PathsOf(g, tc.from, tc.to, found, searchErr)
			if (err != nil) != tc.err {
				t.Fatalf("%s: error %v", tc.reason, err)
			}
			if tc.err && !errors.Is(err, searchErr) {
				t.Errorf("%s: got error %v, want %v", tc.reason, err, searchErr)
			}
			if !strings.Contains(got.NoPath, tc.noPath) {
				t.Errorf("%s: %q does not hold %q", tc.reason, got.NoPath, tc.noPath)
			}
			got.NoPath = ""
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
