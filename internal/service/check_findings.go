package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/versions"
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
		f := judge(r, facts)
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

// judge tells whether one requirement is met.
func judge(r plan.Requirement, facts map[string]any) plan.Finding {
	f := plan.Finding{Name: requirementPrefix + r.Name, Outcome: plan.UnknownOutcome, Reason: "RequirementNotKnown"}
	value, there := factAt(facts, r.Fact)
	if !there {
		f.Message = fmt.Sprintf("needs %s %s, but the fact %s is not there", r.Name, r.Constraint, r.Fact)
		return f
	}
	required := versions.Requirement{
		Name: r.Name, Fact: r.Fact, Constraint: r.Constraint, Scheme: r.Scheme, Owner: r.Owner,
	}
	met, err := required.Met(value)
	if err != nil {
		f.Message = fmt.Sprintf("needs %s %s, which cannot be judged: %v", r.Name, r.Constraint, err)
		return f
	}
	f.Message = fmt.Sprintf("%s is %s, needed is %s", r.Name, short(value), r.Constraint)
	if met {
		f.Outcome, f.Reason = plan.Pass, "RequirementMet"
		return f
	}
	f.Outcome, f.Reason = plan.Fail, "RequirementNotMet"
	f.Remedy = fmt.Sprintf("upgrade %s to %s first", r.Name, r.Constraint)
	if r.Owner != "" {
		f.Remedy = fmt.Sprintf("ask %s to upgrade %s to %s first", r.Owner, r.Name, r.Constraint)
	}
	return f
}

// factAt returns the value at a dotted path below the facts.
func factAt(facts map[string]any, path string) (any, bool) {
	var current any = facts
	for name := range strings.SplitSeq(path, ".") {
		m, ok := current.(map[string]any)
		if !ok {
			return nil, false
		}
		if current, ok = m[name]; !ok {
			return nil, false
		}
	}
	return current, true
}

// short writes a value on one short line.
func short(v any) string {
	text, err := json.Marshal(v)
	if err != nil || len(text) > 120 {
		return "a value that is too long to show"
	}
	return string(text)
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
		Name: "preflight/" + step.ID, Stage: stage, Step: step.ID, Outcome: plan.Pass,
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
