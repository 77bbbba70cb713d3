package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// Reader says where a run stands. service.Service is one.
type Reader interface {
	Status(ctx context.Context, name string) (*report.RunView, error)
	Gate(ctx context.Context, q service.GateQuery, kind string) (*report.ApprovalView, error)
	Logs(ctx context.Context, id, stage, step string) (*report.StepLog, error)
	Detail(ctx context.Context, id, stage, step string) (*report.StepDetail, error)
}

// Decider takes the decisions of a person. service.Service is one.
type Decider interface {
	Approve(ctx context.Context, a *report.ApprovalView, digest, reason string) (*report.RunView, error)
	Reject(ctx context.Context, a *report.ApprovalView, reason string) (*report.RunView, error)
	Done(ctx context.Context, a *report.ApprovalView, evidence map[string]string, reason string,
	) (*report.RunView, error)
	Pause(ctx context.Context, id, reason string) (*report.RunView, error)
	Resume(ctx context.Context, id, reason string) (*report.RunView, error)
}

// Options say what is shown and who is asked. All fields but Leave are required.
type Options struct {
	// Run is the id of the run.
	Run     string
	Reader  Reader
	Decider Decider
	// Feed tells what happens.
	Feed *Feed
	// Text says how texts are painted; the screen gives them their width.
	Text report.TextOptions
	Now  func() time.Time
	// Drives tells that this process drives the run: an interrupt stops it then.
	// Otherwise it only ends the view.
	Drives bool
	// Interrupt is called for each interrupt that is typed while the run is driven.
	Interrupt func()
	// Leave is called when a person wants to leave a run that is driven and that
	// waits. Nil for a view that only watches.
	Leave func()
}

// Live is the view of one run.
type Live struct {
	program *tea.Program
	model   *model
}

// Terminal is where the view is shown and where keys come from.
type Terminal struct {
	In  io.Reader
	Out io.Writer
	// Environ is the environment, for what the terminal is able to do.
	Environ []string
}

// New returns the view of a run. Nothing is shown before Show.
func New(ctx context.Context, o Options, t Terminal) *Live {
	m := newModel(ctx, o)
	return &Live{model: m, program: tea.NewProgram(m,
		tea.WithInput(t.In), tea.WithOutput(t.Out), tea.WithEnvironment(t.Environ),
		// Texts are painted with the eight colours of every terminal, or not at all.
		tea.WithColorProfile(colorprofile.ANSI),
		tea.WithoutSignalHandler(),
	)}
}

// Show takes the terminal and shows the run until End is called, a person leaves,
// or the terminal is gone, which is the error then. The terminal is given back, and
// only then the interrupt is passed on that ends the program.
func (l *Live) Show() error {
	_, err := l.program.Run()
	if l.model.last {
		l.model.o.Interrupt()
	}
	if errors.Is(err, tea.ErrProgramKilled) && !errors.Is(err, tea.ErrProgramPanic) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("show the run on the terminal: %w", err)
	}
	return nil
}

// End ends the view. It may be called before Show, and more than once.
func (l *Live) End() { l.program.Send(endMsg{}) }

// Stopping tells that the run stops when what is under way has ended.
func (l *Live) Stopping() { l.program.Send(stoppingMsg{}) }

// GiveBack gives the terminal back at once, for a program that ends now.
func (l *Live) GiveBack() { _ = l.program.ReleaseTerminal() }
