package procedures_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/versions"
)

var update = flag.Bool("update", false, "rewrite what tests compare with")

// hubFile is a platform file for JupyterHub; more are lines of its inputs.
func hubFile(database string, more ...string) string {
	lines := append([]string{
		"apiVersion: refit.dev/v1alpha1", "kind: Platform", "metadata: {name: hub}", "procedure: jupyterhub",
		"targets: {cluster: {kind: kubernetes}}", "backup: {store: \"file:///var/backups/hub\"}", "allowScratch: true",
		"windows: [{date: \"2027-01-12\", start: \"22:00\", duration: 6h, zone: UTC}]", "inputs:",
		"  release: jhub", "  namespace: jhub", "  url: https://hub.example.org", "  token: {env: HUB_TOKEN}",
		"  database: " + database,
	}, more...)
	return strings.Join(lines, "\n") + "\n"
}

const (
	sqlite   = "{kind: sqlite-pvc}"
	postgres = "{kind: postgres, service: db, name: hub, user: hub}"
)

// facts are recorded ones: those of a hub of a chart version.
func facts(t *testing.T, proc *procedure.Procedure, chart string, changed map[string]bool) map[string]any {
	t.Helper()
	holds := map[string]any{}
	for _, name := range []string{
		"sudo", "privilegeEscalation", "extraConfig", "schedulerPlugins", "bracesInEnvironment", "whoMayLogIn",
	} {
		holds[name] = changed[name]
	}
	out := map[string]any{
		"cluster":  map[string]any{"version": "v1.34.4", "platform": "linux/amd64"},
		"settings": map[string]any{"holds": holds},
	}
	if chart == "" {
		return out // a release of Helm 2 shows nothing of itself
	}
	paths, err := proc.Graph.Paths(chart, "4.4.0", 1)
	if err != nil {
		t.Fatal(err)
	}
	now := paths[0].Hops[0].Previous
	out["release"] = map[string]any{
		"release": "jhub", "namespace": "jhub", "revision": int64(7), "deployed": int64(7), "status": "deployed",
		"description": "Upgrade complete", "updated": "2026-11-02T10:00:00Z", "applyMethod": "client-side",
		"chart": map[string]any{"name": "jupyterhub", "version": chart, "appVersion": now["appVersion"]},
	}
	out["database"] = map[string]any{
		"product": "PostgreSQL", "version": "17.6", "identity": "postgresql:7412/16384", "rows": int64(812),
		"revisions": []any{now["schema"]}, "tables": []any{}, "names": []any{},
	}
	out["hub"] = map[string]any{"status": int64(200), "body": "", "json": map[string]any{"version": now["appVersion"]}}
	return out
}

// planned is a plan from an installed version to another.
func planned(t *testing.T, file, from, to string, changed map[string]bool) *plan.Plan {
	t.Helper()
	proc := load(t, "jupyterhub")
	p, ds := platform.Load("platform.yaml", []byte(file))
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	if ds = platform.Check(p, proc); ds.HasErrors() {
		t.Fatal(ds)
	}
	inputs, _ := platform.ResolveInputs(p, proc)
	seen := from
	if _, byHand := inputs["installed"]; byHand {
		seen = ""
	}
	paths, err := proc.Graph.Paths(from, to, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, ds := plan.Build(plan.Input{
		Procedure: proc, Platform: p, PlatformFile: "platform.yaml", Inputs: inputs,
		Targets: []plan.Target{{Name: "cluster", Kind: "kubernetes", Identity: "5f7d2c1e-8f0a-4c55-9f0e-1f2e3d4c5b6a"}},
		Facts:   facts(t, proc, seen, changed), Path: &paths[0],
		Now: time.Date(2027, 1, 11, 9, 0, 0, 0, time.UTC), Refit: "test",
	})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	return got
}

// trail is the path of a plan.
func trail(p versions.Path) string {
	out := p.From
	for _, h := range p.Hops {
		out += " " + h.To
	}
	return out
}

func TestJupyterHubPlans(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		file, from, to string
		changed        map[string]bool
	}{
		"1.2.0-4.4.0-postgres": {hubFile(postgres), "1.2.0", "4.4.0", map[string]bool{"whoMayLogIn": true}},
		"2.0.0-3.3.8-sqlite":   {hubFile(sqlite), "2.0.0", "3.3.8", map[string]bool{"whoMayLogIn": true}},
		"0.6-1.2.0-by-hand":    {hubFile(sqlite, `  installed: "0.6"`), "0.6", "1.2.0", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planned(t, tc.file, tc.from, tc.to, tc.changed)
			var b strings.Builder
			if err := report.PlanText(&b, p, report.TextOptions{Width: 120, Full: true}); err != nil {
				t.Fatal(err)
			}
			// Digests change with every word of the procedure.
			var lines []string
			for line := range strings.Lines(b.String()) {
				if !strings.Contains(line, "sha256:") && !strings.Contains(line, "Digest") {
					lines = append(lines, line)
				}
			}
			golden(t, filepath.Join("jupyterhub", "testdata", name+".golden"), strings.Join(lines, ""))
		})
	}
}

