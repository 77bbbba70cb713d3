package file

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/refitproject/refit/internal/action"
)

const reasonInterrupted = "Interrupted"

// interrupted says that a step was cancelled before it changed the file that
// the author calls name.
func interrupted(what, name string, err error) error {
	return &action.Error{
		Reason: reasonInterrupted, Retryable: true, Effect: action.ExtentNone,
		Err: fmt.Errorf("%s file %q: %w", what, name, err),
	}
}

// isInterruption tells whether err is the end of a context.
func isInterruption(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// interruptible is a reader that ends with the context of a step and reports
// how far it has come, unless report is nil.
type interruptible struct {
	end         func() error
	next        io.Reader
	report      func(action.Progress)
	done, total int64
}

// Read implements io.Reader.
func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.end(); err != nil {
		return 0, err
	}
	n, err := r.next.Read(p)
	r.done += int64(n)
	if r.report != nil {
		r.report(action.Progress{Done: r.done, Total: r.total, Unit: "bytes"})
	}
	return n, err
}
