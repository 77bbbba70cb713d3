package report

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

func pachydermGraph() Graph {
	up := func(to ...string) []GraphEdge {
		var edges []GraphEdge
		for _, v := range to {
			edges = append(edges, GraphEdge{To: v, Kind: EdgeUpgrade})
		}
		return edges
	}
	risky := GraphEdge{
		To:       "1.9.12",
		Kind:     EdgeWaypoint,
		Risks:    []string{"commit-format"},
		Requires: []string{"kubernetes"},
	}
	migration := GraphEdge{
		To:        "2.0.0",
		Kind:      EdgeMigration,
		Procedure: "pachyderm-migration",
		Why:       "2.0 stores its metadata in PostgreSQL",
	}
	return Graph{
		Product: "Pachyderm", Scheme: "semver", Ordered: true,
		Versions: []GraphVersion{
			{Version: "1.8.0", Released: "2018-11-05", Edges: append(up("1.8.4"), risky)},
			{Version: "1.8.4", Released: "2019-03-14", Edges: []GraphEdge{risky}},
			{
				Version:    "1.9.12",
				Released:   "2020-01-22",
				Waypoint:   true,
				Properties: map[string]any{"pipelines": "v1"},
				Edges:      up("1.10.0", "1.11.0", "1.12.0", "1.12.1", "1.12.2", "1.12.3", "1.12.4", "1.12.5"),
			},
			{
				Version: "1.10.0",
				Edges: append(
					up("1.11.0"),
					GraphEdge{To: "1.12.0", Kind: EdgeForbidden, Why: "1.12.0 loses branches of 1.10"},
				),
			},
			{Version: "1.11.0", Edges: up("1.12.0", "1.12.5")},
			{Version: "1.12.0", Edges: up("1.12.5")},
			{Version: "1.12.5", Released: "2021-03-02", Edges: []GraphEdge{migration}},
			{Version: "2.0.0", Released: "2021-09-30"},
		},
	}
}

func trackGraph() Graph {
	return Graph{
		Product: "Charmed Kubeflow", Scheme: "tracks",
		Versions: []GraphVersion{
			{
				Version: "1.7/stable",
				Edges:   []GraphEdge{{To: "1.8/stable", Kind: EdgeUpgrade, Requires: []string{"kubernetes", "juju"}}},
			},
			{Version: "1.8/stable"},
		},
	}
}

func TestGraphTextGolden(t *testing.T) {
	t.Parallel()
	goldenLayouts(t, "graph", func(w io.Writer, o TextOptions) error {
		if err := GraphText(w, pachydermGraph(), o); err != nil {
			return err
		}
		return GraphText(w, trackGraph(), o)
	})
}

func TestGraphTextFolding(t *testing.T) {
	t.Parallel()
	g := Graph{Product: "many", Ordered: true}
	for i := range 100 {
		g.Versions = append(g.Versions, GraphVersion{Version: fmt.Sprintf("1.%d.0", i)})
	}
	folded := render(t, func(w io.Writer) error { return GraphText(w, g, TextOptions{}) })
	for _, want := range []string{"… 40 more versions, --full shows them", "1.0.0", "1.29.0", "1.70.0", "1.99.0"} {
		if !strings.Contains(folded, want) {
			t.Errorf("%q is missing in the folded graph", want)
		}
	}
	if strings.Contains(folded, "1.50.0") {
		t.Error("a version in the middle of the folded graph is shown")
	}
	if full := render(
		t,
		func(w io.Writer) error { return GraphText(w, g, TextOptions{Full: true}) },
	); !strings.Contains(
		full,
		"1.50.0",
	) {
		t.Error("a version is missing in the full graph")
	}
}

