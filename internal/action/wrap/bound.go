package wrap

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/refitproject/refit/internal/action"
)

// MaxBytes is the size of the largest output and of the largest before, as
// JSON. They stand in events, which are read back for as long as a run is
// kept.
const MaxBytes = 32 << 10

// ReasonOutputTooLarge is the reason of errors about outputs, and values from
// before an effect, that are larger than MaxBytes. After Run the effect has
// happened all the same, and the error says so.
const ReasonOutputTooLarge = "OutputTooLarge"

// Bound refuses outputs and values of before that are larger than MaxBytes.
func Bound(a action.Action) action.Action { return bounded{passing{a}, true} }

type bounded struct {
	passing
	outputs bool
}

// Observe implements action.Action.
func (b bounded) Observe(ctx context.Context, env action.Env, in map[string]any) (action.Observation, error) {
	obs, err := b.Action.Observe(ctx, env, in)
	if err != nil {
		return obs, err
	}
	if err := b.checkOutput(obs.Output, action.ExtentNone); err != nil {
		return action.Observation{}, err
	}
	if err := b.check("state before the effect", obs.Before, action.ExtentNone); err != nil {
		return action.Observation{}, err
	}
	return obs, nil
}

// Run implements action.Action.
func (b bounded) Run(ctx context.Context, env action.Env, in, before map[string]any) (map[string]any, error) {
	out, err := b.Action.Run(ctx, env, in, before)
	if err != nil {
		return out, err
	}
	if err := b.checkOutput(out, action.ExtentDone); err != nil {
		return nil, err
	}
	return out, nil
}

func (b bounded) checkOutput(out map[string]any, effect action.Extent) error {
	if !b.outputs {
		return nil
	}
	return b.check("output", out, effect)
}

// check says with which effect on the world a value is too large.
func (b bounded) check(what string, value map[string]any, effect action.Extent) error {
	if value == nil {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return &action.Error{
			Reason: ReasonOutputTooLarge, Effect: effect,
			Err: fmt.Errorf("measure the %s of %s: %w", what, name(b), err),
		}
	}
	if len(text) <= MaxBytes {
		return nil
	}
	done := ""
	if effect == action.ExtentDone {
		done = "the effect has happened, and "
	}
	return &action.Error{
		Reason: ReasonOutputTooLarge, Effect: effect, Remedy: "let the step give less, such as a digest or a file",
		Err: fmt.Errorf("%sthe %s of %s has %d bytes, at most %d are kept", done, what, name(b), len(text), MaxBytes),
	}
}
