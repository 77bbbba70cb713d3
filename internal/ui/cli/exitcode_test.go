package cli

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// TestExitCodes maps what ends a command to its exit code.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	trouble := func(tr service.RunTrouble) error {
		return fmt.Errorf("wrapped: %w", &service.RunError{Run: "r", Trouble: tr, Err: io.EOF})
	}
	for name, test := range map[string]struct {
		reason string
		err    error
		want   ExitCode
	}{
		"Nothing": {"All went well.", nil, ExitDone},
		"Owned":   {"Another process drives the run.", trouble(service.TroubleOwned), ExitOwned},
		"Target":  {"Another run changes the target.", trouble(service.TroubleTarget), ExitOwned},
		"Moved":   {"The run is elsewhere.", trouble(service.TroubleMoved), ExitOwned},
		"Refused": {"It is not possible now.", trouble(service.TroubleRefused), ExitUsage},
		"Unknown": {"There is no such run.", trouble(service.TroubleUnknown), ExitUsage},
		"Own":     {"The history is damaged.", trouble(service.TroubleOwn), ExitError},
		"Asked":   {"A name is wrong.", &service.UsageError{Message: "no"}, ExitUsage},
		"Stale":   {"The world has changed.", &service.StaleError{}, ExitStale},
		"Bad":     {"A backup is damaged.", blocked{io.EOF}, ExitBlocked},
		"Other":   {"A disk is full.", io.ErrShortWrite, ExitError},
		"Closing": {"What is closed afterwards changes nothing.", errors.Join(outcome{ExitHalted}, nil), ExitHalted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := exitCodeOf(test.err); got != test.want {
				t.Errorf("%s: got %d, want %d", test.reason, got, test.want)
			}
		})
	}
}

// TestEndings maps the states of a run to exit codes, and orders them by how
// soon somebody has to look.
func TestEndings(t *testing.T) {
	t.Parallel()
	inOrder := []struct {
		ending report.Ending
		want   ExitCode
	}{
		{report.EndDone, ExitDone},
		{report.EndCancelled, ExitCancelled},
		{report.EndRolledBack, ExitRolledBack},
		{report.EndWaiting, ExitWaiting},
		{report.EndHalted, ExitHalted},
		{report.EndInDoubt, ExitInDoubt},
	}
	last := -1
	for _, test := range inOrder {
		code := endingCode(test.ending)
		if code != test.want {
			t.Errorf("%s ends with %d, want %d", test.ending, code, test.want)
		}
		if s := severity(code); s <= last {
			t.Errorf("%s is not worse than what stands before", test.ending)
		} else {
			last = s
		}
	}
	if severity(ExitError) <= last {
		t.Error("an error of Refit's own has to be seen first")
	}
}
