package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// person returns who asks, without a reason.
func (s *Service) person() (run.Who, error) { return s.who("") }

// who returns who asks, and why. The name of the person counts as a group, so
// that gates may name persons without their machines.
func (s *Service) who(reason string) (run.Who, error) {
	if s.o.Person == nil {
		return run.Who{}, errors.New("nobody knows who uses this program")
	}
	p, err := s.o.Person()
	if err != nil {
		return run.Who{}, fmt.Errorf("find out who asks: %w", err)
	}
	return run.Who{By: p.String(), From: p.From, Reason: reason, Groups: append([]string{p.Name}, p.Groups...)}, nil
}

// ask asks a run for something and returns where it stands then.
func (s *Service) ask(
	ctx context.Context, id, reason string, body func(run.Who) run.Body,
) (*report.RunView, error) {
	e, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	who, err := s.who(reason)
	if err != nil {
		return nil, err
	}
	if err := e.Request(ctx, id, body(who)); err != nil {
		return nil, runError(id, err)
	}
	_, v, err := s.view(ctx, id)
	return v, err
}

func cancelled(w run.Who) run.Body { return &run.CancelRequested{Who: w} }

// Pause holds a run before its next step.
func (s *Service) Pause(ctx context.Context, id, reason string) (*report.RunView, error) {
	return s.ask(ctx, id, reason, func(w run.Who) run.Body { return &run.PauseRequested{Who: w} })
}

// Resume ends a pause.
func (s *Service) Resume(ctx context.Context, id, reason string) (*report.RunView, error) {
	return s.ask(ctx, id, reason, func(w run.Who) run.Body { return &run.ResumeRequested{Who: w} })
}

// Until lets a run stop before another stage.
func (s *Service) Until(ctx context.Context, id, stage, reason string) (*report.RunView, error) {
	_, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := hasStepIn(v, stage, ""); err != nil {
		return nil, err
	}
	return s.ask(ctx, id, reason, func(w run.Who) run.Body { return &run.UntilRequested{Who: w, Stage: stage} })
}

// Cancel ends a run before its next step.
func (s *Service) Cancel(ctx context.Context, id, reason string) (*report.RunView, error) {
	return s.ask(ctx, id, reason, cancelled)
}

// Abort takes the author's way back to service.
func (s *Service) Abort(ctx context.Context, id, reason string) (*report.RunView, error) {
	return s.ask(ctx, id, reason, func(w run.Who) run.Body { return &run.AbortRequested{Who: w} })
}

// Retry tries a failed step again. Without a step it is the check of the current
// stage, the rollback that has stopped, or the only step that has failed.
func (s *Service) Retry(ctx context.Context, id, stage, step, reason string) (*report.RunView, error) {
	_, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	if step == "" {
		stage, step = onlyFailed(v)
	} else if err := hasStepIn(v, stage, step); err != nil {
		return nil, err
	}
	return s.ask(ctx, id, reason, func(w run.Who) run.Body {
		return &run.RetryRequested{Who: w, Stage: stage, Step: step}
	})
}

// onlyFailed finds the only step of the current stage that has failed.
func onlyFailed(v *report.RunView) (stage, step string) {
	if v.Rollback != nil {
		return "", ""
	}
	n := 0
	for i := range v.Stages {
		for j := range v.Stages[i].Steps {
			if v.Stages[i].Current && v.Stages[i].Steps[j].Status == run.StepFailed {
				stage, step = v.Stages[i].ID, v.Stages[i].Steps[j].ID
				n++
			}
		}
	}
	if n != 1 {
		return "", ""
	}
	return stage, step
}

// hasStepIn refuses names that the run does not have.
func hasStepIn(v *report.RunView, stage, step string) error {
	i := slices.IndexFunc(v.Stages, func(st report.StageView) bool { return st.ID == stage })
	if i < 0 {
		var ids []string
		for k := range v.Stages {
			ids = append(ids, v.Stages[k].ID)
		}
		return usageErrorf("run %q has no stage %q", v.ID, stage).suggest("%s", nearestOf(stage, ids))
	}
	var ids []string
	for k := range v.Stages[i].Steps {
		ids = append(ids, v.Stages[i].Steps[k].ID)
	}
	if step != "" && !slices.Contains(ids, step) {
		return usageErrorf("stage %q of run %q has no step %q", stage, v.ID, step).suggest("%s", nearestOf(step, ids))
	}
	return nil
}

func nearestOf(name string, names []string) string {
	if hint := diag.DidYouMean(name, names); hint != "" {
		return hint
	}
	return "there are " + someOf(names)
}

