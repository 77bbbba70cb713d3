package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/schema"
)

// observe looks at the world for an operation.
func (j *job) observe(ctx context.Context, c run.ObserveOperation) (run.Body, error) {
	e, refused, err := j.effect(ctx, record{c.Op, c.Key, c.With, c.Before, c.WithArtefact, c.Selection})
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return j.notObserved(c, refused), nil
	}
	if err := e.held(); err != nil {
		return j.notObserved(c, err), nil
	}
	back := c.Op.What == run.Undo || c.Op.What == run.Release
	if back && !e.spec.Observable(e.in) {
		return unseen(c), nil
	}
	// What is taken back was attempted.
	obs, err := e.look(ctx, c.Attempted || back)
	if err != nil && e.spec.Effect == action.ReadOnly && !permanent(err) && lasting(err) {
		return undecided(c, err), nil
	}
	if err != nil {
		return j.notObserved(c, err), nil
	}
	if back {
		return backwards(c, obs)
	}
	return e.observed(ctx, c, obs)
}

// notObserved tells a question that could not be asked from one that makes no
// sense. When an attempt was begun, nobody knows what it did.
func (j *job) notObserved(c run.ObserveOperation, err error) run.Body {
	if permanent(err) {
		status := action.Failed
		if c.Attempted {
			status = action.Unknown
		}
		return &run.Observed{
			Op: c.Op, Turn: c.Turn, Status: string(status),
			Reason: reasonOf(err, reasonPanicked), Message: oneLine(err.Error()),
		}
	}
	return &run.AskFailed{Op: c.Op, Turn: c.Turn, Cause: causeOf(err), Message: oneLine(err.Error())}
}

// undecided is the answer about a check that cannot be carried out as it is: as
// in refit check, it has found nothing out, and a person may accept that.
func undecided(c run.ObserveOperation, err error) run.Body {
	return &run.Observed{
		Op: c.Op, Turn: c.Turn, Status: string(action.Unknown), Reason: reasonOf(err, "CouldNotAsk"),
		Message: oneLine(err.Error()),
	}
}

// observed is the answer about an effect that is to be done.
func (e *effect) observed(ctx context.Context, c run.ObserveOperation, obs action.Observation) (run.Body, error) {
	out := &run.Observed{
		Op: c.Op, Turn: c.Turn, Status: string(obs.Status), Resumable: e.spec.Resumable, Message: oneLine(obs.Reason),
	}
	var err error
	if out.Selection, err = e.selection(obs.Members); err != nil {
		return e.j.notObserved(c, err), nil
	}
	if obs.Status != action.Done {
		out.Before, err = encodeBefore(obs.Before)
		if err != nil {
			return e.j.notObserved(c, invalidRecord("the state before the effect", err)), nil
		}
		return out, nil
	}
	out.Output, out.OutputArtefact, err = e.output(ctx, obs.Output)
	return out, err
}

// maxBefore is the size of the largest state before an effect.
const maxBefore = 32 << 10

func encodeBefore(before map[string]any) (json.RawMessage, error) {
	if before == nil {
		return nil, nil
	}
	data, err := json.Marshal(before)
	if err == nil && len(data) > maxBefore {
		err = fmt.Errorf("it has %d bytes, at most %d are kept", len(data), maxBefore)
	}
	return data, err
}

// unseen is the answer about the undo of an effect that nobody can see. It was
// recorded, so that the undo may begin; whether an undo that was begun has done
// anything cannot be known.
func unseen(c run.ObserveOperation) run.Body {
	out := &run.Observed{Op: c.Op, Turn: c.Turn, Status: string(action.NotStarted)}
	if c.Attempted {
		out.Status = string(action.Unknown)
		out.Message = "the undo was begun before, and nothing tells what it did: look at the target, then settle it"
	}
	return out
}

// backwards turns what is seen of an effect into an answer about taking it back.
func backwards(c run.ObserveOperation, obs action.Observation) (run.Body, error) {
	out := &run.Observed{Op: c.Op, Turn: c.Turn, Message: oneLine(obs.Reason), Resumable: true}
	switch obs.Status {
	case action.Done, action.Failed:
		// What the step left is there, also where it left a failure.
		out.Status, out.Message = string(action.NotStarted), ""
	case action.Partial:
		out.Status = string(action.NotStarted)
		if c.Attempted {
			out.Status = string(action.Partial)
		}
	case action.InProgress, action.Unknown:
		out.Status = string(obs.Status)
	case action.NotStarted:
		now, err := encodeBefore(obs.Before)
		if err != nil {
			return nil, fmt.Errorf("encode the state of the target: %w", err)
		}
		same, err := sameState(c.Before, now)
		if err != nil {
			return nil, err
		}
		out.Status = string(action.Done)
		if !same {
			out.Status = run.Changed
			out.Message = oneLine("the target shows neither what the step left nor what was there before; " +
				observe.StatusText(obs))
		}
	default:
		out.Status = string(action.Unknown)
	}
	return out, nil
}

// sameState compares what was there before the effect with what is there now.
func sameState(recorded, now json.RawMessage) (bool, error) {
	was, err := object(recorded)
	if err != nil {
		return false, fmt.Errorf("read the state before the effect: %w", err)
	}
	is, err := object(now)
	if err != nil {
		return false, fmt.Errorf("read the state of the target: %w", err)
	}
	if len(was) == 0 && len(is) == 0 {
		return true, nil
	}
	left, err := schema.CanonicalJSON(was)
	if err != nil {
		return false, err
	}
	right, err := schema.CanonicalJSON(is)
	return bytes.Equal(left, right), err
}
