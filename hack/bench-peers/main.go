//go:build linux

// Command bench-peers runs the same chains of steps that do nothing on Refit's
// embedded engine and on a Temporal dev server, one after the other on the same
// disk, and prints one table. What may be compared and what may not stands in
// docs/explanation/performance.md.
//
//	bench-peers -root DIR -temporal PROGRAM [-steps 200] [-chains 64] [-chain-steps 5] [-rounds 3]
//	bench-peers worker ADDRESS     the Temporal worker, which the first form starts
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/refitproject/refit/hack/bench-peers/internal/chains"
)

func main() {
	// The kernel ends the children of a thread with it; see proc.Start.
	runtime.LockOSThread()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-peers:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		return chains.Work(os.Args[2])
	}
	var s settings
	flag.StringVar(&s.root, "root", ".", "folder of the main module")
	flag.StringVar(&s.temporal, "temporal", "", "the Temporal command line program, with its dev server")
	flag.IntVar(&s.steps, "steps", 200, "steps of one chain alone")
	flag.IntVar(&s.chains, "chains", 64, "chains at the same time")
	flag.IntVar(&s.chainSteps, "chain-steps", 5, "steps of each of these")
	flag.IntVar(&s.rounds, "rounds", 3, "rounds of each case; the fastest counts")
	flag.Parse()
	if err := s.check(flag.Args()); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := measure(ctx, s, os.Stdout)
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted; everything that was started is stopped")
	}
	return err
}

type settings struct {
	root, temporal                    string
	steps, chains, chainSteps, rounds int
}

func (s settings) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unknown argument %q: see -help", rest[0])
	}
	if s.temporal == "" {
		return errors.New("-temporal is missing: run make bench-peers, which builds that program")
	}
	if s.steps < 2 || s.chainSteps < 2 || s.chains < 1 || s.rounds < 1 {
		return errors.New("-steps and -chain-steps must be at least 2, -chains and -rounds at least 1")
	}
	return nil
}
