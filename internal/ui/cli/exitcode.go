package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/service"
)

// ExitCode is what the program ends with. The codes are part of the promise of
// compatibility: scripts depend on them.
type ExitCode int

// The exit codes.
const (
	ExitDone       ExitCode = 0
	ExitError      ExitCode = 1
	ExitUsage      ExitCode = 2
	ExitBlocked    ExitCode = 3
	ExitStale      ExitCode = 4
	ExitWaiting    ExitCode = 5
	ExitRolledBack ExitCode = 6
	ExitHalted     ExitCode = 7
	ExitInDoubt    ExitCode = 8
	ExitCancelled  ExitCode = 9
	ExitOwned      ExitCode = 10
)

// exitCodes explains the codes, in their order.
func exitCodes() []string {
	return []string{
		ExitDone:       "done",
		ExitError:      "Refit's own error: a file that cannot be written, a target that does not answer, an interrupt",
		ExitUsage:      "usage or lint: a flag, a file or a plan that is not right; nothing was done",
		ExitBlocked:    "preflight blocked: a check failed or could not be decided, and nobody accepted it",
		ExitStale:      "plan stale: a fact, a target or a file is not what the plan was made for",
		ExitWaiting:    "waiting: for an approval, a window, a soak, a condition or a person",
		ExitRolledBack: "rolled back",
		ExitHalted:     "halted: a step failed, and the run waits for a decision",
		ExitInDoubt:    "in doubt: the effect of a step cannot be known, and a person has to settle it",
		ExitCancelled:  "cancelled",
		ExitOwned:      "the run is owned by another process",
	}
}

// exitCodeTable is the table for `refit help exit-codes`.
func exitCodeTable() string {
	var b strings.Builder
	b.WriteString("Refit ends with one of these exit codes. Scripts may rely on them.\n\n")
	for code, meaning := range exitCodes() {
		fmt.Fprintf(&b, "  %2d  %s\n", code, meaning)
	}
	return b.String()
}

// outcome ends a command with a code other than ExitDone after it has said
// everything that there is to say.
type outcome struct{ code ExitCode }

// Error implements error.
func (o outcome) Error() string { return exitCodes()[o.code] }

// usageError is a mistake on the command line.
type usageError struct{ err error }

// Error implements error.
func (e usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e usageError) Unwrap() error { return e.err }

// usagef returns a usageError.
func usagef(format string, args ...any) error { return usageError{err: fmt.Errorf(format, args...)} }

// exitCodeOf says how the program ends after err.
func exitCodeOf(err error) ExitCode {
	var (
		ended       outcome
		failed      blocked
		usage       usageError
		asked       *service.UsageError
		file        *service.PlanFileError
		stale       *service.StaleError
		diagnostics diag.Diagnostics
		trouble     *service.RunError
	)
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &ended):
		return ended.code
	case errors.Is(err, context.Canceled):
		return ExitError
	case errors.As(err, &failed):
		return ExitBlocked
	case errors.As(err, &usage), errors.As(err, &asked), errors.As(err, &file),
		errors.As(err, &diagnostics):
		return ExitUsage
	case errors.As(err, &stale):
		return ExitStale
	case errors.As(err, &trouble):
		return troubleCode(trouble.Trouble)
	default:
		return ExitError
	}
}

// troubleCode says how the program ends when a run cannot be driven, read or
// asked for something.
func troubleCode(t service.RunTrouble) ExitCode {
	switch t {
	case service.TroubleOwned, service.TroubleTarget, service.TroubleMoved:
		return ExitOwned
	case service.TroubleRefused, service.TroubleUnknown:
		return ExitUsage
	case service.TroubleOwn:
	}
	return ExitError
}
