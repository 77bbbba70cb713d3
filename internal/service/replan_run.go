package service

import (
	"context"
	"path/filepath"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// PlansOfRun plans the stages of a run anew of which nothing was started. Nothing
// is changed: ReplaceStages does that. Facts are observed between stages, so that
// a stage under way has to end first.
func (s *Service) PlansOfRun(ctx context.Context, id string, req ReplanRequest) (*ReplanResult, error) {
	src, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	if v.Status.Final() || v.Moved {
		return nil, usageErrorf("run %q is %s: it is not planned anew", id, v.Status)
	}
	if req.After, err = lastDone(v); err != nil {
		return nil, err
	}
	old := src.State.Plan()
	file := req.PlatformFile
	if file == "" {
		file = filepath.Join(v.Dir, filepath.Base(filepath.FromSlash(old.PlatformFile)))
	}
	return s.replan(ctx, old, file, &req)
}

// lastDone returns the last stage of a run that is over, "" for none.
func lastDone(v *report.RunView) (string, error) {
	last := ""
	for i := range v.Stages {
		st := &v.Stages[i]
		if st.Part == run.PartOver && !st.Abort {
			last = st.ID
			continue
		}
		for j := range st.Steps {
			if !st.Steps[j].Began.IsZero() {
				return "", usageErrorf("stage %q of run %q is under way", st.ID, v.ID).
					suggest("replan when it has ended, or roll it back first")
			}
		}
	}
	return last, nil
}

// ReplaceStages lets a run go on with another plan, which PlansOfRun has made.
// Digest is what the person has typed, "" when they have seen the plan.
func (s *Service) ReplaceStages(
	ctx context.Context, id string, p *plan.Plan, digest, reason string,
) (*report.RunView, error) {
	if digest != "" && !sameDigest(p.Digest, digest) {
		return nil, usageErrorf("the new plan has the digest %s, not %s: nothing was changed", p.Digest, digest)
	}
	if found := p.Blocked(); len(found) > 0 {
		return nil, usageErrorf("the new plan is blocked by %s: nothing was changed", found[0].Name).
			suggest("mend it, or accept it by name with --accept")
	}
	e, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	r, ok := e.(engine.Replanner)
	if !ok {
		return nil, usageErrorf("the runs of this engine cannot be planned anew")
	}
	for i := range p.Stages {
		for j := range p.Stages[i].Steps {
			if err := s.knows(p.Stages[i].ID, &p.Stages[i].Steps[j]); err != nil {
				return nil, err
			}
		}
	}
	if err := r.AddPlan(ctx, id, p); err != nil {
		return nil, runError(id, err)
	}
	return s.ask(ctx, id, reason, func(w run.Who) run.Body { return &run.Replanned{Who: w, Digest: p.Digest} })
}
