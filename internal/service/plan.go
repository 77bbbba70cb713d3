package service

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/plan"
)

// PlanRequest says what to plan.
type PlanRequest struct {
	// Platform is the platform file.
	Platform string
	// To is the version to upgrade to. It may be empty when the procedure has
	// no version graph, or when only one version can be reached.
	To string
	// Via are versions that the path must pass.
	Via []string
	// Accept lets findings pass beside those of the platform file.
	Accept []plan.Accept
}

// PlanResult is a plan with the warnings about the files it was made from.
type PlanResult struct {
	Plan     *plan.Plan
	Warnings diag.Diagnostics
	// Dir is the folder of the platform file.
	Dir string
}

// Plan reads the platform file and its procedure, identifies the targets,
// observes the facts, chooses the version path and builds the plan. It
// changes nothing in the world. A plan that findings block is returned all the
// same; Plan.Blocked lists them.
func (s *Service) Plan(ctx context.Context, req PlanRequest) (*PlanResult, error) {
	l, err := s.loadPlatform(req.Platform)
	if err != nil {
		return nil, err
	}
	return s.planLoaded(ctx, l, req)
}

// planLoaded makes a plan of all stages.
func (s *Service) planLoaded(ctx context.Context, l *loaded, req PlanRequest) (*PlanResult, error) {
	seen, err := s.look(ctx, l)
	if err != nil {
		return nil, err
	}
	return s.build(ctx, seen, req, nil, nil)
}

// sight is a loaded platform with what was true when it was looked at.
type sight struct {
	*loaded
	world   *world
	targets []plan.Target
	facts   map[string]any
}

// look identifies the targets and observes the facts.
func (s *Service) look(ctx context.Context, l *loaded) (*sight, error) {
	seen := &sight{loaded: l, world: s.newWorld(l.dir, l.targets)}
	var err error
	if seen.targets, err = seen.world.identifyAll(ctx, l.targets); err != nil {
		return nil, err
	}
	if err := l.samePinned(seen.targets); err != nil {
		return nil, err
	}
	if seen.facts, err = seen.world.observeFirst(ctx, l); err != nil {
		return nil, err
	}
	return seen, nil
}

// build makes a plan of the stages that are not done.
func (s *Service) build(ctx context.Context, l *sight, req PlanRequest, done, quiesced []string) (*PlanResult, error) {
	scope := expr.Scope{"inputs": l.inputs, "observe": l.facts}
	path, err := choosePath(l.procedure, scope, req.To, req.Via)
	if err != nil {
		return nil, l.evalError(err)
	}
	s.o.Progress(Note{Text: "building the plan"})
	p, ds := plan.Build(plan.Input{
		Procedure: l.procedure, Platform: l.platform, PlatformFile: filepath.ToSlash(req.Platform), Inputs: l.inputs,
		Targets: l.targets, Facts: l.facts, Path: path, Accept: append(l.accepts(), req.Accept...),
		Now: s.o.Now(), Refit: s.o.Version, Done: done, Quiesced: quiesced,
		Experience: s.experience(ctx, l.procedure.Document.Metadata.Name.Value, l.platform.Metadata.Name.Value),
	})
	ds = l.source.relocate(ds)
	if p == nil || ds.HasErrors() {
		return nil, ds
	}
	p.Procedure.File = l.platform.Procedure.Value
	if len(p.Inputs) == 0 {
		p.Inputs = nil // as it is read back from a plan file, so that the two compare equal
	}
	refused := l.world.previews(ctx, p, diag.Position{File: l.procedure.File})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if refused.HasErrors() {
		return nil, l.source.relocate(refused)
	}
	return &PlanResult{Plan: p, Warnings: append(l.warnings, ds...), Dir: l.dir}, nil
}

// observeFirst observes the facts of a procedure in their order: the input of
// one may depend on those before.
func (w *world) observeFirst(ctx context.Context, l *loaded) (map[string]any, error) {
	facts := make(map[string]any, len(l.procedure.Facts))
	for i, f := range l.procedure.Facts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w.s.o.Progress(Note{Text: "observing fact " + f.Name, Done: i + 1, Total: len(l.procedure.Facts)})
		o, skip, err := plan.ResolveObserve(f, l.inputs, facts, l.platform)
		if err != nil {
			return nil, l.evalError(fmt.Errorf("fact %q: %w", f.Name, err))
		}
		if skip {
			continue
		}
		if facts[f.Name], err = w.Fact(ctx, o); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// evalError turns an expression that cannot be evaluated into a diagnostic at
// its place; other errors stay as they are.
func (l *loaded) evalError(err error) error {
	var failed *expr.EvalError
	if !errors.As(err, &failed) {
		return err
	}
	var ds diag.Diagnostics
	// The place stands at the head of the diagnostic already.
	text := strings.Replace(err.Error(), failed.Error(), failed.Text(), 1)
	ds.Errorf("EvalFailed", failed.Pos, "%s", text).Suggest("%s", expr.Suggestion(failed))
	return l.source.relocate(ds)
}
