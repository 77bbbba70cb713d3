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
	"strconv"
	"strings"
	"time"

	"github.com/refitproject/refit/hack/bench-peers/internal/proc"
	"github.com/refitproject/refit/hack/bench-peers/internal/sheet"
)

// The disk alone is measured so long, so many times.
const (
	diskTime  = 500 * time.Millisecond
	diskTimes = 6
)

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
	contenders := []contender{{"Refit", func(c *sheet.Column) error { return measureRefit(ctx, s, dir, c) }}}
	for i, set := range setups() {
		contenders = append(contenders, contender{set.name, func(c *sheet.Column) error {
			return measureTemporal(ctx, s, filepath.Join(dir, fmt.Sprint("temporal-", i)), set, c)
		}})
	}
	// A table without some figures is still worth something, but not exit code 0.
	var columns []sheet.Column
	var missing error
	for _, c := range contenders {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		progress(c.name)
		column := sheet.Column{Name: c.name, Load: load()}
		if column.Disk, err = proc.SyncRate(dir, diskTime, diskTimes); err != nil {
			return err
		}
		if err := c.measure(&column); err != nil {
			missing = errors.Join(missing, fmt.Errorf("%s: %w", c.name, err))
		}
		columns = append(columns, column)
	}
	fmt.Fprintf(out, "%s\n%s\n\n", host(), cases(s))
	return errors.Join(sheet.Write(out, columns, s.chains), missing)
}

// contender is one column, and what fills it.
type contender struct {
	name    string
	measure func(*sheet.Column) error
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

// load is the load of the machine over the last minute, as Linux counts it, or
// zero where nobody counts it.
func load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	minute, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseFloat(minute, 64)
	if err != nil {
		return 0
	}
	return n
}
