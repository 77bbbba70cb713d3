// Command driver drives one run, wired as refit itself is: the local engine, the
// worker, all actions. It is the process that the crash test kills. The variable
// REFIT_CRASH_AT ("afterCommand:7") lets it kill itself at a moment of its life.
//
//	driver STATE PLAN DIR ID LINGER
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	_ "time/tzdata" // as in refit

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/engine/worker"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/secret"
)

// Exit codes.
const (
	exitFailed = 1
	exitOwned  = 10
	exitUsage  = 64
)

const killVariable = "REFIT_CRASH_AT"

func main() {
	const wanted = 6
	if len(os.Args) != wanted {
		_, _ = fmt.Fprintln(os.Stderr, "driver STATE PLAN DIR ID LINGER")
		os.Exit(exitUsage)
	}
	err := drive(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	if err == nil {
		return
	}
	_, _ = fmt.Fprintln(os.Stderr, "driver:", err)
	if _, owned := errors.AsType[*engine.OwnedError](err); owned {
		os.Exit(exitOwned)
	}
	os.Exit(exitFailed)
}

func drive(ctx context.Context, state, file, dir, id, lingers string) error {
	linger, err := time.ParseDuration(lingers)
	if err != nil {
		return err
	}
	e, err := open(ctx, state)
	if err != nil {
		return err
	}
	if _, err := e.Load(ctx, id); errors.Is(err, engine.ErrNotFound) {
		if err := create(ctx, e, file, dir, id); err != nil {
			return errors.Join(err, e.Close())
		}
	}
	out, err := e.Drive(ctx, engine.DriveOptions{Runs: []string{id}, Linger: linger, By: "driver"})
	if err == nil {
		err = out[0].Err
	}
	if err != nil {
		return errors.Join(err, e.Close())
	}
	if err := json.NewEncoder(os.Stdout).Encode(out[0].Status); err != nil {
		return errors.Join(err, e.Close())
	}
	return e.Close()
}

// open wires the engine as refit does.
func open(ctx context.Context, state string) (*local.Engine, error) {
	environ := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, killVariable+"=") })
	environ = append(environ, action.StateVariable+"="+state)
	clients := all.NewClients(environ)
	registry, err := all.NewRegistry(clients)
	if err != nil {
		return nil, err
	}
	w, err := worker.New(worker.Options{
		Registry: registry, Now: time.Now,
		Secrets: func(dir string) action.Secrets {
			return secret.Resolver{
				Environ: environ, Programs: clients.Programs, Stores: clients.Archive.Stores, Dir: dir,
			}
		},
		Keyed: func(text string) (string, error) {
			return "", fmt.Errorf("no plan of this test has secrets, got %d bytes", len(text))
		},
	})
	if err != nil {
		return nil, err
	}
	killed, err := killer(os.Getenv(killVariable))
	if err != nil {
		return nil, err
	}
	return local.Open(ctx, local.Options{
		Dir: state, Worker: w, Catalog: registry, Now: time.Now, Host: "here", Form: "crash", Reached: killed,
	})
}

func create(ctx context.Context, e *local.Engine, file, dir, id string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	p, err := plan.Read(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	const parallel = 4
	_, err = e.Create(ctx, engine.NewRun{ID: id, Plan: p, Parallel: parallel, Dir: dir, By: "driver"})
	if errors.Is(err, engine.ErrExists) {
		return nil // Another driver was faster.
	}
	return err
}

// killer returns what kills this process when a moment comes for the nth time;
// nothing does without one.
func killer(at string) (func(local.Moment, string, string), error) {
	if at == "" {
		return nil, nil //nolint:nilnil // The engine takes nil for nobody.
	}
	moment, number, _ := strings.Cut(at, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read %s=%q: %w", killVariable, at, err)
	}
	var reached atomic.Int64
	return func(m local.Moment, _, _ string) {
		if string(m) == moment && reached.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // Nothing more is done until the signal comes.
		}
	}, nil
}
