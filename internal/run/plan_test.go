package run_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

// parsePlan reads a plan in short: lines "plan key=value …", "stage ID key=value
// …", "step ID key=value …" and "abort"; steps belong to what stands above them.
func parsePlan(text string) (*plan.Plan, error) {
	p := &plan.Plan{Digest: "sha256:plan"}
	var steps *[]plan.Step
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		switch fields[0] {
		case "plan":
			for _, f := range fields[1:] {
				planKey(p, f)
			}
		case "stage":
			p.Stages = append(p.Stages, plan.Stage{ID: fields[1], Digest: "sha256:" + fields[1]})
			st := &p.Stages[len(p.Stages)-1]
			steps = &st.Steps
			for _, f := range fields[2:] {
				stageKey(st, f)
			}
		case "abort":
			st := &p.Stages[len(p.Stages)-1]
			st.Abort = &plan.Abort{}
			steps = &st.Abort.Steps
		case "step":
			s := plan.Step{
				ID: fields[1], Phase: plan.Upgrade, Action: "test.do@1", Effect: action.Mutating,
				Reversible: plan.ReversibleUndo, OnFailure: "halt",
			}
			for _, f := range fields[2:] {
				if err := stepKey(&s, f); err != nil {
					return nil, err
				}
			}
			*steps = append(*steps, s)
		default:
			return nil, fmt.Errorf("unknown line %q", line)
		}
	}
	for i := range p.Stages {
		cover(&p.Stages[i])
	}
	return p, nil
}

// cover derives which backup covers which component.
func cover(st *plan.Stage) {
	for _, s := range st.Steps {
		for _, c := range s.Covers {
			st.Coverage = append(st.Coverage, plan.Coverage{Component: c, Backups: []string{s.ID}})
		}
	}
}

// planKey reads what belongs to the plan as a whole; "finding=NAME/STAGE" is one
// that fails.
func planKey(p *plan.Plan, f string) {
	k, v, _ := strings.Cut(f, "=")
	switch k {
	case "digest":
		p.Digest = "sha256:" + v
	case "platform":
		p.Platform = v
	case "target":
		name, identity, _ := strings.Cut(v, ":")
		p.Targets = append(p.Targets, plan.Target{Name: name, Identity: identity})
	case "finding":
		name, stage, _ := strings.Cut(v, ":")
		p.Findings = append(p.Findings, plan.Finding{Name: name, Stage: stage, Outcome: plan.Fail, Reason: "Bad", Message: "bad"})
	}
}

func stageKey(st *plan.Stage, f string) {
	k, v, _ := strings.Cut(f, "=")
	switch k {
	case "digest":
		st.Digest = "sha256:" + v
	case "window":
		st.Windows = []plan.Window{{OnClose: v}}
	case "approval":
		st.Gates = append(st.Gates, plan.Gate{Kind: "approval", Name: "go", Reason: "Go?", Count: atoi(v)})
	case "person":
		st.Gates = append(st.Gates, plan.Gate{
			Kind: "person", Name: v, Reason: "upgrade it", Requirement: &plan.Requirement{Name: v},
		})
	case "checks":
		st.Soak.Checks = strings.Split(v, ",")
	case "soak":
		d, _ := time.ParseDuration(v)
		st.Soak = &plan.Soak{
			For: plan.Duration(d), Every: plan.Duration(time.Minute), MaxGap: plan.Duration(2 * time.Minute),
		}
	}
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func stepKey(s *plan.Step, f string) error {
	k, v, _ := strings.Cut(f, "=")
	d, _ := time.ParseDuration(v)
	switch k {
	case "phase":
		s.Phase = plan.Phase(v)
		if !slices.Contains(plan.Phases(), s.Phase) {
			return fmt.Errorf("unknown phase %q", v)
		}
	case "reads":
		s.Effect, s.Reversible = action.ReadOnly, plan.ReversibleNone
	case "scratch":
		s.Effect, s.Reversible = action.Scratch, plan.ReversibleNone
	case "needs":
		s.Needs = strings.Split(v, ",")
	case "free":
		s.Free = true
	case "resource":
		s.Resource = v
	case "skip":
		s.Skip = v
	case "when":
		s.When = v
	case "each":
		s.ForEach = &plan.ForEach{Max: atoi(v)}
	case "remedy":
		issue, n, _ := strings.Cut(v, ":")
		s.Remedy = &plan.Remedy{Issue: issue, Max: atoi(n)}
	case "selects":
		s.Selection = &plan.Selection{Max: atoi(v), Empty: plan.EmptyRefuse}
	case "empty":
		s.Selection.Empty = v
	case "approve":
		if s.Selection != nil {
			s.Selection.Approve = true
			break
		}
		s.ForEach.Approve = true
	case "gate":
		s.Gate, s.Effect, s.Reversible = action.Gate(v), action.ReadOnly, plan.ReversibleNone
	case "mutates":
		s.Effect, s.Reversible = action.Mutating, plan.ReversibleUndo
	case "reversible":
		s.Reversible = plan.Reversible(v)
	case "lease":
		until, fail, _ := strings.Cut(v, "/")
		s.Lease = &plan.StepLease{Until: until, OnFailure: fail}
		if id, ok := strings.CutPrefix(until, "step:"); ok {
			s.Lease.Until, s.Lease.Steps = "steps", []string{id}
		}
	case "quiesces":
		s.Quiesces = []string{v}
	case "covers":
		s.Covers = []string{v}
		s.Reversible = plan.ReversibleNone
	case "changes":
		s.Changes = []string{v}
	case "timeout":
		s.Timeout = plan.Duration(d)
	case "worst":
		s.Estimate.Worst = plan.Duration(d)
	case "retry":
		s.Retry = plan.Retry{Attempts: atoi(v), Backoff: plan.Duration(10 * time.Second), MaxBackoff: plan.Duration(time.Minute)}
	case "fail":
		s.OnFailure = v
	default:
		return fmt.Errorf("unknown key %q", k)
	}
	return nil
}
