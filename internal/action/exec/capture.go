package exec

import (
	"io"
	"slices"

	"github.com/refitproject/refit/internal/action"
)

// Capture takes what a program prints that others start, such as one in a container,
// as Run does: the ends of both streams are kept, lines go to a log, and secrets are
// removed from all of it. Use NewCapture.
type Capture struct {
	program        Program
	stdout, stderr *tail
	log            *lineLog
	// Stdout and Stderr take the two streams.
	Stdout, Stderr io.Writer
}

// NewCapture returns a Capture; log may be nil.
func NewCapture(secrets []string, log io.Writer) *Capture {
	c := &Capture{
		program: Program{Secrets: secrets, Log: log},
		stdout:  &tail{limit: DefaultStdout}, stderr: &tail{limit: keepStderr},
	}
	c.log = newLineLog(c.program)
	c.Stdout, c.Stderr = c.log.also(c.stdout), c.log.also(c.stderr)
	return c
}

// End returns what was printed by a program that ended with an exit code. Nothing is
// written to the log afterwards.
func (c *Capture) End(code int) Result {
	c.log.flush()
	return Result{
		ExitCode: code, Truncated: c.stdout.truncated,
		Stdout: redact(c.stdout, c.program), Stderr: redact(c.stderr, c.program),
	}
}

// Output returns the output of a step of what a program printed.
func (r Result) Output() CommandOutput { return output(r) }

// LastLine returns the last line that a program printed, which is as a rule why it
// failed.
func (r Result) LastLine() string { return lastLine(r.Stderr, r.Stdout) }

// CheckInput tells what is wrong with an input whose types are right.
func CheckInput(in CommandInput) error { return checkCommandInput(in) }

// Ok tells whether an exit code of command means success.
func (in CommandInput) Ok(code int) bool { return slices.Contains(orDefault(in.OkExits, 0), code) }

// Unchanged tells whether an exit code of command means that it failed and changed
// nothing.
func (in CommandInput) Unchanged(code int) bool { return slices.Contains(in.UnchangedExits, code) }

// Meaning returns what an exit code of observe means; false for one that has none.
func (o *ObserveCommand) Meaning(code int) (action.Status, bool) {
	switch {
	case slices.Contains(orDefault(o.DoneExits, 0), code):
		return action.Done, true
	case slices.Contains(orDefault(o.NotStartedExits, 1), code):
		return action.NotStarted, true
	case slices.Contains(o.InProgressExits, code):
		return action.InProgress, true
	case slices.Contains(o.PartialExits, code):
		return action.Partial, true
	default:
		return "", false
	}
}
