//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/refitproject/refit/hack/bench-peers/internal/chains"
	"github.com/refitproject/refit/hack/bench-peers/internal/proc"
	"github.com/refitproject/refit/hack/bench-peers/internal/sheet"
)

// setup is one way to run the dev server.
type setup struct {
	name string
	args []string
	// journal is how the database must turn out to be written then.
	journal proc.Journal
}

// setups gives both ways: without any setting SQLite syncs fully, with a rollback
// journal; the write-ahead log syncs less often for the same promise.
func setups() []setup {
	return []setup{
		{name: "Temporal as shipped", journal: proc.RollbackJournal},
		{
			name:    "Temporal WAL FULL",
			args:    []string{"--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=FULL"},
			journal: proc.WriteAheadLog,
		},
	}
}

// measureTemporal starts a server and a worker, measures, and stops both.
func measureTemporal(ctx context.Context, s settings, dir string, set setup, column *sheet.Column) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	port, err := proc.FreePort()
	if err != nil {
		return err
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	database := filepath.Join(dir, "temporal.db")
	args := append([]string{
		"server", "start-dev", "--headless", "--ip", "127.0.0.1",
		"--port", strconv.Itoa(port), "--db-filename", database,
	}, set.args...)
	// Its home is the folder too: no settings of the person, and nothing left.
	env := []string{"HOME=" + dir, "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH")}
	server, err := proc.Start("the Temporal server", filepath.Join(dir, "server.log"), dir, env, s.temporal, args...)
	if err != nil {
		return err
	}
	defer server.Stop()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	load, err := chains.Connect(ctx, address, server.Done())
	if err != nil {
		return errors.Join(err, server.Err())
	}
	defer load.Close()
	worker, err := proc.Start("the worker", filepath.Join(dir, "worker.log"), dir, env, self, "worker", address)
	if err != nil {
		return err
	}
	defer worker.Stop()

	if err := runCases(ctx, s, load, column); err != nil {
		return errors.Join(err, server.Err(), worker.Err())
	}
	if column.ServerBytes, err = proc.MostMemory(server.PID()); err != nil {
		return err
	}
	if column.WorkerBytes, err = proc.MostMemory(worker.PID()); err != nil {
		return err
	}
	if column.Syncs, err = temporalSyncs(ctx, dir, server.PID(), load); err != nil {
		return err
	}
	return proc.CheckJournal(database, set.journal)
}

// runCases warms up, and then runs each case some rounds.
func runCases(ctx context.Context, s settings, load *chains.Load, column *sheet.Column) error {
	cases := []struct {
		into   *sheet.Rate
		chains int
		in     chains.Input
	}{
		{&column.Chain, 1, chains.Input{Steps: s.steps}},
		{&column.Parallel, s.chains, chains.Input{Steps: s.chainSteps}},
		{&column.LocalChain, 1, chains.Input{Steps: s.steps, Local: true}},
		{&column.LocalParallel, s.chains, chains.Input{Steps: s.chainSteps, Local: true}},
	}
	for _, c := range cases {
		warm := chains.Input{Steps: 2, Local: c.in.Local}
		if _, err := runRounds(ctx, 1, func() (sheet.Rate, error) { return load.Run(ctx, c.chains, warm) }); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
		rate, err := runRounds(ctx, s.rounds, func() (sheet.Rate, error) { return load.Run(ctx, c.chains, c.in) })
		if err != nil {
			return err
		}
		*c.into = rate
	}
	return nil
}

// spareRounds is how many rounds of a case may fail. The server answers that its
// namespace is not there, or loses a step, if the machine has too much to do.
const spareRounds = 3

// runRounds runs a case until so many rounds went well, and gives the fastest.
func runRounds(ctx context.Context, want int, round func() (sheet.Rate, error)) (sheet.Rate, error) {
	var rounds []sheet.Rate
	for failed := 0; len(rounds) < want; {
		rate, err := round()
		if err == nil {
			rounds = append(rounds, rate)
			continue
		}
		if failed++; failed > spareRounds || ctx.Err() != nil {
			return sheet.Rate{}, err
		}
		fmt.Fprintln(os.Stderr, "a round that is repeated:", err)
	}
	return sheet.Fastest(rounds), nil
}

// temporalSyncs counts the syncs of the server during one chain.
func temporalSyncs(ctx context.Context, dir string, server int, load *chains.Load) (float64, error) {
	const steps = 100
	syncs, err := proc.CountSyncs(ctx, dir, dir, server, func(ctx context.Context) error {
		_, err := load.Run(ctx, 1, chains.Input{Steps: steps})
		return err
	})
	if errors.Is(err, proc.ErrNoTracer) {
		return 0, nil // Shown as not measured.
	}
	if err != nil {
		return 0, fmt.Errorf("count syncs: %w", err)
	}
	return float64(syncs) / steps, nil
}
