package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/filelock"
)

// hold is the right to drive a run, until it is given back or the process ends.
type hold struct {
	e     *Engine
	row   *runRow
	epoch uint64
	lock  *filelock.Lock
}

// acquire takes a run over. The error is an *engine.OwnedError when another
// process drives it after patience, and engine.ErrMoved when it is not driven
// here.
func (e *Engine) acquire(ctx context.Context, id, by string, patience time.Duration) (*hold, error) {
	r, err := e.store.find(ctx, e.store.read, id)
	if err != nil {
		return nil, err
	}
	if r.moved != "" {
		return nil, fmt.Errorf("run %q %s: %w", id, r.moved, engine.ErrMoved)
	}
	lock, err := e.lock(ctx, r.n, patience)
	if err != nil {
		return nil, e.store.explain(err)
	}
	if lock == nil {
		owned := &engine.OwnedError{ID: id}
		if info := r.info(e.alive); info.Owner != nil {
			owned.Owner = *info.Owner
		}
		return nil, owned
	}
	h := &hold{e: e, lock: lock}
	if err := h.announce(id, by); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return h, nil
}

// lock takes the lock file of a run; nil when another holds it for longer than
// patience. Somebody who asks for something holds it for some milliseconds.
func (e *Engine) lock(ctx context.Context, n int64, patience time.Duration) (*filelock.Lock, error) {
	name := filepath.Join(e.o.Dir, "locks", strconv.FormatInt(n, 10)+".lock")
	const pause = 20 * time.Millisecond
	for ; ; patience -= pause {
		f, err := filelock.Try(name)
		if f != nil || err != nil || patience <= 0 {
			return f, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// announce gives the owner a higher epoch and reads the row as it is now: the
// one from before the lock may be old.
func (h *hold) announce(id, by string) error {
	me, err := json.Marshal(h.e.me(by))
	if err != nil {
		return fmt.Errorf("take over run %q: %w", id, err)
	}
	return h.e.inTransaction(func(ctx context.Context, tx querier) error {
		if _, err := tx.ExecContext(ctx, "UPDATE runs SET epoch = epoch + 1, owner = ? WHERE id = ?",
			string(me), id); err != nil {
			return err
		}
		h.row = &runRow{}
		now := tx.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id)
		if err := h.row.scan(now.Scan); err != nil {
			return err
		}
		h.epoch = h.row.epoch
		return nil
	})
}

// giveBack lets others drive the run. It works also when the context has ended.
func (h *hold) giveBack() {
	// For display only: whoever asks looks for the process too.
	_ = h.e.inTransaction(func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, "UPDATE runs SET owner = '' WHERE n = ? AND epoch = ?", h.row.n, h.epoch)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM progress WHERE run = ?", h.row.n)
		}
		return err
	})
	_ = h.lock.Close() // The kernel gives the lock back with it.
}
