package service

import (
	"context"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
)

// ReplanRequest says what to plan anew.
type ReplanRequest struct {
	// PlanFile is the plan whose first stages are done.
	PlanFile string
	// After is the last stage that is done; empty when none is.
	After string
	// PlatformFile overrides where the plan says that its platform file is.
	PlatformFile string
	// To is another version to end at; empty means that of the plan.
	To string
	// Via are versions that the path must pass.
	Via []string
	// Accept lets findings pass beside those of the platform file.
	Accept []plan.Accept
}

// ReplanResult is a plan for the stages that are left.
type ReplanResult struct {
	PlanResult
	// Diff compares the stages that are left in the old plan with the new
	// ones, and says whose approvals survive.
	Diff report.Diff
}

// Replan reads the procedure and the platform of a plan again, observes again,
// and plans the stages behind the one that was done last. Facts are those of
// now: the world after that stage.
func (s *Service) Replan(ctx context.Context, req ReplanRequest) (*ReplanResult, error) {
	old, err := s.ReadPlan(req.PlanFile)
	if err != nil {
		return nil, err
	}
	left, err := stagesAfter(old, req.After)
	if err != nil {
		return nil, err
	}
	file, err := platformFileOf(req.PlanFile, old, req.PlatformFile)
	if err != nil {
		return nil, err
	}
	to := req.To
	if to == "" && old.Path != nil {
		to = old.Path.To
	}
	result, err := s.plan(ctx, PlanRequest{Platform: file, To: to, Via: req.Via, Accept: req.Accept}, req.After)
	if err != nil {
		return nil, err
	}
	if err := sameTargets(old, result.Plan); err != nil {
		return nil, err
	}
	rest := *old
	rest.Stages = left
	return &ReplanResult{PlanResult: *result, Diff: report.PlanDiff(&rest, result.Plan)}, nil
}

// stagesAfter returns the stages of a plan behind the one called id, all of
// them for "".
func stagesAfter(p *plan.Plan, id string) ([]plan.Stage, error) {
	if id == "" {
		return p.Stages, nil
	}
	ids := make([]string, len(p.Stages))
	for i := range p.Stages {
		if p.Stages[i].ID == id {
			return p.Stages[i+1:], nil
		}
		ids[i] = p.Stages[i].ID
	}
	return nil, usageErrorf("the plan has no stage %q", id).suggest("%s", diag.DidYouMean(id, ids))
}

// sameTargets refuses to go on with an upgrade on other targets than those
// that its first stages were made on.
func sameTargets(old, now *plan.Plan) error {
	changes := plan.CompareTargets(old, now.Targets)
	if len(changes) == 0 {
		return nil
	}
	stale := &StaleError{Remedy: "plan the whole upgrade of the other target with refit plan"}
	for _, c := range changes {
		stale.Changes = append(stale.Changes, c.String())
	}
	return stale
}