// Release gives a lease back before its time. Without a step it is the only one
// that is held.
func (s *Service) Release(ctx context.Context, id, stage, step, reason string) (*report.RunView, error) {
	_, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case step != "":
		if err := hasStepIn(v, stage, step); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(v.Leases, func(l report.LeaseView) bool { return l.Stage == stage && l.Step == step }) {
			return nil, usageErrorf("%s of stage %s holds nothing", step, stage).suggest("%s", heldIn(v))
		}
	case len(v.Leases) == 1:
		stage, step = v.Leases[0].Stage, v.Leases[0].Step
	case len(v.Leases) == 0:
		return nil, usageErrorf("run %q holds no lease: there is nothing to release", id)
	default:
		return nil, usageErrorf("run %q holds %d leases", id, len(v.Leases)).
			suggest("name the stage and the step: %s", heldIn(v))
	}
	return s.ask(ctx, id, reason, func(w run.Who) run.Body {
		return &run.ReleaseRequested{Who: w, Stage: stage, Step: step}
	})
}

// heldIn says what a run holds.
func heldIn(v *report.RunView) string {
	var held []string
	for i := range v.Leases {
		held = append(held, v.Leases[i].Stage+" "+v.Leases[i].Step)
	}
	if len(held) == 0 {
		return "the run holds no lease"
	}
	return "held is " + someOf(held)
}

// Rollback undoes everything back to the start of a stage, by default of the
// current one. Partly permits to stop at a point of no return.
func (s *Service) Rollback(ctx context.Context, id, stage string, partly bool, reason string) (*report.RunView, error) {
	_, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	if stage != "" {
		if err := hasStepIn(v, stage, ""); err != nil {
			return nil, err
		}
	}
	return s.ask(ctx, id, reason, func(w run.Who) run.Body {
		return &run.RollbackRequested{Who: w, Stage: stage, Partly: partly}
	})
}

// Accept lets a finding that blocks pass, by its name, until a day.
func (s *Service) Accept(ctx context.Context, id, name, expires, reason string) (*report.RunView, error) {
	_, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range v.Findings {
		if v.Findings[i].Blocks() {
			names = append(names, v.Findings[i].Name)
		}
	}
	if !slices.Contains(names, name) {
		hint := "nothing blocks"
		if len(names) > 0 {
			hint = nearestOf(name, names)
		}
		return nil, usageErrorf("nothing that blocks run %q is called %q", id, name).suggest("%s", hint)
	}
	return s.ask(ctx, id, reason, func(w run.Who) run.Body {
		return &run.Accepted{Who: w, Name: name, Expires: expires}
	})
}

// SettleRequest decides about an operation in doubt.
type SettleRequest struct {
	Run, Stage, Step string
	// Operation, Member and Component tell several operations of a step apart.
	Operation, Member, Component string
	Verdict                      string
	// Output is what the step hands on when it is settled as done.
	Output json.RawMessage
	Reason string
}

// Settle decides about an operation in doubt. Without a step it is the only one.
func (s *Service) Settle(ctx context.Context, req SettleRequest) (*report.RunView, error) {
	_, v, err := s.view(ctx, req.Run)
	if err != nil {
		return nil, err
	}
	if req.Step != "" {
		if err := hasStepIn(v, req.Stage, req.Step); err != nil {
			return nil, err
		}
	}
	var fits []report.DoubtView
	for _, d := range v.InDoubt {
		r := d.Ref
		if (req.Step == "" || r.Stage == req.Stage && r.Step == req.Step) && wanted(req.Operation, string(r.What)) &&
			wanted(req.Member, r.Member) && wanted(req.Component, r.Component) {
			fits = append(fits, d)
		}
	}
	switch {
	case len(v.InDoubt) == 0:
		return nil, usageErrorf("nothing of run %q is in doubt", req.Run)
	case len(fits) == 0:
		return nil, usageErrorf("%s/%s is not in doubt", req.Stage, req.Step).suggest("%s is", v.InDoubt[0].Text)
	case len(fits) > 1:
		return nil, usageErrorf("%d operations are in doubt", len(fits)).
			suggest("refit status %s has the command for each", req.Run)
	}
	return s.ask(ctx, req.Run, req.Reason, func(w run.Who) run.Body {
		return &run.Settled{Who: w, Op: fits[0].Ref, Verdict: run.Verdict(req.Verdict), Output: req.Output}
	})
}

func wanted(asked, got string) bool { return asked == "" || asked == got }
