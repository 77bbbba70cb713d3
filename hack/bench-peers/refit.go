//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/refitproject/refit/hack/bench-peers/internal/proc"
	"github.com/refitproject/refit/hack/bench-peers/internal/sheet"
)

// The benchmarks of Refit's embedded engine.
const (
	refitPackage  = "./internal/engine/local"
	refitChain    = "BenchmarkChain"
	refitParallel = "BenchmarkParallel"
	// refitState is in the path of the engine's files. The benchmarks also
	// measure the bare database driver, in other files.
	refitState = "/state"
)

// measureRefit builds the test program of the embedded engine and runs its
// benchmarks in the folder where Temporal will write, too.
func measureRefit(ctx context.Context, s settings, dir string, column *sheet.Column) error {
	program := filepath.Join(dir, "local.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, refitPackage)
	build.Dir = s.root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("not there yet: go test -c %s: %w\n%s", refitPackage, err, out)
	}
	cmd := refitCommand(ctx, s, dir, program, "^("+refitChain+"|"+refitParallel+")$", "1s", s.rounds)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("benchmarks of %s: %w\n%s", refitPackage, err, out)
	}
	results, err := sheet.ParseGoBench(bytes.NewReader(out))
	if err != nil {
		return fmt.Errorf("%w", err)
	}
	if column.Chain, err = sheet.RateOf(results, refitChain); err != nil {
		return fmt.Errorf("not there yet: %w", err)
	}
	if column.Parallel, err = sheet.RateOf(results, refitParallel); err != nil {
		return fmt.Errorf("not there yet: %w", err)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		column.WorkerBytes = usage.Maxrss * 1024
	}
	column.Syncs, err = refitSyncs(ctx, s, dir, program)
	return err
}

// refitCommand runs in the folder of the package, as go test does, with its
// temporary files in dir.
func refitCommand(ctx context.Context, s settings, dir, program, bench, time string, count int) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, "-test.run", "^$", "-test.bench", bench,
		"-test.benchtime", time, "-test.count", strconv.Itoa(count))
	cmd.Dir = filepath.Join(s.root, refitPackage)
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// refitSyncs counts the syncs of one and of three iterations: what lies between
// them is the steps alone, without opening and closing the database.
func refitSyncs(ctx context.Context, s settings, dir, program string) (float64, error) {
	var syncs, steps [2]float64
	for i, iterations := range []string{"1x", "3x"} {
		cmd := refitCommand(ctx, s, dir, program, "^"+refitChain+"$", iterations, 1)
		out, n, err := proc.RunCountingSyncs(ctx, dir, refitState, cmd)
		if errors.Is(err, proc.ErrNoTracer) {
			return 0, nil // Shown as not measured.
		}
		if err != nil {
			return 0, fmt.Errorf("count syncs: %w", err)
		}
		results, err := sheet.ParseGoBench(bytes.NewReader(out))
		if err != nil {
			return 0, fmt.Errorf("count syncs: %w", err)
		}
		if len(results[refitChain]) != 1 {
			return 0, fmt.Errorf("count syncs: %s did not run", refitChain)
		}
		syncs[i], steps[i] = float64(n), results[refitChain][0].Steps()
	}
	if steps[1] <= steps[0] || syncs[1] <= syncs[0] {
		return 0, fmt.Errorf("count syncs: %s does %.0f steps with %.0f syncs of %s once, %.0f with %.0f thrice",
			refitChain, steps[0], syncs[0], refitState, steps[1], syncs[1])
	}
	return (syncs[1] - syncs[0]) / (steps[1] - steps[0]), nil
}
