package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/wrap"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/run"
)

// Reasons of events that the worker makes itself.
const (
	// reasonUnknownAction: the program does not have the action.
	reasonUnknownAction = "UnknownAction"
	// reasonPanicked: the action broke down.
	reasonPanicked = "Panicked"
	// reasonInterrupted: the call was ended before its effect had.
	reasonInterrupted = "Interrupted"
	// reasonNoUndo: the action has no inverse for this input.
	reasonNoUndo = "NoUndo"
	// reasonNoRestore: nothing brings back what the step saved.
	reasonNoRestore = "NoRestore"
	// reasonInvalidRecord: what was recorded cannot be read.
	reasonInvalidRecord = "InvalidRecord"
	// reasonBadMember: the action has picked something that cannot be recorded.
	reasonBadMember = "BadMember"
	// reasonListTooLarge: what the action has picked does not fit into an event.
	reasonListTooLarge = "ListTooLarge"
)

// unknownAction is the error about an action that the program does not have.
func unknownAction(name string) error {
	return &action.Error{
		Reason: reasonUnknownAction, Effect: action.ExtentNone,
		Err: fmt.Errorf("this program has no action %q", name), Remedy: "use the version of refit that made the plan",
	}
}

// permanent tells whether asking again would give the same error.
func permanent(err error) bool {
	if _, answered := errors.AsType[*observe.AnswerError](err); answered {
		return true
	}
	failure, ok := errors.AsType[*action.Error](err)
	if !ok {
		return false
	}
	switch failure.Reason {
	case action.ReasonInvalidInput, wrap.ReasonOutputTooLarge, reasonUnknownAction, reasonPanicked, reasonNoRestore,
		reasonInvalidRecord, reasonBadMember, reasonListTooLarge:
		return true
	}
	return false
}

// lasting tells whether an action knows that asking again would give the same
// error, such as a file that is not there, as long as nobody mends it. Of
// effects in the world such an error says nothing.
func lasting(err error) bool {
	failure, ok := errors.AsType[*action.Error](err)
	return permanent(err) || ok && !failure.Retryable && causeOf(err) != run.WaitCredentials
}

// causeOf says what has to come before it is possible to ask: the target, or
// credentials.
func causeOf(err error) run.Wait {
	if failure, ok := errors.AsType[*action.Error](err); ok {
		switch failure.Reason {
		case action.ReasonAccessRefused, action.ReasonSecretUnavailable:
			return run.WaitCredentials
		}
	}
	return run.WaitTarget
}

// reasonOf returns the reason of an error, or the other one when it has none.
func reasonOf(err error, other string) string {
	if failure, ok := errors.AsType[*action.Error](err); ok && failure.Reason != "" {
		return failure.Reason
	}
	return other
}

// guarded calls f and turns a panic into an error: an action that breaks down
// does not end the process. What it has done is unknown. The text of a panic
// may hold anything, so only its type is told.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &action.Error{
				Reason: reasonPanicked, Effect: action.ExtentUnknown,
				Err: fmt.Errorf("the action broke down (%T)", p), Remedy: "report it as a bug of the action",
			}
		}
	}()
	return f()
}

// interrupted tells whether a call ended because its context did.
func interrupted(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil
}
