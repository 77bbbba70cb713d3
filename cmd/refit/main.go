// Command refit upgrades whole platforms on Kubernetes from a checked, frozen
// plan. This file only wires the parts together; the commands are in
// internal/ui/cli.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // windows are in named time zones, which must be known on any machine

	"golang.org/x/term"

	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/secret"
	"github.com/refitproject/refit/internal/service"
	"github.com/refitproject/refit/internal/ui/cli"
	"github.com/refitproject/refit/procedures"
)

// version and commit are set by the linker: -ldflags "-X main.version=v0.1.0".
var (
	version = "dev"
	commit  string //nolint:gochecknoglobals // The linker sets it.
)

func main() {
	limitMemory()
	os.Exit(int(run()))
}

// limitMemory lets the collector work harder when the heap nears what the
// program promises for a plan of 100,000 steps. It is a soft limit: larger
// plans take the memory that they need. GOMEMLIMIT overrides it.
func limitMemory() {
	const soft = 372 << 20
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(soft)
	}
}

// run carries out the command line. The first interrupt cancels it; the second
// one ends the program at once, because stop gives the signal back.
func run() cli.ExitCode {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	app := cli.App{
		Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Terminal: terminal,
		Build: build(), NewService: newService,
	}
	return app.Run(ctx, os.Args[1:])
}

// newService makes the service with the real world behind it.
func newService(progress service.Progress) (*service.Service, error) {
	clients := all.NewClients(os.Environ())
	registry, err := all.NewRegistry(clients)
	if err != nil {
		return nil, fmt.Errorf("list the actions: %w", err)
	}
	dir, err := stateDir()
	if err != nil {
		return nil, err
	}
	return service.New(service.Options{
		Registry: registry, Shipped: procedures.FS(), Now: time.Now, Version: version,
		StateDir: dir, LookPath: exec.LookPath, Progress: progress,
		Secrets: secret.Resolver{Environ: os.Environ(), Programs: clients.Programs},
	})
}

// stateDir returns the folder for what Refit keeps for itself, by the XDG base
// directory specification.
func stateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "refit"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the state folder: %w: set XDG_STATE_HOME", err)
	}
	return filepath.Join(home, ".local", "state", "refit"), nil
}

// terminal tells whether w is a terminal, and how many columns it has.
func terminal(w io.Writer) (columns int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, true
	}
	return columns, true
}

// build identifies the program.
func build() cli.Build {
	return cli.Build{
		Version: version, Commit: commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
}
