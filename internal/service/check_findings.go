package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/plan"
)

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
	obs, err := w.Ask(ctx, act, step.Target, step.With, time.Duration(step.Timeout))
	switch {
	case err != nil:
		f.Outcome, f.Reason, f.Message = plan.UnknownOutcome, "CouldNotAsk", err.Error()
		if failure, ok := errors.AsType[*action.Error](err); ok {
			f.Reason, f.Remedy = failure.Reason, failure.Remedy
			f.Message = strings.TrimSuffix(f.Message, ": "+failure.Remedy)
		}
	case obs.Status == action.Failed:
		f.Outcome, f.Reason, f.Message = plan.Fail, "CheckFailed", observe.StatusText(obs)
	case obs.Status != action.Done:
		f.Outcome, f.Reason, f.Message = plan.UnknownOutcome, "CheckUndecided", observe.StatusText(obs)
	case obs.Reason != "":
		f.Message = obs.Reason
	}
	return f
}
