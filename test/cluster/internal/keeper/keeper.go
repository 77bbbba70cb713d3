package keeper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refitproject/refit/test/cluster/internal/place"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// keeper is what Run works on. Everything happens in one goroutine: a child dies
// with the thread that started it.
type keeper struct {
	plan   Plan
	states []State
	// stops end the watching of a component that has ended.
	stops []chan struct{}
	ready chan event
}

// event is what a probe found out.
type event struct {
	index int
	ready bool
}

// Run reads a plan and keeps its components until the process ends. It first
// writes its record and waits for one byte from in, so that whoever started it
// knows of it before there is anything to clean up: if in ends first, Run
// returns and has done nothing.
func Run(name string, in io.Reader) error {
	runtime.LockOSThread()
	var k keeper
	if err := place.ReadJSON(name, &k.plan); err != nil {
		return err
	}
	self, err := proc.Self()
	if err != nil {
		return err
	}
	if err := place.WriteJSON(k.plan.Record, self); err != nil {
		return err
	}
	if _, err := in.Read(make([]byte, 1)); err != nil {
		return nil //nolint:nilerr // Nobody is there any more.
	}
	if k.plan.Node != nil {
		if err := k.plan.Node.Enter(); err != nil {
			return err
		}
	}
	return k.run()
}

func (k *keeper) run() error {
	k.ready = make(chan event)
	k.stops = make([]chan struct{}, len(k.plan.Components))
	for _, c := range k.plan.Components {
		k.states = append(k.states, State{Name: c.Name, Since: time.Now()})
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCHLD, unix.SIGTERM, unix.SIGINT)
	for {
		k.startAll()
		if err := place.WriteJSON(k.plan.States, k.states); err != nil {
			return err
		}
		select {
		case e := <-k.ready:
			k.states[e.index].Ready, k.states[e.index].Since = e.ready, time.Now()
		case s := <-signals:
			if s != unix.SIGCHLD {
				return nil
			}
			k.reap()
		}
	}
}

// startAll starts every component that waits for nothing any more.
func (k *keeper) startAll() {
	for i, c := range k.plan.Components {
		if k.states[i].Process.PID != 0 || k.states[i].Exit != "" || !k.free(c) {
			continue
		}
		if err := k.start(i, c); err != nil {
			k.states[i].Exit, k.states[i].Since = err.Error(), time.Now()
		}
	}
}

// free tells whether everything that c comes after is ready.
func (k *keeper) free(c Component) bool {
	for _, name := range c.After {
		for _, s := range k.states {
			if s.Name == name && !s.Ready {
				return false
			}
		}
	}
	return true
}

func (k *keeper) start(i int, c Component) error {
	check, err := c.Ready.check()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(k.plan.Logs, c.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer log.Close() //nolint:errcheck // The child has its own.
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer null.Close() //nolint:errcheck // Nothing is written.
	env := append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, c.Env...)
	process, err := os.StartProcess(c.Path, append([]string{c.Path}, c.Args...), &os.ProcAttr{
		Dir: k.plan.Logs, Env: env, Files: []*os.File{null, log, log},
		Sys: &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL},
	})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	id, err := proc.Of(process.Pid)
	if err != nil {
		id = proc.Identity{PID: process.Pid} // It has ended already; reap says how.
	}
	k.states[i].Process = id
	// reap collects it, together with what nobody else collects.
	if err := process.Release(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	stop := make(chan struct{})
	k.stops[i] = stop
	go watch(check, func(ready bool) {
		select {
		case k.ready <- event{i, ready}:
		case <-stop:
		}
	}, stop)
	return nil
}

// reap collects every child that has ended, also those that were left to the
// first process of the namespace.
func (k *keeper) reap() {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		for i := range k.states {
			if k.states[i].Process.PID == pid && k.states[i].Exit == "" {
				close(k.stops[i])
				k.states[i].Ready, k.states[i].Exit, k.states[i].Since = false, describe(status), time.Now()
			}
		}
	}
}

func describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "ended by signal " + unix.SignalName(status.Signal())
	}
	return fmt.Sprintf("ended with exit code %d", status.ExitStatus())
}
