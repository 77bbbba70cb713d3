package exec

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// recordChild records a program that has just been started.
func recordChild(ctx context.Context, c Program, child action.Child) error {
	if c.Children == nil {
		return nil
	}
	if err := c.Children.Started(ctx, child); err != nil {
		return &action.Error{
			Reason: reasonChildNotRecorded, Retryable: true, Effect: action.ExtentUnknown,
			Remedy: "check that the state directory can be written",
			Err:    fmt.Errorf("program %q was ended, because it could not be recorded: %w", c.Args[0], err),
		}
	}
	return nil
}

// startTime returns when the process pid was started: field 22 of
// /proc/PID/stat on Linux, "" elsewhere and for processes that are not there.
func startTime(pid int) string {
	if runtime.GOOS != "linux" {
		return ""
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The name of the program, field 2, stands in parentheses and may hold
	// anything, parentheses too.
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	const afterName = 22 - 3 // the first field behind the name is number 3
	if len(fields) <= afterName {
		return ""
	}
	return fields[afterName]
}
