package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// patience is how long a child may take to stop before it is killed.
const patience = 15 * time.Second

// Child is a process that was started here. It runs in a process group of its
// own, so that Ctrl-C reaches us alone and we stop it in order.
type Child struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts a program with its output in the file log. The kernel ends it if
// the thread that called Start ends: lock the goroutine to its thread before.
func Start(name, log, dir string, env []string, program string, args ...string) (*Child, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer out.Close() // The child has its own.
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &Child{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// PID is the id of the process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done is closed when the process has ended, by itself or by Stop.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err says why a process that ended by itself did, with the end of its log.
func (c *Child) Err() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	text, _ := os.ReadFile(c.log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("%s ended (%w): %s", c.name, errors.Join(c.err, errEnded), lines[len(lines)-1])
}

var errEnded = errors.New("too early")

// Signal sends a signal to the process.
func (c *Child) Signal(sig os.Signal) error { return c.cmd.Process.Signal(sig) }

// Stop asks the process to end, kills it if it does not, and returns when it is
// gone. Stopping twice is harmless.
func (c *Child) Stop() {
	// An error means that it has ended already, which Done tells.
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}
