package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

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
// now: the world after that stage. When they are not what that stage promises
// to leave, the error is a *StaleError. What was accepted in the plan for the
// stages that are left stays accepted until its last day.
func (s *Service) Replan(ctx context.Context, req ReplanRequest) (*ReplanResult, error) {
	old, err := s.ReadPlan(req.PlanFile)
	if err != nil {
		return nil, err
	}
	file, err := platformFileOf(req.PlanFile, old, req.PlatformFile)
	if err != nil {
		return nil, err
	}
	return s.replan(ctx, old, file, &req)
}

// replan plans the stages of an old plan that are left anew.
func (s *Service) replan(ctx context.Context, old *plan.Plan, file string, req *ReplanRequest) (*ReplanResult, error) {
	left, err := stagesAfter(old, req.After)
	if err != nil {
		return nil, err
	}
	l, err := s.loadPlatform(file)
	if err != nil {
		return nil, err
	}
	if err := l.isFor(old); err != nil {
		return nil, err
	}
	seen, err := s.look(ctx, l)
	if err != nil {
		return nil, err
	}
	if err := sameTargets(old, seen.targets); err != nil {
		return nil, err
	}
	if err := asLeft(old, req.After, seen.facts); err != nil {
		return nil, err
	}
	if req.After != "" && len(left) == 0 && req.To == "" {
		return nil, usageErrorf("nothing is left to do: %q is the last stage of the plan", req.After).
			suggest("give --to VERSION to go on from there")
	}
	to := req.To
	if to == "" && old.Path != nil && l.procedure.Graph != nil {
		to = old.Path.To
	}
	accept := append(slices.Clone(req.Accept), s.carried(old, left, append(l.accepts(), req.Accept...))...)
	done := slices.Clone(old.Done)
	quiesced := slices.Clone(old.Quiesced)
	for i := range len(old.Stages) - len(left) {
		if !slices.Contains(done, old.Stages[i].ID) {
			done = append(done, old.Stages[i].ID)
		}
		quiesced = append(quiesced, old.Stages[i].HeldToEnd()...)
	}
	result, err := s.build(ctx, seen, PlanRequest{Platform: file, To: to, Via: req.Via, Accept: accept}, done, quiesced)
	if err != nil {
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
func sameTargets(old *plan.Plan, now []plan.Target) error {
	changes := plan.CompareTargets(old, now)
	if len(changes) == 0 {
		return nil
	}
	stale := &StaleError{Remedy: "plan the whole upgrade of the other target with refit plan"}
	for _, c := range changes {
		stale.Changes = append(stale.Changes, c.String())
	}
	return stale
}

// asLeft refuses to believe that a stage is done when the facts are not what
// it promises to leave.
func asLeft(p *plan.Plan, id string, facts map[string]any) error {
	i := slices.IndexFunc(p.Stages, func(s plan.Stage) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	stale := &StaleError{Remedy: "name the stage that was really done last, or finish this one"}
	for _, c := range plan.CompareFacts(&plan.Stage{ID: id, Expects: p.Stages[i].Leaves}, facts) {
		observed := "is " + jsonText(c.Observed)
		if c.ObservedAbsent {
			observed = "is not there"
		}
		promised := c.Fact + " = " + jsonText(c.Expected)
		if c.ExpectedAbsent {
			promised = "no " + c.Fact
		}
		stale.Changes = append(stale.Changes, fmt.Sprintf("stage %s leaves %s, but it %s", id, promised, observed))
	}
	if len(stale.Changes) > 0 {
		return stale
	}
	return nil
}

// jsonText writes a plain JSON value on one line.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// carried returns what is accepted in the old plan about the stages that are
// left, but for what has expired and what is accepted anew.
func (s *Service) carried(old *plan.Plan, left []plan.Stage, anew []plan.Accept) []plan.Accept {
	known := map[string]bool{}
	for _, a := range anew {
		known[a.Name] = true
	}
	today := s.o.Now().Format(time.DateOnly)
	var out []plan.Accept
	keep := func(a plan.Accept) {
		if !known[a.Name] && a.Expires >= today {
			known[a.Name] = true
			out = append(out, a)
		}
	}
	for _, f := range old.Findings {
		if f.Accepted != nil && (f.Stage == "" || hasStage(left, f.Stage)) {
			keep(plan.Accept{Name: f.Name, Reason: f.Accepted.Reason, By: f.Accepted.By, Expires: f.Accepted.Expires})
		}
	}
	for _, a := range old.Accept {
		if hasStep(left, strings.TrimPrefix(a.Name, plan.PreflightPrefix)) {
			keep(a)
		}
	}
	return out
}

func hasStage(stages []plan.Stage, id string) bool {
	return slices.ContainsFunc(stages, func(s plan.Stage) bool { return s.ID == id })
}

func hasStep(stages []plan.Stage, id string) bool {
	return slices.ContainsFunc(stages, func(s plan.Stage) bool {
		return slices.ContainsFunc(s.Steps, func(step plan.Step) bool { return step.ID == id })
	})
}
