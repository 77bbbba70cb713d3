package service

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
)

// ApplyRequest says which plan to carry out.
type ApplyRequest struct {
	CheckRequest
	// Name is how the run is called; empty for a name after its platform.
	Name string
	// Digest is that of the plan that somebody has read; its beginning will do.
	// It is empty when Confirm asks.
	Digest string
	// Until is the stage before which the run stops; empty for none.
	Until string
	// Parallel is how many steps may be under way at once.
	Parallel int
	// Confirm shows the plan and asks a person. It is called once everything was
	// checked and before anything is put down; it may be nil.
	Confirm func(p *plan.Plan) error
}

// CheckError is returned when a plan cannot be applied because the check of its
// first stage says so; the result tells why.
type CheckError struct{ Result *report.CheckResult }

// Error implements error.
func (e *CheckError) Error() string {
	switch v := e.Result.Verdict; {
	case v.Stale:
		return "the plan is stale: nothing was done"
	case v.Unknown:
		return "not everything could be asked: nothing was done"
	default:
		return "the plan is blocked: nothing was done"
	}
}

// Apply checks a plan as Check does, and puts a run of it down. The run is driven
// by Drive.
func (s *Service) Apply(ctx context.Context, req ApplyRequest) (id string, err error) {
	p, dir, err := s.planToCheck(ctx, &req.CheckRequest)
	if err != nil {
		return "", err
	}
	if err := s.applicable(p, &req); err != nil {
		return "", err
	}
	who, err := s.person()
	if err != nil {
		return "", err
	}
	e, err := s.host(ctx)
	if err != nil {
		return "", err
	}
	if err := s.targetsFree(ctx, e, newcomer(p, dir)); err != nil {
		return "", err
	}
	result, err := s.checkPlan(ctx, p, dir, "")
	if err != nil {
		return "", err
	}
	if v := result.Verdict; v.Stale || v.Unknown || v.Blocked {
		return "", &CheckError{Result: result}
	}
	if req.Confirm != nil {
		if err := req.Confirm(p); err != nil {
			return "", err
		}
	}
	info, err := e.Create(ctx, engine.NewRun{
		ID: req.Name, Plan: p, Parallel: max(req.Parallel, 1), Until: req.Until, Dir: dir, By: who.By,
	})
	if err != nil {
		return "", runError(req.Name, err)
	}
	return info.ID, s.yieldTarget(ctx, e, info, p)
}

