package report

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

func minutes(n float64) plan.Duration { return plan.Duration(n * float64(time.Minute)) }

func estimate(typical, worst float64) plan.Estimate {
	return plan.Estimate{Typical: minutes(typical), Worst: minutes(worst), Known: true}
}

// digestOf invents a digest that looks like one.
func digestOf(seed string) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(seed)))
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// tinyPlan is one stage of three steps without targets, path or windows.
func tinyPlan() *plan.Plan {
	steps := []plan.Step{
		{
			ID:          "reachable",
			Phase:       plan.Preflight,
			Action:      "http.get@1",
			Effect:      action.ReadOnly,
			Description: "The wiki answers.",
			Reversible:  plan.ReversibleNone,
			Estimate:    estimate(0.05, 0.1),
			OnFailure:   "halt",
		},
		{
			ID:          "write-banner",
			Phase:       plan.Upgrade,
			Action:      "exec.command@1",
			Effect:      action.Mutating,
			Description: "Put the new banner up.",
			Reversible:  plan.ReversibleUndo,
			Estimate:    estimate(0.2, 1),
			OnFailure:   "halt",
		},
		{
			ID: "banner-shown", Phase: plan.Verify, Action: "http.get@1", Effect: action.ReadOnly,
			Reversible: plan.ReversibleNone, OnFailure: "continue",
		},
	}
	return &plan.Plan{
		Digest: digestOf("tiny"), Platform: "wiki", Procedure: plan.ProcedureRef{Name: "banner"},
		Stages: []plan.Stage{{ID: "main", Digest: digestOf("tiny main"), Steps: steps, Estimate: estimate(0.3, 1)}},
		Summary: plan.Summary{
			Steps:    3,
			Duration: plan.Estimate{Typical: minutes(0.25)},
			Rollback: estimate(0.2, 1),
			Stages: []plan.StageSummary{
				{ID: "main", Steps: 3, Duration: plan.Estimate{Typical: minutes(0.25)}, Rollback: estimate(0.2, 1)},
			},
		},
	}
}

// largePlan has steps of one kind in each of the given number of stages.
func largePlan(stages, steps int) *plan.Plan {
	p := &plan.Plan{
		Digest: digestOf(
			"large",
		),
		Platform:  "fleet",
		Procedure: plan.ProcedureRef{Name: "nodes", Digest: digestOf("nodes")},
		Summary:   plan.Summary{Steps: stages * steps, Duration: estimate(5000, 9000), Rollback: estimate(100, 200)},
	}
	for i := range stages {
		s := plan.Stage{
			ID:       fmt.Sprintf("rack-%03d", i),
			Digest:   digestOf(fmt.Sprint("rack", i)),
			Estimate: estimate(50, 90),
		}
		for j := range steps {
			step := plan.Step{
				ID:          fmt.Sprintf("drain[node-%04d]", j),
				Phase:       plan.Upgrade,
				Action:      "kube.drain@1",
				Effect:      action.Mutating,
				Description: "Move the pods of the node elsewhere.",
				Reversible:  plan.ReversibleUndo,
				Downtime:    []string{"nothing"},
				Estimate:    estimate(0.5, 2),
				OnFailure:   "halt",
			}
			if j > 0 {
				step.Needs = []string{s.Steps[j-1].ID}
				step.Downtime = nil
			}
			s.Steps = append(s.Steps, step)
		}
		p.Stages = append(p.Stages, s)
	}
	last := &p.Stages[stages/2].Steps[steps-1]
	last.Reversible, last.Irreversibly = plan.ReversibleNo, "The node is wiped."
	p.Summary.PointOfNoReturn = &plan.PointOfNoReturn{
		Stage: p.Stages[stages/2].ID,
		Step:  last.ID,
		Why:   last.Irreversibly,
	}
	return p
}
