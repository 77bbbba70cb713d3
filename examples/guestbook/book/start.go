package book

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// waitFor is how long a start or a stop may take, lookEvery the time between two looks.
const (
	waitFor   = 10 * time.Second
	lookEvery = 10 * time.Millisecond
)

// start starts a server that outlives this process, and waits until it answers.
func (r Release) start(ctx context.Context, f folder, out io.Writer) error {
	by, err := f.owner()
	switch {
	case err != nil:
		return err
	case by != nil && by.Version == r.Version:
		sayf(out, "release %s is running already at http://%s", by.Version, by.Address)
		return nil
	case by != nil:
		return fmt.Errorf("release %s is running: stop it first", by.Version)
	}
	child, err := r.detach(f)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = child.Wait() // How it ended stands in its log.
	}()
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	for {
		by, err := f.owner()
		if err != nil {
			return err
		}
		if by != nil && by.PID == child.Pid && (client{by.Address}).get(ctx, "/health", nil) == nil {
			sayf(out, "release %s is running at http://%s", by.Version, by.Address)
			return nil
		}
		select {
		case <-ended:
			return errors.New(lastLine(f.file(logName)))
		case <-ctx.Done():
			err := fmt.Errorf("release %s does not answer: see %s", r.Version, logName)
			return errors.Join(err, terminate(child.Pid))
		case <-time.After(lookEvery):
		}
	}
}

const logName = "guestbook.log"

// detach starts the server in a session of its own. Of the environment it has what
// every program needs, as a service of a system has.
func (r Release) detach(f folder) (p *os.Process, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }() // It was only read from.
	log, err := os.OpenFile(f.file(logName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	dir, err := filepath.Abs(string(f))
	if err != nil {
		return nil, err
	}
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return os.StartProcess(program, []string{program, "serve", "--dir", dir}, &os.ProcAttr{
		Env: env, Files: []*os.File{null, log, log}, Sys: detached(),
	})
}

// lastLine returns the last line of a file, without the name of the program.
func lastLine(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], prefix)
}

// stop ends the server of a folder, whatever its release, and waits until it has
// ended.
func stop(ctx context.Context, f folder, out io.Writer) error {
	by, err := f.owner()
	if err != nil {
		return err
	}
	if by == nil {
		sayf(out, "nobody serves the guestbook")
		return nil
	}
	if by.PID <= 0 {
		return errors.New("somebody begins to serve the guestbook just now: try again")
	}
	if err := terminate(by.PID); err != nil {
		return fmt.Errorf("stop process %d: %w", by.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	for {
		now, err := f.owner()
		if err != nil {
			return err
		}
		if now == nil {
			sayf(out, "release %s has ended", by.Version)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d was asked to end and goes on: see %s", by.PID, logName)
		case <-time.After(lookEvery):
		}
	}
}