// golden compares got with a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read golden file: %v; make it with -update", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got), -update rewrites it:\n%s", file, diff)
	}
}

func TestJupyterHubPaths(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ reason, from, to, want string }{
		"Oldest": {
			"No release up to 0.7.0 is left out, then one of each line.", "0.4", "1.2.0",
			"v0.4 v0.5 v0.6 0.7.0 0.8.2 0.9.1 0.10.6 0.11.1 1.2.0",
		},
		"AllTheWay": {
			"No major release is left out.", "0.11.1", "4.4.0", "0.11.1 1.2.0 2.0.0 3.3.8 4.4.0",
		},
		"Majors":     {"The newest of each major.", "1.2.0", "4.4.0", "1.2.0 2.0.0 3.3.8 4.4.0"},
		"Within":     {"Releases of one major need no stops.", "3.1.0", "3.3.8", "3.1.0 3.3.8"},
		"NotOver30x": {"3.0.x loses pods.", "2.0.0", "3.1.0", "2.0.0 3.1.0"},
		"To30x":      {"It can be asked for.", "2.0.0", "3.0.2", "2.0.0 3.0.2"},
		"From30x":    {"It can be left.", "3.0.2", "4.0.0", "3.0.2 4.0.0"},
		"Patch":      {"A patch is one hop.", "4.3.0", "4.3.5", "4.3.0 4.3.5"},
		"OldPatch":   {"Below 1.0, too.", "0.10.0", "0.10.6", "0.10.0 0.10.6"},
	}
	proc := load(t, "jupyterhub")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			paths, err := proc.Graph.Paths(tc.from, tc.to, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := trail(paths[0]); got != tc.want {
				t.Errorf("%s\ngot %s\nwant %s", tc.reason, got, tc.want)
			}
		})
	}
	for _, pair := range [][2]string{{"0.6", "0.8.2"}, {"4.4.0", "3.3.8"}} {
		if paths, err := proc.Graph.Paths(pair[0], pair[1], 1); err == nil && len(paths[0].Hops) == 1 {
			t.Errorf("%s leads to %s in one hop", pair[0], pair[1])
		}
	}
}

