package service

import (
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// RunTrouble says what is the matter with a run.
type RunTrouble string

// The troubles.
const (
	// TroubleOwned: another process drives the run.
	TroubleOwned RunTrouble = "owned"
	// TroubleTarget: another run changes the same target.
	TroubleTarget RunTrouble = "target"
	// TroubleMoved: the run is driven on another machine.
	TroubleMoved RunTrouble = "moved"
	// TroubleRefused: what was asked for is not possible now, or not with this file.
	TroubleRefused RunTrouble = "refused"
	// TroubleUnknown: there is no such run, or there is one already.
	TroubleUnknown RunTrouble = "unknown"
	// TroubleOwn: the history is damaged, the program is too old, the state
	// folder cannot be used.
	TroubleOwn RunTrouble = "own"
)

// RunError is returned when a run cannot be driven, read or asked for something.
type RunError struct {
	Run     string
	Trouble RunTrouble
	Err     error
}

// Error implements error: one line that says what to do.
func (e *RunError) Error() string {
	switch {
	case errors.Is(e.Err, engine.ErrMoved):
		return fmt.Sprintf("run %q is not driven here: it was taken to another machine, or this is a copy", e.Run)
	case errors.Is(e.Err, engine.ErrStaleOwner):
		return fmt.Sprintf("run %q was taken over by another process: watch it with refit watch %s", e.Run, e.Run)
	case e.Trouble == TroubleRefused && e.Run != "":
		return fmt.Sprintf("run %q: %s: refit status %s says what is possible", e.Run, e.Err, e.Run)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *RunError) Unwrap() error { return e.Err }

// runError says which trouble an error of the engine is. Other errors stay as
// they are.
func runError(id string, err error) error {
	if err == nil {
		return nil
	}
	if _, already := errors.AsType[*RunError](err); already {
		return err
	}
	var trouble RunTrouble
	switch {
	case action.ReasonOf(err) == action.ReasonTargetLocked:
		trouble = TroubleTarget
	case is[*engine.OwnedError](err), errors.Is(err, engine.ErrStaleOwner):
		trouble = TroubleOwned
	case is[*engine.DamagedError](err), is[*engine.UnsupportedError](err), is[*engine.StoreError](err):
		trouble = TroubleOwn
	case errors.Is(err, engine.ErrMoved):
		trouble = TroubleMoved
	case errors.Is(err, run.ErrRefused), errors.Is(err, engine.ErrNoExport):
		trouble = TroubleRefused
	case errors.Is(err, engine.ErrNotFound), errors.Is(err, engine.ErrExists):
		trouble = TroubleUnknown
	default:
		return err
	}
	return &RunError{Run: id, Trouble: trouble, Err: err}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
