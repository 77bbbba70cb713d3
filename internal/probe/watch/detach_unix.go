//go:build unix

package watch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/refitproject/refit/internal/action"
)

// Detach starts a program that outlives this one, in a session of its own, so that
// neither an interrupt nor the end of the terminal reaches it. It carries no key of
// a step: it belongs to the run.
func Detach(program string, args []string) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("start the probes: %w", err)
	}
	defer func() { _ = null.Close() }() // The child has its own.
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, action.KeyVariable+"=")
	})
	p, err := os.StartProcess(program, args, &os.ProcAttr{
		Env: env, Files: []*os.File{null, null, null}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("start the probes: %w", err)
	}
	go func() { _, _ = p.Wait() }() // It would stay as a zombie while this process lives.
	return nil
}

// TryDetach tells whether Detach can start the program: it starts it with arguments
// that make it end soon and well, and waits for that.
func TryDetach(ctx context.Context, program string, args []string) error {
	cmd := exec.CommandContext(ctx, program)
	cmd.Args = args
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	return nil
}
