package local

import (
	"context"
	"database/sql"
	"encoding/json"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
)

const (
	// lookEvery is how often the inbox is looked at: what people ask for takes
	// effect within a second.
	lookEvery = 200 * time.Millisecond
	// progressEvery is how often progress is written for other processes.
	progressEvery = time.Second
)

// watcher wakes drivers when somebody asks for something, and keeps progress for
// those who look. It asks the database one cheap question, and only while a run
// is driven.
type watcher struct {
	e *Engine

	mu    sync.Mutex
	wake  map[int64]chan struct{}
	shown map[progressKey]action.Measured
	dirty bool
	stop  context.CancelFunc
	gone  chan struct{}
}

type progressKey struct {
	run     int64
	command string
}

func newWatcher(e *Engine) *watcher {
	w := &watcher{e: e, wake: map[int64]chan struct{}{}, shown: map[progressKey]action.Measured{}}
	return w
}

// add lets a driver be woken by the channel that comes back.
func (w *watcher) add(n int64) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{}, 1)
	w.wake[n] = c
	if w.stop == nil {
		// It looks for all that are driven, and ends with the last of them.
		ctx, stop := context.WithCancel(context.Background())
		w.stop, w.gone = stop, make(chan struct{})
		go w.look(ctx, w.gone)
	}
	return c
}

// remove ends what add began.
func (w *watcher) remove(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.wake, n)
	for key := range w.shown {
		if key.run == n {
			delete(w.shown, key)
		}
	}
	if len(w.wake) == 0 && w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

func (w *watcher) close() {
	w.mu.Lock()
	gone := w.gone
	if w.stop != nil {
		w.stop()
	}
	w.mu.Unlock()
	if gone != nil {
		<-gone
	}
}

// look asks whether the database has changed, and if so who asks for something.
func (w *watcher) look(ctx context.Context, gone chan struct{}) {
	defer close(gone)
	conn, err := w.e.store.read.Conn(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }() // It was only read from.
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var version int64
	written := w.e.o.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var now int64
		if conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&now) == nil && now != version {
			version = now
			w.wakeAsked(ctx, conn)
		}
		if at := w.e.o.Now(); at.Sub(written) >= progressEvery {
			written = at
			w.writeProgress()
		}
	}
}

func (w *watcher) wakeAsked(ctx context.Context, conn *sql.Conn) {
	rows, err := conn.QueryContext(ctx, "SELECT DISTINCT run FROM inbox WHERE answered = ''")
	if err != nil {
		return // It is asked again.
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	for rows.Next() {
		var n int64
		if rows.Scan(&n) != nil {
			return
		}
		w.mu.Lock()
		if c := w.wake[n]; c != nil {
			select {
			case c <- struct{}{}:
			default:
			}
		}
		w.mu.Unlock()
	}
	_ = rows.Err() // It is asked again.
}

// progress remembers how far a command has come and tells it to who drives.
func (w *watcher) progress(n int64, id, command string, p action.Progress, on func(string, string, action.Progress)) {
	now, key := w.e.o.Now(), progressKey{n, command}
	w.mu.Lock()
	w.shown[key] = w.shown[key].Measure(p, now)
	w.dirty = true
	w.mu.Unlock()
	if on != nil {
		on(id, command, p)
	}
}

// writeProgress writes what changed for other processes. It is for display: what
// cannot be written is left out.
func (w *watcher) writeProgress() {
	w.mu.Lock()
	if !w.dirty {
		w.mu.Unlock()
		return
	}
	w.dirty = false
	list := make(map[progressKey][]byte, len(w.shown))
	for key, p := range w.shown {
		if data, err := json.Marshal(p); err == nil {
			list[key] = data
		}
	}
	w.mu.Unlock()
	_ = w.e.inTransaction(func(ctx context.Context, tx querier) error {
		for key, data := range list {
			_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO progress (run, command, data) VALUES (?, ?, ?)",
				key.run, key.command, data)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
