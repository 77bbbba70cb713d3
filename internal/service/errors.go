package service

import (
	"fmt"
	"strings"
)

// UsageError is returned when what was asked for cannot be meant: an unknown
// version, a stage that the plan does not have, a file that would be
// overwritten.
type UsageError struct {
	// Message is one line without a final period.
	Message string
	// Suggestion says what to do; it may be empty.
	Suggestion string
}

// Error implements error: message and suggestion on one line.
func (e *UsageError) Error() string {
	if e.Suggestion == "" {
		return e.Message
	}
	return e.Message + ": " + e.Suggestion
}

// usageErrorf returns a *UsageError without a suggestion.
func usageErrorf(format string, args ...any) *UsageError {
	return &UsageError{Message: fmt.Sprintf(format, args...)}
}

// suggest sets the suggestion and returns e.
func (e *UsageError) suggest(format string, args ...any) *UsageError {
	e.Suggestion = fmt.Sprintf(format, args...)
	return e
}

// StaleError is returned when the world, or the files that a plan was made
// from, are not what the plan was made for.
type StaleError struct {
	// Changes says what differs, one line each.
	Changes []string
	// Remedy says what to do.
	Remedy string
}

// Error implements error: the changes and the remedy on one line.
func (e *StaleError) Error() string {
	s := strings.Join(e.Changes, "; ")
	if e.Remedy != "" {
		s += ": " + e.Remedy
	}
	return s
}
