//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/refitproject/refit/hack/bench-peers/internal/proc"
	"github.com/refitproject/refit/hack/bench-peers/internal/sheet"
)

// diskTime is how long the disk alone is measured.
const diskTime = 3 * time.Second

// measure does everything in one temporary folder, which is gone afterwards.
func measure(ctx context.Context, s settings, out io.Writer) error {
	dir, err := os.MkdirTemp("", "refit-bench-peers-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := proc.OnDisk(dir); err != nil {
		return err
	}
	before := load()
	var disk sheet.Disk
	if disk.Before, err = proc.SyncRate(dir, diskTime); err != nil {
		return err
	}
	var columns []sheet.Column
	progress("Refit")
	// Without Refit's figures the table is still worth something, but not the
	// exit code.
	refit, missing := measureRefit(ctx, s, dir)
	columns = append(columns, refit)
	for i, set := range setups() {
		progress(set.name)
		column, err := measureTemporal(ctx, s, filepath.Join(dir, fmt.Sprint("temporal-", i)), set)
		if err != nil {
			return fmt.Errorf("%s: %w", set.name, err)
		}
		columns = append(columns, column)
	}
	if disk.After, err = proc.SyncRate(dir, diskTime); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, load of the machine %s before and %s after\n%s\n\n", host(), before, load(), cases(s))
	return errors.Join(sheet.Write(out, columns, s.chains, disk), missing)
}

// progress goes to the error stream: the output is the table.
func progress(what string) { fmt.Fprintln(os.Stderr, "measuring", what) }

// host says when and where, so that a copied table explains itself.
func host() string {
	return fmt.Sprintf("%s, %s/%s, %d processors, %s", time.Now().UTC().Format(time.DateOnly),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}

// cases says how much the cases of Temporal do; those of Refit stand in its
// benchmarks.
func cases(s settings) string {
	return fmt.Sprintf("Temporal: one chain of %d steps, %d chains of %d steps; the fastest of %d rounds, Refit's too",
		s.steps, s.chains, s.chainSteps, s.rounds)
}

// load is the load of the machine over the last minute, as Linux counts it.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}
