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

// run carries out the command line.
func run() cli.ExitCode {
	clients := all.NewClients(os.Environ())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go interrupts(cancel, clients.Programs.KillAll)
	newService := func(progress service.Progress) (*service.Service, error) {
		return newService(clients, progress)
	}
	app := cli.App{
		Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Terminal: terminal,
		Build: build(), NewService: newService,
	}
	return app.Run(ctx, os.Args[1:])
}

// interrupts waits for the signals that ask a program to end: an interrupt, a
// termination, the end of the terminal. The first one cancels, so that
// everything ends in order. With the second one everything that was started is
// killed and the program exits at once.
func interrupts(cancel, kill func()) {
	const most = 2
	signals := make(chan os.Signal, most)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// nohup ignores the end of the terminal, which has to stay so.
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	<-signals
	cancel()
	<-signals
	kill()
	os.Exit(int(cli.ExitError))
}

// newService makes the service with the real world behind it.
func newService(clients all.Clients, progress service.Progress) (*service.Service, error) {
	registry, err := all.NewRegistry(clients)
	if err != nil {
		return nil, fmt.Errorf("list the actions: %w", err)
	}
	return service.New(service.Options{
		Registry: registry, Shipped: procedures.FS(), Now: time.Now, Version: version,
		StateDir: stateDir(), LookPath: exec.LookPath, Progress: progress,
		Secrets: secret.Resolver{Environ: os.Environ(), Programs: clients.Programs},
	})
}

// stateDir returns the folder for what Refit keeps for itself, by the XDG base
// directory specification; "" when the environment names no place for it.
func stateDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "refit")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "refit")
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
