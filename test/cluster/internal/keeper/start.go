package keeper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refitproject/refit/test/cluster/internal/place"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// Command is the hidden command of the program that calls Run.
const Command = "keeper"

// Started is a keeper that waits for its word to begin.
type Started struct {
	Identity proc.Identity
	word     *os.File
	ended    chan error
}

// Start starts a keeper with the plan in the file name, of the program self, and
// returns when its record is written. The keeper outlives this process once Go
// was called, and ends by itself if this process ends before.
func Start(ctx context.Context, self, name string, plan Plan) (*Started, error) {
	if err := place.WriteJSON(name, plan); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(plan.Logs, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of logs: %w", err)
	}
	log, err := os.OpenFile(plan.Logs+"/"+Command+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of the keeper: %w", err)
	}
	defer log.Close() //nolint:errcheck // The keeper has its own.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the keeper: %w", err)
	}
	defer read.Close() //nolint:errcheck // The keeper has its own.
	// Not exec.CommandContext: it outlives this process.
	cmd := exec.Command(self, Command, name) //nolint:noctx // See above.
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir = read, log, log, "/"
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if plan.Node != nil {
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS |
			unix.CLONE_NEWIPC
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the keeper: %w", err), write.Close())
	}
	s := &Started{word: write, ended: make(chan error, 1)}
	go func() { s.ended <- cmd.Wait() }()
	if err := s.awaitRecord(ctx, plan.Record); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return s, nil
}

func (s *Started) awaitRecord(ctx context.Context, name string) error {
	for {
		err := place.ReadJSON(name, &s.Identity)
		if err == nil {
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case err := <-s.ended:
			return fmt.Errorf("the keeper ended before it began: %w: see its log", err)
		case <-ctx.Done():
			return fmt.Errorf("wait for the keeper: %w", context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Go gives the keeper its word to begin.
func (s *Started) Go() error {
	_, err := s.word.Write([]byte{1})
	if err = errors.Join(err, s.word.Close()); err != nil {
		return fmt.Errorf("give the keeper its word: %w", err)
	}
	return nil
}
