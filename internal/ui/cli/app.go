package cli

import (
	"context"
	"errors"
	"io"

	"github.com/refitproject/refit/internal/service"
)

// App is what the command line needs from the program around it. All fields
// are required.
type App struct {
	Stdout, Stderr io.Writer
	// Stdin is read from when a person is asked.
	Stdin io.Reader
	// Interactive tells whether a person can be asked: the standard input is a
	// terminal.
	Interactive func() bool
	// Interrupts lets the first interrupt call soft, once, instead of cancelling
	// the context, and calls last before an interrupt ends the program at once. The
	// function that it returns ends that.
	Interrupts func(soft, last func()) (release func())
	// Interrupt does what an interrupt of the terminal does, for one that was typed
	// while keys are read one by one.
	Interrupt func()
	// Getenv returns the value of an environment variable, "" when it is not
	// set.
	Getenv func(name string) string
	// Terminal tells whether w is a terminal, and how many columns it has; 0
	// when that is not known.
	Terminal func(w io.Writer) (columns int, ok bool)
	// Build identifies the program.
	Build Build
	// NewService makes the service. It is called at most once, and only by
	// commands that need it, so that the others start at once.
	NewService func(progress service.Progress) (*service.Service, error)
}

// Build identifies the program.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	// Platform is the operating system and the processor: "linux/amd64".
	Platform string `json:"platform"`
}

// Run carries out one command line, without the name of the program, and
// returns the exit code. When ctx is cancelled the command ends soon and
// leaves no half-written file.
func (a *App) Run(ctx context.Context, args []string) ExitCode {
	c := newConsole(a)
	root := newRoot(c) //nolint:contextcheck // cobra hands the context to the commands
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if c.used != nil {
		err = errors.Join(err, c.used.Close())
	}
	if err == nil {
		err = c.helpErr
	}
	return c.finish(ctx, err)
}
