package database

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// The reasons of errors of this package, beside action.ReasonAccessRefused. The pages
// of the actions explain them.
const (
	reasonUnreachable      = action.ReasonUnreachable
	reasonDatabaseNotFound = "DatabaseNotFound"
	reasonAnotherDatabase  = "AnotherDatabase"
	reasonDatabaseInUse    = "DatabaseInUse"
	reasonPrivilegeMissing = "PrivilegeMissing"
	reasonServerFull       = "ServerFull"
	reasonServerRefused    = "ServerRefused"
	reasonToolMissing      = "ToolMissing"
	reasonToolFailed       = "ToolFailed"
	reasonNotMovable       = "NotMovable"
	reasonConnection       = "ConnectionConfig"
	reasonInterrupted      = "Interrupted"
)

func failure(reason, remedy string, retryable bool, format string, args ...any) *action.Error {
	return &action.Error{
		Reason: reason, Retryable: retryable, Effect: action.ExtentUnknown, Remedy: remedy,
		Err: fmt.Errorf(format, args...),
	}
}

// common makes an error of what no engine has a code for: that time was over, or that
// nobody answers. It is nil for others.
func common(doing string, err error) error {
	if action.ReasonOf(err) != "" {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return failure(reasonInterrupted, "", true, "%s: %w", doing, err)
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return failure(reasonUnreachable, "is its address right, and the server up?", true, "%s: %s", doing, flat(err))
	}
	return nil
}

// flat is the text of an error on one line.
func flat(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// few shortens a list for a message.
func few(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
