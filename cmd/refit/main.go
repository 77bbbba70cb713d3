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
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"
	_ "time/tzdata" // windows are in named time zones, which must be known on any machine

	"github.com/go-logr/logr"
	"golang.org/x/term"
	"k8s.io/klog/v2"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/action/wrap"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/engine/worker"
	"github.com/refitproject/refit/internal/probe/watch"
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
	// Libraries of Kubernetes would write between what people read; what matters comes
	// back as an error.
	klog.SetLogger(logr.Discard())
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
	clients := all.NewClients(append(os.Environ(), action.StateVariable+"="+stateDir()))
	tools := append(clients.Archive.Tools, backup.Tool{Name: "refit", Version: version})
	clients.Archive.Tools, clients.Secret.Tools, clients.Database.Tools = tools, tools, tools
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := &interrupts{cancel: cancel, kill: clients.Programs.KillAll}
	heard := signals.listen()
	go signals.wait(heard)
	newService := func(progress service.Progress) (*service.Service, error) {
		return newService(clients, progress)
	}
	app := cli.App{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Terminal: terminal,
		Interactive: func() bool { return term.IsTerminal(int(os.Stdin.Fd())) },
		Interrupts:  signals.soften, Interrupt: typed(heard),
		Build: build(), NewService: newService,
	}
	return app.Run(ctx, os.Args[1:])
}

// newService makes the service with the real world behind it.
func newService(clients all.Clients, progress service.Progress) (*service.Service, error) {
	registry, err := all.NewRegistry(clients)
	if err != nil {
		return nil, fmt.Errorf("list the actions: %w", err)
	}
	options := wrapping() // One limit for all actions of a target.
	registry = registry.Wrapped(func(a action.Action) action.Action { return wrap.All(a, options) })
	secrets := secret.Resolver{
		Environ: os.Environ(), Programs: clients.Programs, Stores: clients.Archive.Stores, Clusters: clients.Kube,
	}
	return service.New(service.Options{
		Registry: registry, Shipped: procedures.FS(), Now: time.Now, Version: version,
		StateDir: stateDir(), LookPath: exec.LookPath, Progress: progress,
		Secrets: secrets, Person: person, Sender: clients.Sender,
		Stores: clients.Archive.Stores, Clusters: clients.Kube,
		ReadExport: local.ReadExport,
		Probes:     service.Probes{HTTP: clients.HTTP, Programs: clients.Programs, Detach: detachProbe, Try: tryProbe},
		Engine: func(ctx context.Context, keyed func(string) (string, error)) (engine.Engine, error) {
			return newEngine(ctx, registry, secrets, keyed)
		},
	})
}

// detachProbe begins a process of this program that measures the probes of a run.
func detachProbe(run string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return watch.Detach(program, []string{"refit", "probe", run})
}

// tryProbe tells whether a process of this program can be begun.
func tryProbe(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return watch.TryDetach(ctx, program, []string{"refit", "version"})
}

// wrapping says what every action is wrapped in. Questions are repeated for a
// moment here; longer trouble is the core's business. Effects are never repeated.
func wrapping() wrap.Options {
	const (
		ask       = 5 * time.Minute
		tries     = 3
		first     = 200 * time.Millisecond
		most      = 2 * time.Second
		perTarget = 8
	)
	return wrap.Options{
		Ask: ask, Retry: wrap.Backoff{Attempts: tries, First: first, Most: most},
		Limiter: wrap.NewLimiter(perTarget, 0), LargeOutputs: true,
	}
}

// newEngine opens the engine that keeps and drives runs in the state folder.
func newEngine(
	ctx context.Context, registry *action.Registry, secrets secret.Resolver, keyed func(string) (string, error),
) (engine.Engine, error) {
	w, err := worker.New(worker.Options{
		Registry: registry, Secrets: func(dir string) action.Secrets { return secrets.In(dir) }, Now: time.Now,
		Keyed: keyed,
	})
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost" // It is for display only.
	}
	return local.Open(ctx, local.Options{
		Dir: stateDir(), Worker: w, Catalog: registry, Now: time.Now, Host: host, Form: version + " " + commit,
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