// applicable refuses a plan that cannot be carried out by this program, or not
// as it was asked for.
func (s *Service) applicable(p *plan.Plan, req *ApplyRequest) error {
	if len(p.Stages) == 0 {
		return usageErrorf("there is nothing to do: the plan has no stages")
	}
	if req.Digest != "" && !sameDigest(p.Digest, req.Digest) {
		return usageErrorf("the plan has the digest %s, not %s", p.Digest, req.Digest).
			suggest("read the plan with refit plan show, then give its digest")
	}
	if req.Name != "" && !namePattern.MatchString(req.Name) {
		return usageErrorf("a run cannot be called %q", req.Name).
			suggest("use up to 63 of a-z, 0-9, dot, dash and underscore")
	}
	if req.Until != "" {
		if _, err := stageOf(p, req.Until); err != nil {
			return err
		}
	}
	if req.Parallel < 0 || req.Parallel > mostParallel {
		return usageErrorf("%d steps at once are out of range", req.Parallel).suggest("give 1 to %d", mostParallel)
	}
	for i := range p.Stages {
		steps := p.Stages[i].Steps
		if a := p.Stages[i].Abort; a != nil {
			steps = slices.Concat(steps, a.Steps)
		}
		for j := range steps {
			if err := s.knows(p.Stages[i].ID, &steps[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

// namePattern admits names that are easy to type and safe as names of files.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// mostParallel is how many steps may be under way at once.
const mostParallel = 256

// knows refuses a step whose action, or whose version of it, is not here.
func (s *Service) knows(stage string, step *plan.Step) error {
	if _, ok := s.o.Registry.Spec(step.Action); ok {
		return nil
	}
	hint := "plan again with this program, or use the one that made the plan"
	if name, _, _ := strings.Cut(step.Action, "@"); !slices.Contains(s.o.Registry.Names(), name) {
		if near := diag.DidYouMean(name, s.o.Registry.Names()); near != "" {
			hint = near
		}
	}
	return usageErrorf("step %s/%s needs the action %s, which this program does not have", stage, step.ID, step.Action).
		suggest("%s", hint)
}

// sameDigest compares a digest with what a person typed: all of it, or its
// beginning, of at least 12 digits so that nobody hits it by chance.
func sameDigest(digest, typed string) bool {
	const enough = len("sha256:") + 12
	return typed == digest || len(typed) >= enough && strings.HasPrefix(digest, typed)
}

// claim is what a run holds for itself: its targets, by kind and identity. A run
// of a plan without targets holds its folder.
type claim map[string]string

func newcomer(p *plan.Plan, dir string) claim {
	c := claim{}
	for _, t := range p.Targets {
		if t.Identity != "" {
			c[t.Kind+" "+t.Identity] = t.Name
		}
	}
	if len(c) == 0 {
		c["folder "+dir] = dir
	}
	return c
}

// targetsFree refuses a target that another run of this state folder changes.
func (s *Service) targetsFree(ctx context.Context, e engine.Engine, mine claim) error {
	list, err := e.List(ctx)
	if err != nil {
		return runError("", err)
	}
	for i := range list {
		if list[i].Status.Final() || list[i].Moved {
			continue
		}
		name, err := s.overlap(ctx, e, &list[i], mine)
		if err != nil {
			return err
		}
		if name != "" {
			return s.targetTaken(ctx, e, name, list[i].ID)
		}
	}
	return nil
}

// overlap names a target that a run claims too, "" for none. Of a run that
// cannot be read only its folder is known.
func (s *Service) overlap(ctx context.Context, e engine.Engine, other *engine.Info, mine claim) (string, error) {
	snap, err := e.Load(ctx, other.ID)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		if name, same := mine["folder "+other.Dir]; same {
			return name, nil
		}
		return "", nil
	}
	for what := range newcomer(snap.State.Plan(), other.Dir) {
		if name, both := mine[what]; both {
			return name, nil
		}
	}
	return "", nil
}

// targetTaken says which run holds a target, and how it is ended.
func (s *Service) targetTaken(ctx context.Context, e engine.Engine, target, other string) error {
	_, err := e.Load(ctx, other)
	if _, damaged := errors.AsType[*engine.DamagedError](err); damaged {
		return &RunError{Run: other, Trouble: TroubleTarget, Err: fmt.Errorf(
			"target %q may be half changed by run %q, whose history is damaged: "+
				"look at the target, then set the run aside with refit runs set-aside %s", target, other, other)}
	}
	return &RunError{Run: other, Trouble: TroubleTarget, Err: fmt.Errorf(
		"target %q is being changed by run %q, which has not ended: "+
			"finish it with refit drive %s, or end it with refit cancel %s", target, other, other, other)}
}

// yieldTarget gives a run up that was put down at the same time as another one
// for the same target: the later one yields.
func (s *Service) yieldTarget(ctx context.Context, e engine.Engine, mine engine.Info, p *plan.Plan) error {
	list, err := e.List(ctx)
	if err != nil {
		return runError("", err)
	}
	older := false // The list begins with the newest.
	for i := range list {
		if list[i].ID == mine.ID {
			older = true
			continue
		}
		if !older || list[i].Status.Final() || list[i].Moved {
			continue
		}
		name, err := s.overlap(ctx, e, &list[i], newcomer(p, mine.Dir))
		if err != nil {
			return err
		}
		if name != "" {
			who, err := s.who("another run of the target was put down at the same time")
			if err != nil {
				return err
			}
			if err := e.Request(ctx, mine.ID, cancelled(who)); err != nil {
				return runError(mine.ID, err)
			}
			return s.targetTaken(ctx, e, name, list[i].ID)
		}
	}
	return nil
}
