package report

import (
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

// hubPlan is a plan over two hops with everything that a plan can hold.
func hubPlan() *plan.Plan {
	p := &plan.Plan{
		APIVersion:      plan.APIVersion,
		Kind:            plan.Kind,
		Digest:          digestOf("hub-prod root"),
		RehearsalDigest: digestOf("rehearsal"),
		Created:         time.Date(2026, 11, 20, 14, 3, 0, 0, time.UTC),
		Refit:           "0.1.0",
		Platform:        "hub-prod",
		Procedure: plan.ProcedureRef{
			Name:   "jupyterhub",
			File:   "procedures/jupyterhub/procedure.yaml",
			Digest: digestOf("procedure"),
		},
		Targets: []plan.Target{
			{Name: "cluster", Kind: "kubernetes", Identity: "kube-system/7d0c9a2e-41f6-4a0b-9f5e-0b6f0c1d2e3f"},
			{Name: "config", Kind: "git", Identity: "root 9f8e7d6c5b4a"},
		},
		Inputs: map[string]any{"release": "hub", "namespace": "hub", "url": "https://hub.example.org"},
		Components: []plan.Component{
			{Name: "hub", Kind: "service"},
			{Name: "database", Kind: "database"},
			{Name: "homes", Kind: "volume"},
		},
		Path: &plan.Path{From: "1.2.0", To: "3.3.8", Hops: []plan.Hop{
			{From: "1.2.0", To: "2.0.0", Kind: "waypoint"}, {From: "2.0.0", To: "3.3.8", Kind: "upgrade"},
		}},
		Facts:    map[string]any{"release": map[string]any{"chart": map[string]any{"version": "1.2.0"}}},
		Findings: hubFindings(),
		Stages:   []plan.Stage{hubStage("1.2.0", "2.0.0"), hubStage("2.0.0", "3.3.8")},
	}
	p.Stages[0].Hop.Kind = "waypoint"
	p.Stages[0].Gates = []plan.Gate{
		{
			Kind:   "person",
			Name:   "kubernetes",
			Reason: "Chart 2.0.0 needs Kubernetes 1.20, the cluster has 1.19.",
			By: []string{
				"cluster administrators",
			},
			Requirement: &plan.Requirement{Name: "kubernetes", Fact: "cluster.version", Constraint: ">=1.20"},
		},
	}
	last := &p.Stages[1]
	last.Gates = []plan.Gate{{
		Kind: "approval", Name: "go", Reason: "Judge the week since 2.0.0: tickets, error rate, spawn times.",
		By: []string{"alice", "bob", "carol"}, Count: 2,
	}}
	last.Soak = nil
	last.OnFailure = "rollback"
	for i := range last.Steps {
		if last.Steps[i].ID == "upgrade" {
			last.Steps[i].Reversible = plan.ReversibleNo
			last.Steps[i].Irreversibly = "KubeSpawner 6 renames the volumes of users and keeps no list of the old names."
		}
	}
	p.Summary = hubSummary(p.Stages)
	return p
}

func hubFindings() []plan.Finding {
	return []plan.Finding{
		{
			Name:    "requires/helm",
			Stage:   "to-2.0.0",
			Outcome: plan.Pass,
			Reason:  "Met",
			Message: "Helm 3.14.2 meets >=3.5.",
		},
		{Name: "requires/database", Outcome: plan.Pass, Reason: "Met", Message: "PostgreSQL 14.9 meets >=11."},
		{
			Name:    "estimate/homes-backup",
			Stage:   "to-2.0.0",
			Step:    "homes-backup",
			Outcome: plan.Warn,
			Reason:  "NoEstimate",
			Message: "Nothing is known of how long the backup of homes takes.",
			Remedy:  "Rehearse the plan, or write an estimate.",
		},
		{
			Name: "risk/token-loss", Stage: "to-2.0.0", Outcome: plan.Fail, Reason: "RiskApplies",
			Message: "The upgrade drops all API tokens of users: 142 tokens of 37 users exist.",
			Remedy:  "Tell the users to make new tokens, or wait until nobody has one.",
		},
		{
			Name: "window/to-3.3.8", Stage: "to-3.3.8", Outcome: plan.UnknownOutcome, Reason: "NotFit",
			Message: "Whether the way back fits the window cannot be known, because a step has no estimate.",
		},
		{
			Name: "risk/orphaned-pods", Stage: "to-3.3.8", Outcome: plan.Fail, Reason: "RiskApplies",
			Message:  "KubeSpawner 6.0.0 leaves pods of users behind.",
			Accepted: &plan.Accepted{By: "alice", Reason: "3.3.8 has KubeSpawner 6.2", Expires: "2026-12-31"},
		},
	}
}

// hubStage is one hop with every phase.
func hubStage(from, to string) plan.Stage {
	hop := plan.Hop{From: from, To: to, Kind: "upgrade"}
	s := plan.Stage{
		ID:     "to-" + to,
		Digest: digestOf("stage " + to),
		Hop:    &hop,
		Description: fmt.Sprintf(
			"Moves the hub from chart %s to %s; users are logged out and their servers stopped.",
			from,
			to,
		),
		Windows: []plan.Window{
			{
				Days: []string{
					"Sat",
					"Sun",
				},
				Start:    "22:00",
				Duration: minutes(240),
				Zone:     "Europe/Paris",
				OnClose:  "pause",
			},
		},
		Expects: []plan.Expect{
			{Fact: "release.chart.version", Value: from, Declared: true},
			{Fact: "cluster.version", Value: "1.24.17"},
			{Fact: "release.values", Digest: digestOf("values " + from)},
			{Fact: "database.migration", Absent: true},
		},
		Leaves: []plan.Expect{{Fact: "release.chart.version", Value: to, Declared: true}},
		Soak: &plan.Soak{
			For:    minutes(60),
			Every:  minutes(1),
			MaxGap: minutes(5),
			Checks: []string{"answers", "login"},
		},
		Steps:     append(hubStepsBefore(from, to), hubStepsAfter(to)...),
		OnFailure: "halt",
		Estimate:  estimate(44, 112),
		Leases: []plan.Lease{
			{Step: "silence", StepLease: plan.StepLease{Until: "run", OnFailure: "release"}},
			{
				Step: "logins-off", StepLease: plan.StepLease{Until: "stage", OnFailure: "hold"},
				Quiesces: []string{"database", "homes"},
			},
			{
				Step:      "db-upgrade-flag",
				StepLease: plan.StepLease{Until: "steps", Steps: []string{"answers"}, OnFailure: "hold"},
			},
		},
		Coverage: []plan.Coverage{
			{Component: "database", ChangedBy: []string{"upgrade"}, Backups: []string{"db-backup"}, Proof: 3},
			{
				Component:  "homes",
				ChangedBy:  []string{"upgrade", "stop-servers"},
				Backups:    []string{"homes-backup"},
				Proof:      2,
				LossWindow: minutes(26),
			},
		},
		Abort: &plan.Abort{
			Description: "Brings a read-only hub up on the old chart; new servers cannot be spawned.",
			Steps: []plan.Step{{
				ID: "read-only-hub", Phase: plan.Upgrade, Action: "helm.rollback@1", Effect: action.Mutating,
				Reversible: plan.ReversibleUndo, Estimate: estimate(3, 8), OnFailure: "halt",
			}},
		},
	}
	for i := range s.Steps {
		s.Steps[i].Target = "cluster"
		if s.Steps[i].OnFailure == "" {
			s.Steps[i].OnFailure = "halt"
		}
	}
	s.Steps[0].Target = "config"
	return s
}

func hubStepsBefore(from, to string) []plan.Step {
	return []plan.Step{
		{
			ID:          "config",
			Phase:       plan.Prepare,
			Action:      "values.migrate@1",
			Effect:      action.Mutating,
			Reversible:  plan.ReversibleUndo,
			Description: "Rewrite the values for the new chart.",
			Estimate:    estimate(0.3, 1),
			Preview: &action.Preview{
				Summary: "rename 2 keys, remove 1 key in values.yaml",
				Diff:    "--- values.yaml\n+++ values-" + to + ".yaml\n@@ -3,4 +3,4 @@\n-hub.extraConfigMap:\n+custom:\n \ttheme: dark\n-hub.uid: 1000\n+hub.containerSecurityContext.runAsUser: 1000\n",
			},
		},
		{
			ID:          "tokens",
			Phase:       plan.Preflight,
			Action:      "database.query@1",
			Effect:      action.ReadOnly,
			Reversible:  plan.ReversibleNone,
			Description: "Count the API tokens of users.",
			Estimate:    estimate(0.1, 0.2),
		},
		{
			ID:         "legacy-ingress",
			Phase:      plan.Preflight,
			Action:     "kube.get@1",
			Effect:     action.ReadOnly,
			Reversible: plan.ReversibleNone,
			Skip:       "the platform has no ingress",
			Estimate:   estimate(0.1, 0.2),
		},
		{
			ID:          "go-ahead",
			Phase:       plan.Quiesce,
			Action:      "gate.approval@1",
			Effect:      action.ReadOnly,
			Gate:        action.GateApproval,
			Description: "Last look before users are thrown out.",
			Reversible:  plan.ReversibleNone,
		},
		{
			ID:          "silence",
			Phase:       plan.Quiesce,
			Action:      "alertmanager.silence@1",
			Effect:      action.Mutating,
			Reversible:  plan.ReversibleUndo,
			Description: "Silence the alerts of the hub.",
			Estimate:    estimate(0.1, 0.2),
			Free:        true,
			Needs:       []string{"tokens"},
			Lease:       &plan.StepLease{Until: "run", OnFailure: "release"},
		},
		{
			ID:          "logins-off",
			Phase:       plan.Quiesce,
			Action:      "kube.scale@1",
			Effect:      action.Mutating,
			Reversible:  plan.ReversibleUndo,
			Description: "Scale the hub to 0, so that nobody logs in and nothing is written.",
			Estimate:    estimate(0.5, 2),
			Needs:       []string{"go-ahead"},
			Quiesces:    []string{"database", "homes"},
			Downtime:    []string{"hub"},
			Lease:       &plan.StepLease{Until: "stage", OnFailure: "hold"},
		},
		{
			ID:          "stop-servers",
			Phase:       plan.Quiesce,
			Action:      "kube.delete@1",
			Effect:      action.Mutating,
			Reversible:  plan.ReversibleRestore,
			Description: "Stop the servers of users.",
			Estimate:    estimate(2, 6),
			Needs:       []string{"logins-off"},
			Changes:     []string{"homes"},
			ForEach:     &plan.ForEach{Expr: "${steps.pods.output.items}", As: "pod", Key: "${pod.name}", Max: 400},
			Deferred:    []plan.Deferred{{Path: "/name", Text: "${pod.name}"}},
			Resource:    "apiserver",
		},
		{
			ID:          "db-backup",
			Phase:       plan.Backup,
			Action:      "database.backup@1",
			Effect:      action.Mutating,
			Reversible:  plan.ReversibleUndo,
			Description: "Dump the database of the hub, restore the dump into a scratch database and count the rows.",
			Estimate: estimate(
				6,
				15,
			),
			Covers: []string{"database"},
			Proof:  3,
			Retry:  plan.Retry{Attempts: 3, Backoff: minutes(0.1)},
		},
		{
			ID:         "homes-backup",
			Phase:      plan.Backup,
			Action:     "volume.snapshot@1",
			Effect:     action.Mutating,
			Reversible: plan.ReversibleUndo,
			Covers:     []string{"homes"},
			Proof:      2,
			Online:     true,
		},
		{
			ID:          "homes-count",
			Phase:       plan.Backup,
			Action:      "kube.job@1",
			Effect:      action.Scratch,
			Reversible:  plan.ReversibleNone,
			Description: "Count the files in a mounted copy.",
			Estimate:    estimate(2, 4),
			Needs:       []string{"homes-backup"},
		},
		{
			ID:          "db-upgrade-flag",
			Phase:       plan.Upgrade,
			Action:      "values.set@1",
			Effect:      action.Mutating,
			Reversible:  plan.ReversibleUndo,
			Description: "Permit the hub to upgrade the schema of its database.",
			Estimate:    estimate(0.1, 0.2),
			When:        "${steps.tokens.output.schema != item.schema}",
			Lease:       &plan.StepLease{Until: "steps", Steps: []string{"answers"}, OnFailure: "hold"},
		},
		{
			ID:         "upgrade",
			Phase:      plan.Upgrade,
			Action:     "helm.upgrade@1",
			Effect:     action.Mutating,
			Reversible: plan.ReversibleRestore,
			Preview:    &action.Preview{Summary: fmt.Sprintf("upgrade release hub from %s to %s", from, to)},
			With:       map[string]any{"release": "hub", "version": to},
			Estimate:   estimate(4, 12),
			Timeout:    minutes(20),
			Needs: []string{
				"config",
				"db-upgrade-flag",
			},
			Changes:  []string{"database", "hub", "homes"},
			Downtime: []string{"hub"},
			Deferred: []plan.Deferred{{Path: "/valuesFile", Text: "${steps.config.output.file}"}},
			Retry:    plan.Retry{Attempts: 3, Backoff: minutes(0.2)},
		},
	}
}

func hubStepsAfter(to string) []plan.Step {
	return []plan.Step{
		{
			ID:          "answers",
			Phase:       plan.Verify,
			Action:      "http.check@1",
			Effect:      action.ReadOnly,
			Reversible:  plan.ReversibleNone,
			Description: "The hub reports the version of chart " + to + ".",
			Estimate:    estimate(0.2, 1),
		},
		{
			ID:          "login",
			Phase:       plan.Verify,
			Action:      "hub.login@1",
			Effect:      action.Scratch,
			Reversible:  plan.ReversibleNone,
			Description: "A test user logs in and spawns a server.",
			Estimate:    estimate(1, 3),
			Needs:       []string{"answers"},
		},
		{
			ID:          "announce",
			Phase:       plan.Cleanup,
			Action:      "http.post@1",
			Effect:      action.Mutating,
			Reversible:  plan.ReversibleUndo,
			Description: "Tell the users that the hub is back.",
			Estimate:    estimate(0.1, 0.1),
			OnFailure:   "continue",
		},
	}
}

func hubSummary(stages []plan.Stage) plan.Summary {
	why := "KubeSpawner 6 renames the volumes of users and keeps no list of the old names."
	point := &plan.PointOfNoReturn{Stage: "to-3.3.8", Step: "upgrade", Why: why}
	s := plan.Summary{
		Duration: estimate(88, 224), Rollback: estimate(21, 52), PointOfNoReturn: point,
		Downtime: []plan.Downtime{
			{Component: "hub", Typical: minutes(36), Worst: minutes(94), Known: true},
			{Component: "proxy", Typical: minutes(2), Worst: minutes(5)},
		},
		CriticalPath: []string{"to-2.0.0/config", "to-2.0.0/db-backup", "to-2.0.0/upgrade"},
	}
	fits := []*bool{yes(), no()}
	for i := range stages {
		s.Steps += len(stages[i].Steps)
		s.Stages = append(s.Stages, plan.StageSummary{
			ID: stages[i].ID, Steps: len(stages[i].Steps), Duration: estimate(44, 112), InWindow: estimate(43, 110),
			Rollback: estimate(21, 52), FitsWindow: fits[i],
		})
	}
	s.Stages[1].PointOfNoReturn = point
	return s
}