// TestJupyterHubStages compares what stages of many pairs are made of.
func TestJupyterHubStages(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason         string
		file, from, to string
		changed        map[string]bool
		// stages are their ids; blocked are the findings that stop the plan.
		stages, blocked []string
		// has and lacks are steps of the first stage.
		has, lacks []string
	}{
		"TokensAreLost": {
			reason: "JupyterHub 1 to 3 drops tokens and wants servers stopped.",
			file:   hubFile(postgres), from: "1.2.0", to: "2.0.0", stages: []string{"to-2.0.0"},
			blocked: []string{"risk/token-loss"}, has: []string{"stop-servers", "migrate", "privileges"},
			lacks: []string{"flag-off", "volume-bound"},
		},
		"SameSchema": {
			reason: "Within a major release the schema stays, and servers go on.",
			file:   hubFile(postgres), from: "3.1.0", to: "3.3.8", stages: []string{"to-3.3.8"},
			lacks: []string{"migrate", "stop-servers", "afterwards"},
		},
		"SQLiteMigratesItself": {
			file: hubFile(sqlite), from: "2.0.0", to: "3.3.8", changed: map[string]bool{"whoMayLogIn": true},
			stages: []string{"to-3.3.8"}, has: []string{"volume-bound", "save"}, lacks: []string{"migrate", "privileges"},
		},
		"ByTheChart": {
			reason: "hub.db.upgrade is taken out again.",
			file:   hubFile(postgres, "  migration: chart"), from: "2.0.0", to: "3.3.8", changed: map[string]bool{"whoMayLogIn": true},
			stages: []string{"to-3.3.8"}, has: []string{"upgrade", "flag-off"}, lacks: []string{"migrate"},
		},
		"NobodyAllowed": {
			file: hubFile(sqlite), from: "3.3.8", to: "4.4.0", stages: []string{"to-4.4.0"},
			blocked: []string{"risk/nobody-allowed"},
		},
		"Settings": {
			file: hubFile(sqlite), from: "1.2.0", to: "2.0.0", stages: []string{"to-2.0.0"},
			changed: map[string]bool{"sudo": true, "extraConfig": true, "schedulerPlugins": true},
			blocked: []string{"risk/configuration-order", "risk/scheduler-plugins", "risk/sudo-blocked", "risk/token-loss"},
		},
		"SudoIsPermitted": {
			file: hubFile(sqlite), from: "1.2.0", to: "2.0.0", stages: []string{"to-2.0.0"},
			changed: map[string]bool{"sudo": true, "privilegeEscalation": true}, blocked: []string{"risk/token-loss"},
		},
		"OrphansAreNamed": {
			file: hubFile(sqlite), from: "3.0.2", to: "3.3.8", stages: []string{"to-3.3.8"}, has: []string{"afterwards"},
		},
		"IntoOrphans": {
			file: hubFile(sqlite), from: "2.0.0", to: "3.0.2", changed: map[string]bool{"whoMayLogIn": true},
			stages: []string{"to-3.0.2"}, blocked: []string{"risk/orphaned-servers"},
		},
		"ByHand": {
			reason: "Below 1.0 there is a person, and the plan is blocked.",
			file:   hubFile(sqlite, `  installed: "0.9.1"`), from: "0.9.1", to: "1.0.0",
			stages: []string{"to-0.10.6", "to-0.11.1", "to-1.0.0"}, blocked: []string{"risk/helm-2"},
			has: []string{"upgrade", "values"}, lacks: []string{"stop-hub", "save"},
		},
		"FirstByHand": {
			file: hubFile(sqlite, `  installed: "0.11.1"`), from: "0.11.1", to: "2.0.0",
			stages: []string{"to-1.2.0", "to-2.0.0"}, blocked: []string{"risk/helm-2", "risk/token-loss"},
		},
		"NotRehearsed": {
			file: hubFile(sqlite, "  rehearsed: false"), from: "4.3.0", to: "4.4.0", stages: []string{"to-4.4.0"},
			lacks: []string{"rehearsal"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planned(t, tc.file, tc.from, tc.to, tc.changed)
			var stages []string
			for _, s := range p.Stages {
				stages = append(stages, s.ID)
			}
			blocked := map[string]bool{}
			for _, f := range p.Findings {
				if f.Outcome == plan.Fail || f.Outcome == plan.UnknownOutcome {
					blocked[f.Name] = true
				}
			}
			if diff := cmp.Diff(tc.stages, stages); diff != "" {
				t.Errorf("%s\nstages (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.blocked, slices.Sorted(maps.Keys(blocked))); diff != "" {
				t.Errorf("%s\nfindings that block (-want +got):\n%s", tc.reason, diff)
			}
			steps := map[string]bool{}
			for _, s := range p.Stages[0].Steps {
				steps[s.ID] = s.Skip == ""
			}
			for _, id := range tc.has {
				if !steps[id] {
					t.Errorf("%s\nstep %s is missing", tc.reason, id)
				}
			}
			for _, id := range tc.lacks {
				if steps[id] {
					t.Errorf("%s\nstep %s is there", tc.reason, id)
				}
			}
		})
	}
}