func TestPathsTextGolden(t *testing.T) {
	t.Parallel()
	hops := []PathHop{
		{
			From: "1.2.0",
			To:   "2.0.0",
			Kind: EdgeWaypoint,
			Risks: []PathRisk{{
				Name: "token-loss", Summary: "User API tokens are dropped.", URL: "https://example.org/upgrading-to-2",
				Remedy: "Tell users to make new tokens after the upgrade.",
			}},
			Requires: []PathRequirement{
				{Name: "kubernetes", Fact: "cluster.version", Constraint: ">=1.20", Owner: "cluster administrators"},
			},
		},
		{From: "2.0.0", To: "3.3.8", Kind: EdgeUpgrade},
	}
	longer := []PathHop{
		hops[0],
		{From: "2.0.0", To: "3.0.0", Kind: EdgeUpgrade},
		{From: "3.0.0", To: "3.3.8", Kind: EdgeUpgrade},
	}
	cases := map[string]Paths{
		"paths": {
			Product: "JupyterHub",
			From:    "1.2.0",
			To:      "3.3.8",
			Paths:   []VersionPath{{Hops: hops}, {Hops: longer}},
		},
		"paths.none": {
			Product: "Pachyderm", From: "1.9.12", To: "2.0.0", Nearest: "1.12.5", Procedure: "pachyderm-migration",
			NoPath: `no path from "1.9.12" to "2.0.0": "1.12.5" can be reached, but from "1.12.5" to "2.0.0" is a migration ` +
				`(2.0 stores its metadata in PostgreSQL): use the procedure "pachyderm-migration"`,
		},
		"paths.same": {Product: "JupyterHub", From: "3.3.8", To: "3.3.8", Paths: []VersionPath{{}}},
	}
	for name, paths := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			goldenLayouts(t, name, func(w io.Writer, o TextOptions) error { return PathsText(w, paths, o) })
		})
	}
}

func hubProcedure() ProcedureSummary {
	g := pachydermGraph()
	return ProcedureSummary{
		Name:        "jupyterhub",
		Summary:     "Upgrade JupyterHub installed from its Helm chart.",
		File:        "procedures/jupyterhub/procedure.yaml",
		Description: "Moves the hub over as many hops as the chart needs, with a proved backup before each.",
		Source:      "https://example.org/upgrading",
		Graph:       &g,
		Targets:     []NamedKind{{Name: "cluster", Kind: "kubernetes", Description: "Where the hub runs."}},
		Components: []NamedKind{
			{Name: "hub", Kind: "service"},
			{Name: "database", Kind: "database", Description: "Users, servers and tokens."},
		},
		Inputs: []InputSummary{
			{Name: "release", Type: "string", Default: "jupyterhub", Description: "Helm release name."},
			{Name: "namespace", Type: "string", Required: true, Description: "Namespace of the release."},
			{
				Name:        "database",
				Type:        "object",
				Required:    true,
				Description: "Which database the hub uses and how to reach it from where Refit runs.",
			},
			{Name: "mode", Type: "string", Enum: []string{"fast", "careful"}, Default: "careful"},
			{Name: "notify", Type: "secret", Description: "Where messages go."},
		},
		Facts: []FactSource{{Name: "release", Action: "helm.release", Description: "The installed release."}},
		Stages: []StageOverview{{
			ID: "to-${item.to}", ForEach: "${path.hops}", Description: "One hop.",
			Steps: []StepOverview{
				{ID: "config", Phase: "prepare", Action: "values.migrate", Description: "Rewrite the values."},
				{ID: "logins-off", Phase: "quiesce", Action: "kube.scale"},
				{ID: "backup", Phase: "backup", Action: "lib/database-backup.yaml"},
				{ID: "upgrade", Phase: "upgrade", Action: "helm.upgrade"},
				{ID: "answers", Phase: "verify", Action: "http.check"},
				{ID: "login", Phase: "verify", Action: "hub.login"},
			},
		}},
	}
}

func TestProcedureTextGolden(t *testing.T) {
	t.Parallel()
	goldenLayouts(t, "procedure", func(w io.Writer, o TextOptions) error { return ProcedureText(w, hubProcedure(), o) })
}

func TestProceduresTextGolden(t *testing.T) {
	t.Parallel()
	all := []ProcedureSummary{hubProcedure(), {Name: "banner", Summary: "Put a banner up."}}
	goldenLayouts(t, "procedures", func(w io.Writer, o TextOptions) error { return ProceduresText(w, all, o) })
}

func TestProceduresTextEmpty(t *testing.T) {
	t.Parallel()
	if got := render(
		t,
		func(w io.Writer) error { return ProceduresText(w, nil, TextOptions{}) },
	); got != "There are no procedures.\n" {
		t.Errorf("got %q", got)
	}
}
