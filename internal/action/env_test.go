package action_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
)

// TestEnvWithoutReaders uses an Env of which nobody wants to know anything.
func TestEnvWithoutReaders(t *testing.T) {
	t.Parallel()
	var env action.Env
	env.Report(action.Progress{Done: 1})
	if env.LogWriter() != io.Discard {
		t.Error("without a reader the log goes nowhere")
	}
	var got []action.Progress
	var log strings.Builder
	env.Progress, env.Log = func(p action.Progress) { got = append(got, p) }, &log
	env.Report(action.Progress{Done: 1, Total: 2})
	fmt.Fprintln(env.LogWriter(), "half")
	if len(got) != 1 || got[0].Total != 2 || log.String() != "half\n" {
		t.Errorf("got %v, %q", got, log.String())
	}
}
