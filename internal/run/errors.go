package run

import (
	"errors"
	"fmt"
)

// ErrInvalidTransition is returned when an event cannot follow the history so
// far. The history or the host is at fault, and the host must stop driving.
var ErrInvalidTransition = errors.New("the event cannot follow the history")

// ErrStale is returned for a result that nobody waits for any more: it came
// late, or twice. The host drops the event and does not append it.
var ErrStale = errors.New("the result is late or came twice")

// ErrRefused is returned when what a person asked for is not possible now. The
// host tells the person and does not append the event.
var ErrRefused = errors.New("not possible now")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidTransition, fmt.Sprintf(format, args...))
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}
