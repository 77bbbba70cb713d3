package wrap

import (
	"context"
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/action"
)

// ReasonDryRun is the reason of errors of Run and Undo in a dry run.
const ReasonDryRun = "DryRun"

// DryRun lets Run and Undo do nothing but say, in an error without effect, what
// they would do. What Run refuses for every input is refused as ever.
func DryRun(a action.Action) action.Action { return dry{passing{a}} }

type dry struct{ passing }

// Run implements action.Action.
func (d dry) Run(ctx context.Context, env action.Env, in, _ map[string]any) (map[string]any, error) {
	if spec := d.Spec(); spec.Effect == action.ReadOnly || spec.Gate != "" {
		return nil, action.ErrNoRun
	}
	return nil, d.refuse(ctx, env, in, "it would ")
}

// Undo implements action.Action.
func (d dry) Undo(ctx context.Context, env action.Env, in, _ map[string]any) error {
	spec := d.Spec()
	if possible, _ := spec.Undoable(in); !possible || spec.Gate != "" {
		return action.ErrNoUndo
	}
	return d.refuse(ctx, env, in, "it would take back: ")
}

func (d dry) refuse(ctx context.Context, env action.Env, in map[string]any, would string) error {
	preview, err := d.Preview(ctx, env, in)
	if failure, ok := errors.AsType[*action.Error](err); ok && failure.Reason == action.ReasonInvalidInput {
		return err
	}
	if err != nil {
		return fmt.Errorf("preview %s for a dry run: %w", name(d), err)
	}
	return &action.Error{
		Reason: ReasonDryRun, Effect: action.ExtentNone,
		Err: fmt.Errorf("%s changed nothing in a dry run; %s%s", name(d), would, preview.Summary),
	}
}
