package service

import (
	"context"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
)

// CheckRequest says what to check. Either PlanFile or the platform of Plan is
// given.
type CheckRequest struct {
	// PlanFile is a saved plan.
	PlanFile string
	// Plan makes a plan for the occasion, from a platform file.
	Plan PlanRequest
	// PlatformFile overrides where the plan says that its platform file is.
	PlatformFile string
	// Stage is the stage that comes next; empty means the first.
	Stage string
}

// Check asks targets and actions again what is true now, compares it with what
// a stage of the plan expects, and carries out the preflight checks of the
// stage whose inputs are known. All of them are carried out, whatever the
// first one finds. Nothing is changed in the world. What differs is in the
// result; the error is for what could not be checked at all.
func (s *Service) Check(ctx context.Context, req CheckRequest) (*report.CheckResult, error) {
	p, dir, err := s.planToCheck(ctx, &req)
	if err != nil {
		return nil, err
	}
	return s.checkPlan(ctx, p, dir, req.Stage)
}

// checkPlan checks the stage of a plan that comes next.
func (s *Service) checkPlan(ctx context.Context, p *plan.Plan, dir, id string) (*report.CheckResult, error) {
	stage, err := stageOf(p, id)
	if err != nil {
		return nil, err
	}
	w := s.newWorld(dir, p.Targets)
	result := &report.CheckResult{Platform: p.Platform, Digest: p.Digest}
	result.Targets = w.checkTargets(ctx, p.Targets)
	facts, failed := w.observeAgain(ctx, p.Observe)
	if stage != nil {
		result.Stages = []report.StageCheck{checkFacts(stage, facts, failed, p.Observe)}
		now := s.o.Now()
		result.Findings = append(observe.PlanFindings(p, stage.ID, now), observe.Requirements(p, stage, facts, now)...)
		for _, f := range w.preflights(ctx, stage) {
			result.Findings = append(result.Findings, s.acceptAhead(p, f))
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	result.Verdict = result.Conclude()
	return result, nil
}

// planToCheck returns the plan and the absolute folder of its platform file. A
// saved plan is compared with the files that it was made from.
func (s *Service) planToCheck(ctx context.Context, req *CheckRequest) (*plan.Plan, string, error) {
	if req.PlanFile == "" {
		l, err := s.loadPlatform(req.Plan.Platform)
		if err != nil {
			return nil, "", err
		}
		result, err := s.planLoaded(ctx, l, req.Plan)
		if err != nil {
			return nil, "", err
		}
		return result.Plan, l.dir, nil
	}
	p, err := s.ReadPlan(req.PlanFile)
	if err != nil {
		return nil, "", err
	}
	file, err := platformFileOf(req.PlanFile, p, req.PlatformFile)
	if err != nil {
		return nil, "", err
	}
	l, err := s.basis(file, p)
	if err != nil {
		return nil, "", err
	}
	return p, l.dir, nil
}

// stageOf returns the stage called id, or the first one for "". It is nil for
// a plan without stages.
func stageOf(p *plan.Plan, id string) (*plan.Stage, error) {
	if id == "" {
		if len(p.Stages) == 0 {
			return nil, nil //nolint:nilnil // a plan with nothing to do has no stage, which is no error
		}
		return &p.Stages[0], nil
	}
	ids := make([]string, len(p.Stages))
	for i := range p.Stages {
		if p.Stages[i].ID == id {
			return &p.Stages[i], nil
		}
		ids[i] = p.Stages[i].ID
	}
	return nil, usageErrorf("the plan has no stage %q", id).suggest("%s", diag.DidYouMean(id, ids))
}

// checkTargets reads the identities of all targets again.
func (w *world) checkTargets(ctx context.Context, targets []plan.Target) []report.TargetCheck {
	out := make([]report.TargetCheck, len(targets))
	for i, t := range targets {
		w.s.o.Progress(Note{Text: "identifying target " + t.Name, Done: i + 1, Total: len(targets)})
		out[i] = report.TargetCheck{Name: t.Name, Kind: t.Kind, Expected: t.Identity}
		identity, err := w.Identify(ctx, t)
		if err != nil {
			out[i].Error = err.Error()
		}
		out[i].Observed = identity
	}
	return out
}

// observeAgain observes the facts of a plan with the inputs that the plan
// froze. failed holds the errors of those that could not be observed.
func (w *world) observeAgain(
	ctx context.Context, observes []plan.Observe,
) (facts map[string]any, failed map[string]error) {
	facts, failed = map[string]any{}, map[string]error{}
	for i, o := range observes {
		w.s.o.Progress(Note{Text: "observing fact " + o.Name, Done: i + 1, Total: len(observes)})
		fact, err := w.Fact(ctx, o)
		if err != nil {
			failed[o.Name] = err
			continue
		}
		facts[o.Name] = fact
	}
	return facts, failed
}

// checkFacts compares the facts with what a stage expects. A fact that could
// not be observed is reported once, whether the stage expects something of it
// or not: what cannot be asked is not silently as planned.
func checkFacts(
	stage *plan.Stage, facts map[string]any, failed map[string]error, observes []plan.Observe,
) report.StageCheck {
	changes := map[string]plan.FactChange{}
	for _, c := range plan.CompareFacts(stage, facts) {
		changes[c.Fact] = c
	}
	out := report.StageCheck{ID: stage.ID}
	for _, o := range observes {
		if err := failed[o.Name]; err != nil {
			unknown := report.FactCheck{Fact: o.Name, Status: report.FactUnknown, Error: err.Error()}
			out.Facts = append(out.Facts, unknown)
		}
	}
	for _, e := range stage.Expects {
		check := report.FactCheck{
			Fact: e.Fact, Status: report.AsExpected, Expected: e.Value, Observed: e.Value,
			ExpectedAbsent: e.Absent, ObservedAbsent: e.Absent,
		}
		if e.Digest != "" {
			check.Expected, check.Observed = e.Digest, e.Digest
		}
		if name, _, _ := strings.Cut(e.Fact, "."); failed[name] != nil {
			continue
		}
		if change, changed := changes[e.Fact]; changed {
			check.Status, check.Expected, check.Observed = report.FactChanged, change.Expected, change.Observed
			check.ExpectedAbsent, check.ObservedAbsent = change.ExpectedAbsent, change.ObservedAbsent
			check.Error = observe.OtherKey(change)
		}
		out.Facts = append(out.Facts, check)
	}
	return out
}
