package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrNoTracer says that syncs cannot be counted on this machine.
var ErrNoTracer = errors.New("strace is not installed")

// traceArgs makes strace follow all threads and write each sync with the path of
// its file to out.
func traceArgs(out string) []string {
	return []string{"-f", "-y", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o", out}
}

// CountSyncs counts how often a running process makes the disk sync a file or
// folder whose path contains some text, while work goes on. The process is slow
// meanwhile: do not time it. The trace is written to dir.
func CountSyncs(
	ctx context.Context, dir, path string, pid int, work func(context.Context) error,
) (int, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return 0, ErrNoTracer
	}
	out := filepath.Join(dir, "syncs")
	log := filepath.Join(dir, "strace.log")
	child, err := Start("strace", log, dir, os.Environ(), strace, append(traceArgs(out), "-p", strconv.Itoa(pid))...)
	if err != nil {
		return 0, err
	}
	defer child.Stop()
	if err := untilTraced(ctx, child, pid); err != nil {
		return 0, err
	}
	if err := work(ctx); err != nil {
		return 0, err
	}
	// When it is interrupted it writes the rest; the process goes on. It has
	// ended by itself where the process has.
	if err := child.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, fmt.Errorf("end strace: %w", err)
	}
	<-child.Done()
	return readSyncs(out, path)
}

// untilTraced waits until the kernel says that somebody traces the process.
func untilTraced(ctx context.Context, tracer *Child, pid int) error {
	want := fmt.Sprintf("TracerPid:\t%d\n", tracer.PID())
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return fmt.Errorf("trace a process: %w", err)
		}
		if strings.Contains(string(text), want) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tracer.Done():
			return tracer.Err()
		case <-tick.C:
		}
	}
}

// RunCountingSyncs runs a program to its end and counts its syncs, as CountSyncs
// does. It gives what the program printed, too.
func RunCountingSyncs(
	ctx context.Context, dir, path string, cmd *exec.Cmd,
) (output []byte, syncs int, err error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return nil, 0, ErrNoTracer
	}
	out := filepath.Join(dir, "syncs")
	args := append(traceArgs(out), cmd.Path)
	tracer := exec.CommandContext(ctx, strace, append(args, cmd.Args[1:]...)...)
	tracer.Dir, tracer.Env, tracer.SysProcAttr = cmd.Dir, cmd.Env, cmd.SysProcAttr
	output, err = tracer.CombinedOutput()
	if err != nil {
		return nil, 0, fmt.Errorf("trace %s: %w: %s", filepath.Base(cmd.Path), err, output)
	}
	syncs, err = readSyncs(out, path)
	return output, syncs, err
}

func readSyncs(file, path string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read what strace wrote: %w", err)
	}
	return parseSyncs(string(text), path), nil
}

// parseSyncs counts the calls in a trace that name a path. A call that another
// thread interrupted has two lines, of which only the first has the path.
func parseSyncs(trace, path string) int {
	calls := 0
	for line := range strings.Lines(trace) {
		_, args, ok := strings.Cut(line, "sync(")
		if ok && strings.Contains(args, path) {
			calls++
		}
	}
	return calls
}
