package service

import (
	"context"
	"errors"
	"sync"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/plan"
)

// previews asks the actions what the steps would do and notes it in the plan. A
// preview that fails becomes a note and never stops a plan: it is made for
// people and decides nothing. Only inputs that an action refuses come back;
// pos is the place of the procedure.
func (w *world) previews(ctx context.Context, p *plan.Plan, pos diag.Position) diag.Diagnostics {
	var steps []*plan.Step
	stages := map[*plan.Step]string{}
	add := func(stage string, list []plan.Step) {
		for i := range list {
			if ready(&list[i]) {
				steps = append(steps, &list[i])
				stages[&list[i]] = stage
			}
		}
	}
	for i := range p.Stages {
		add(p.Stages[i].ID, p.Stages[i].Steps)
		if p.Stages[i].Abort != nil {
			add(p.Stages[i].ID, p.Stages[i].Abort.Steps)
		}
	}
	var mu sync.Mutex
	var refused diag.Diagnostics
	w.each(steps, func(step *plan.Step) {
		if ctx.Err() != nil {
			return
		}
		if err := w.preview(ctx, step); err != nil {
			mu.Lock()
			defer mu.Unlock()
			refused.Errorf("InvalidInput", pos, "stage %q, step %q with %s: %v",
				stages[step], step.ID, step.Action, err)
		}
	}, "previewing step ")
	refused.Sort()
	return refused
}

// ready tells whether everything that a step is given is known before the run.
func ready(step *plan.Step) bool {
	return step.Skip == "" && step.ForEach == nil && len(step.Deferred) == 0
}

// preview asks for one preview. The error is about the step's input.
func (w *world) preview(ctx context.Context, step *plan.Step) error {
	act, ok := w.s.o.Registry.Action(step.Action)
	if !ok {
		return nil
	}
	if step.Gate != "" {
		// The plan itself says what a gate waits for.
		if checker, ok := act.(action.Checker); ok {
			return checker.Check(step.With)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, previewTimeout)
	defer cancel()
	env := w.Env(step.Target)
	env.Proof = step.Proof
	p, err := act.Preview(ctx, env, step.With)
	if failed, ok := errors.AsType[*action.Error](err); ok && failed.Reason == action.ReasonInvalidInput {
		return err
	}
	if err != nil {
		p = action.Preview{Summary: "no preview: " + observe.TimeoutError(ctx, err, previewTimeout).Error()}
	}
	step.Preview = &p
	return nil
}

// each calls do for all steps, several at a time, and waits for the end.
func (w *world) each(steps []*plan.Step, do func(*plan.Step), verb string) {
	queue := make(chan *plan.Step)
	var workers sync.WaitGroup
	for range min(parallel, len(steps)) {
		workers.Go(func() {
			for step := range queue {
				do(step)
			}
		})
	}
	// One note in a hundred is enough for a large plan.
	every := max(1, len(steps)/100)
	for i, step := range steps {
		if i%every == 0 {
			w.s.o.Progress(Note{Text: verb + step.ID, Done: i + 1, Total: len(steps)})
		}
		queue <- step
	}
	close(queue)
	workers.Wait()
}
