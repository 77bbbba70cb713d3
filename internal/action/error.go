package action

import (
	"errors"
	"strings"
	"unicode"
)

// ReasonInvalidInput is the reason of errors about inputs that do not fit the
// Spec of an action.
const ReasonInvalidInput = "InvalidInput"

// ReasonSecretUnavailable is the reason of errors about secrets that could not
// be resolved, or not be used where they are needed.
const ReasonSecretUnavailable = "SecretUnavailable"

// ReasonAccessRefused is the reason of errors about a target that refuses the
// secret that it was given: it has expired, or does not permit what is asked. A
// run then waits for a better one.
const ReasonAccessRefused = "AccessRefused"

// ReasonUnreachable is the reason of errors about a target that does not answer. A run
// then waits for it.
const ReasonUnreachable = "Unreachable"

// ErrNoRun is returned when Run is called on a read-only action or a gate.
var ErrNoRun = errors.New("this action changes nothing and cannot be run: observe it instead")

// ErrNoUndo is returned when Undo is called and the action, with this input,
// has no inverse.
var ErrNoUndo = errors.New("this action has no inverse for this input")

// Extent says how much of an effect has happened when an action failed.
type Extent string

// The extents. An *Error without Effect counts as ExtentUnknown.
const (
	ExtentNone    Extent = "none"
	ExtentPartial Extent = "partial"
	ExtentDone    Extent = "done"
	ExtentUnknown Extent = "unknown"
)

// Error is a failure of an action: what the world did. It never holds a
// secret, nor does the text of anything that it wraps.
type Error struct {
	// Reason is for machines, CamelCase and stable between releases; the page
	// of the action explains it.
	Reason string
	// Retryable tells that the same call may succeed later. Whether it is made
	// is decided by Effect and by what Observe says.
	Retryable bool
	// Effect says how much has happened in the world. Observe always leaves
	// ExtentNone.
	Effect Extent
	// Remedy says what to do, as a half sentence: "create it, or set optional:
	// true".
	Remedy string
	// Err says what was being done, on what, and why it failed.
	Err error
}

// Error returns one line: what failed, and what to do about it.
func (e *Error) Error() string {
	text := e.Reason
	if e.Err != nil {
		text = e.Err.Error()
	}
	if e.Remedy != "" {
		text += ": " + e.Remedy
	}
	return oneLine(text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WithExtent returns an *Error with another extent, for who knows better than what
// has failed how much has happened. Other errors are returned as they are.
func WithExtent(err error, extent Extent) error {
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	out := *failed
	out.Effect = extent
	return &out
}

// ReasonOf returns the reason of an *Error, "" of other errors.
func ReasonOf(err error) string {
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.Reason
	}
	return ""
}

// oneLine keeps messages on one line and harmless to terminals, whatever was
// quoted into them.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, unicode.IsControl), " ")
}
