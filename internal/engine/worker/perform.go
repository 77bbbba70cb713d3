package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// perform carries out an effect, or takes one back.
func (j *job) perform(ctx context.Context, c run.PerformOperation) (run.Body, error) {
	e, refused, err := j.effect(ctx, record{c.Op, c.Key, c.With, c.Before, c.WithArtefact, c.Selection})
	if err != nil {
		return nil, err
	}
	end := &run.OperationEnded{Op: c.Op, Attempt: c.Attempt}
	if refused != nil {
		return failed(end, refused), nil
	}
	var output map[string]any
	err = guarded(func() (err error) {
		if c.Op.What == run.Undo || c.Op.What == run.Release {
			return e.act.Undo(ctx, e.env, e.in, e.before)
		}
		output, err = e.act.Run(ctx, e.env, e.in, e.before)
		return err
	})
	if c.Op.What == run.Undo && errors.Is(err, action.ErrNoUndo) && e.step.Reversible == plan.ReversibleRestore {
		err = nil // The restore, which came before, has brought back what it did.
	}
	if interrupted(ctx, err) && !certain(err) {
		end.Extent, end.Retryable, end.Reason = string(action.ExtentUnknown), true, reasonInterrupted
		end.Message = oneLine("it was interrupted: " + err.Error())
		return end, nil
	}
	if err != nil {
		return failed(end, err), nil
	}
	end.OK = true
	if output != nil {
		end.Output, end.OutputArtefact, err = e.output(ctx, output)
	}
	return end, err
}

// certain tells whether an action knows how much has happened.
func certain(err error) bool {
	failure, ok := errors.AsType[*action.Error](err)
	return ok && failure.Effect != "" && failure.Effect != action.ExtentUnknown
}

// failed fills in why an attempt failed. An error that says nothing of its
// effect leaves it unknown: the step is observed, and may be tried again when
// nothing has happened.
func failed(end *run.OperationEnded, err error) run.Body {
	end.Extent, end.Retryable, end.Reason = string(action.ExtentUnknown), true, "Failed"
	end.Message = oneLine(err.Error())
	if errors.Is(err, action.ErrNoUndo) || errors.Is(err, action.ErrNoRun) {
		end.Extent, end.Retryable, end.Reason = string(action.ExtentNone), false, reasonNoUndo
		return end
	}
	if failure, ok := errors.AsType[*action.Error](err); ok {
		end.Retryable, end.Reason = failure.Retryable, failure.Reason
		end.Cause = awayOf(failure)
		if failure.Effect != "" {
			end.Extent = string(failure.Effect)
		}
	}
	return end
}

// awayOf says what an attempt lacked to be made at all, "" when it was made.
func awayOf(failure *action.Error) run.Wait {
	if cause := causeOf(failure); cause == run.WaitCredentials || failure.Reason == action.ReasonUnreachable {
		return cause
	}
	return ""
}

// output returns an output as it is recorded: sensitive members are keyed
// hashes, and what is too large for an event is kept beside the history.
func (e *effect) output(ctx context.Context, output map[string]any) (json.RawMessage, *run.Artefact, error) {
	redacted, err := e.j.world.Redact(e.spec.Output, output)
	if err != nil {
		return nil, nil, fmt.Errorf("hide the sensitive output of step %q: %w", e.step.ID, err)
	}
	data, err := json.Marshal(redacted)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the output of step %q: %w", e.step.ID, err)
	}
	if len(data) <= run.MaxOutput {
		return data, nil, nil
	}
	if e.j.Keep == nil {
		return nil, nil, fmt.Errorf("keep the output of step %q: it has %d bytes, at most %d stand in an event, "+
			"and the host keeps no artefacts", e.step.ID, len(data), run.MaxOutput)
	}
	name := "output of " + e.env.Key
	digest, err := e.j.Keep(ctx, name, data)
	if err != nil {
		return nil, nil, fmt.Errorf("keep the output of step %q: %w", e.step.ID, err)
	}
	return nil, &run.Artefact{Name: name, Digest: digest, Size: int64(len(data))}, nil
}
