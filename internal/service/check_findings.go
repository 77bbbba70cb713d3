package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

// requirementPrefix heads the names of findings about requirements.
const requirementPrefix = "requirement/"

// planFindings returns the findings of the plan about one stage or the whole,
// without those about requirements, which are judged anew.
func (s *Service) planFindings(p *plan.Plan, stage string) []plan.Finding {
	var out []plan.Finding
	for _, f := range p.Findings {
		if (f.Stage == "" || f.Stage == stage) && !strings.HasPrefix(f.Name, requirementPrefix) {
			out = append(out, s.expire(f))
		}
	}
	return out
}

// expire takes an acceptance away whose last day is over.
func (s *Service) expire(f plan.Finding) plan.Finding {
	if f.Accepted != nil && f.Accepted.Expires < s.o.Now().Format(time.DateOnly) {
		f.Message += fmt.Sprintf(" (the acceptance by %s expired on %s)", f.Accepted.By, f.Accepted.Expires)
		f.Accepted = nil
	}
	return f
}

// requirements judges the requirements of a stage with the facts of now. What
// was accepted in the plan stays accepted.
func (s *Service) requirements(p *plan.Plan, stage *plan.Stage, facts map[string]any) []plan.Finding {
	var out []plan.Finding
	for _, r := range stage.Requires {
		f := r.Judge(facts)
		f.Stage = stage.ID
		for _, planned := range p.Findings {
			if planned.Name == f.Name && planned.Stage == f.Stage && f.Outcome != plan.Pass {
				f.Accepted = planned.Accepted
			}
		}
		out = append(out, s.expire(f))
	}
	return out
}

// acceptAhead lets a check pass that was accepted when the plan was made.
func (s *Service) acceptAhead(p *plan.Plan, f plan.Finding) plan.Finding {
	for _, a := range p.Accept {
		if a.Name == f.Name {
			f = a.LetPass(f, s.o.Now())
		}
	}
	return f
}

// preflights carries out the preflight checks of a stage whose inputs are
// known.
func (w *world) preflights(ctx context.Context, stage *plan.Stage) []plan.Finding {
	var steps []*plan.Step
	for i := range stage.Steps {
		step := &stage.Steps[i]
		asks := step.Phase == plan.Preflight && step.Effect == action.ReadOnly && step.Gate == ""
		if asks && step.When == "" && ready(step) {
			steps = append(steps, step)
		}
	}
	var mu sync.Mutex
	findings := map[string]plan.Finding{}
	w.each(steps, func(step *plan.Step) {
		f := w.preflight(ctx, stage.ID, step)
		mu.Lock()
		defer mu.Unlock()
		findings[step.ID] = f
	}, "checking ")
	out := make([]plan.Finding, 0, len(steps))
	for _, step := range steps {
		out = append(out, findings[step.ID])
	}
	return out
}

// preflight carries out one check. "Could not ask" is unknown, not failed: the
// two have different remedies.
func (w *world) preflight(ctx context.Context, stage string, step *plan.Step) plan.Finding {
	f := plan.Finding{
		Name: plan.PreflightPrefix + step.ID, Stage: stage, Step: step.ID, Outcome: plan.Pass,
		Reason: "CheckPassed", Message: fmt.Sprintf("%s found what it looked for", step.Action),
	}
	act, ok := w.s.o.Registry.Action(step.Action)
	if !ok {
		f.Outcome, f.Reason = plan.UnknownOutcome, "UnknownAction"
		f.Message = fmt.Sprintf("this program has no action %q", step.Action)
		return f
	}
	obs, err := w.observe(ctx, act, step.Target, step.With, time.Duration(step.Timeout))
	switch {
	case err != nil:
		f.Outcome, f.Reason, f.Message = plan.UnknownOutcome, "CouldNotAsk", err.Error()
		if failure, ok := errors.AsType[*action.Error](err); ok {
			f.Reason, f.Remedy = failure.Reason, failure.Remedy
			f.Message = strings.TrimSuffix(f.Message, ": "+failure.Remedy)
		}
	case obs.Status == action.Failed:
		f.Outcome, f.Reason, f.Message = plan.Fail, "CheckFailed", statusText(obs)
	case obs.Status != action.Done:
		f.Outcome, f.Reason, f.Message = plan.UnknownOutcome, "CheckUndecided", statusText(obs)
	case obs.Reason != "":
		f.Message = obs.Reason
	}
	return f
}
