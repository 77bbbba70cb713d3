//go:build unix

package watch

import (
	"fmt"
	"os"
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
