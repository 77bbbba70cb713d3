package keeper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refitproject/refit/test/cluster/internal/place"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// Stop ends the keeper that a record names and waits until it and everything
// that hangs on it has gone. A record of an earlier boot or of another process
// is a keeper that has ended already.
func Stop(ctx context.Context, record, states string) error {
	var ids []proc.Identity
	var id proc.Identity
	switch err := place.ReadJSON(record, &id); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	ids = append(ids, id)
	var all []State
	if err := place.ReadJSON(states, &all); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, s := range all {
		// With a namespace these are numbers inside of it, whose start and boot
		// fit no process outside; Alive sees the difference.
		ids = append(ids, s.Process)
	}
	for _, id := range ids {
		if err := end(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func end(ctx context.Context, id proc.Identity) error {
	for sent := false; id.Alive(); {
		if !sent {
			if err := unix.Kill(id.PID, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("end process %d: %w", id.PID, err)
			}
			sent = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of process %d: %w", id.PID, context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}
