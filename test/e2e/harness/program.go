package harness

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The variables that name programs.
const (
	// Refit is the program of the checkout.
	Refit = "REFIT_PROGRAM"
	// Helm is helm 3.
	Helm = "REFIT_HELM3"
)

// Program runs a program as a person does, in a folder and with variables.
type Program struct {
	t    *testing.T
	path string
	// Dir is where it runs, Env what is added to the environment of the test.
	Dir string
	Env []string
}

// NewProgram finds the program that a variable of the environment names.
func NewProgram(t *testing.T, variable string) *Program {
	t.Helper()
	path := os.Getenv(variable)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s names no program, it is %q: see make e2e", variable, path)
	}
	return &Program{t: t, path: path}
}

// Command is the program with arguments, not started. It is ended with the test.
func (p *Program) Command(args ...string) *exec.Cmd {
	return p.command(p.t.Context(), args)
}

func (p *Program) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir = p.Dir
	cmd.Env = append(os.Environ(), p.Env...)
	return cmd
}

// longest is how long one call may take, on a busy machine.
const longest = 12 * time.Minute

// Run runs it and returns the exit code and all that it wrote.
func (p *Program) Run(args ...string) (code int, text string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), longest)
	defer cancel()
	cmd := p.command(ctx, args)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		p.t.Fatalf("%s %s: %v\n%s", p.path, strings.Join(args, " "), errors.Join(err, ctx.Err()), out.String())
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// Must runs it, wants the exit code, and returns all that it wrote.
func (p *Program) Must(code int, args ...string) string {
	p.t.Helper()
	got, text := p.Run(args...)
	if got != code {
		p.t.Fatalf("%s %s ended with exit code %d, want %d:\n%s", p.path, strings.Join(args, " "), got, code, text)
	}
	return text
}
