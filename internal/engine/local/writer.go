package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/engine"
)

// row is one event as it is kept.
type row struct {
	seq  uint64
	data []byte
	hash []byte
}

// answer tells who asked for something what became of it.
type answer struct {
	n       int64
	refusal string
}

// entry is what one run wants to have written, all or nothing.
type entry struct {
	run   int64
	id    string
	epoch uint64
	// after is the number of the event that has to be the last one so far.
	after uint64
	rows  []row
	// last is the row of that event, unless another entry comes before, and once
	// the entry is written that of its own last event.
	last   int64
	status string
	next   string
	now    string
	// answers go with the events that they are about.
	answers    []answer
	checkpoint *checkpoint
	// work is done instead of all that: a transaction of its own within that of
	// the batch.
	work func(ctx context.Context, tx querier) error
	// before is the entry of the same run that was queued before this one.
	before *entry
	// told is called once the entry is durable; it may be nil.
	told func()
	// failed gets the error of an entry that could not be written, if there is
	// room; it may be nil.
	failed chan<- error
	// urgent tells that something waits for the entry to be durable.
	urgent bool
	// done is closed when err is set.
	done chan struct{}
	err  error
	// gone is closed when the writer has ended: an entry that it did not see any
	// more is never done.
	gone <-chan struct{}
}

// How the writer gathers what it writes.
const (
	// lazily is how long an entry may wait that nothing waits for: long enough
	// for the observation that follows it to share its sync.
	lazily = 2 * time.Millisecond
	// most is how many entries go into one transaction.
	most = 512
)

// writer appends for all runs of the process. It has one goroutine.
type writer struct {
	store *store
	queue chan *entry
	// quit ends the goroutine, gone tells that it has ended.
	quit, gone chan struct{}
	// conn is the writer's own; statements are prepared on it once.
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func newWriter(ctx context.Context, s *store) (*writer, error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, s.explain(err)
	}
	w := &writer{
		store: s, queue: make(chan *entry, most), quit: make(chan struct{}), gone: make(chan struct{}),
		conn: conn, statements: map[string]*sql.Stmt{},
	}
	go w.work() //nolint:contextcheck // It outlives who opened it, and ends with close.
	return w, nil
}

// close writes what is queued and ends.
func (w *writer) close() {
	close(w.quit)
	<-w.gone
	for _, st := range w.statements {
		_ = st.Close() // The database is closed next.
	}
	_ = w.conn.Close() // The same.
}

// write queues an entry. It is durable, or has failed, when done is closed.
func (w *writer) write(e *entry) {
	e.done, e.gone = make(chan struct{}), w.gone
	select {
	case w.queue <- e:
	case <-w.gone:
		e.err = errClosed
		close(e.done)
	}
}

// wait returns how writing the entry ended.
func (e *entry) wait() error {
	select {
	case <-e.done:
		return e.err
	case <-e.gone:
	}
	select {
	case <-e.done: // It was among the last that were written.
		return e.err
	default:
		return errClosed
	}
}

func (w *writer) work() {
	defer close(w.gone)
	for {
		select {
		case first := <-w.queue:
			w.commit(w.gather(first))
		case <-w.quit:
			for {
				select {
				case first := <-w.queue:
					w.commit(w.gather(first))
				default:
					return
				}
			}
		}
	}
}

// gather returns the entries that are written together.
func (w *writer) gather(first *entry) []*entry {
	batch, urgent := []*entry{first}, first.urgent
	var late <-chan time.Time
	if !urgent {
		timer := time.NewTimer(lazily)
		defer timer.Stop()
		late = timer.C
	}
	for len(batch) < most {
		select {
		case e := <-w.queue:
			batch = append(batch, e)
			urgent = urgent || e.urgent
			continue
		default:
		}
		if urgent {
			return batch
		}
		select {
		case e := <-w.queue:
			batch = append(batch, e)
			urgent = e.urgent
		case <-late:
			return batch
		case <-w.quit:
			return batch
		}
	}
	return batch
}

// commit writes a batch in one transaction. An entry whose owner is stale fails
// alone. When something cannot be written each entry is tried alone, as only one of
// them may be to blame; when the transaction cannot be committed all have failed.
func (w *writer) commit(batch []*entry) {
	ctx := context.Background() // The writer outlives everybody who could cancel it.
	together, err := w.transact(ctx, batch)
	alone := err != nil && !together && len(batch) > 1
	for i, e := range batch {
		if alone {
			e.err = nil
			_, err = w.transact(ctx, batch[i:i+1])
		}
		w.judge(e, err)
		if e.err == nil && e.told != nil {
			e.told()
		}
		close(e.done)
	}
}

// judge decides how writing an entry has ended. When the one before could not be
// written, that is why this one could not be either.
func (w *writer) judge(e *entry, err error) {
	if err != nil && e.err == nil {
		e.err = w.store.explain(err)
	}
	if e.err != nil && e.before != nil && e.before.err != nil {
		e.err = e.before.err
	}
	e.before = nil
	if e.err != nil && e.failed != nil {
		select {
		case e.failed <- e.err:
		default:
		}
	}
}

// transact writes a batch in one transaction. After an error together tells that
// no single entry is to blame: it could not be begun, or not be committed.
func (w *writer) transact(ctx context.Context, batch []*entry) (together bool, err error) {
	if _, err := w.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return true, fmt.Errorf("begin to write: %w", err)
	}
	if err = w.putAll(ctx, batch); err == nil {
		if _, err = w.exec(ctx, "COMMIT"); err == nil {
			return true, nil
		}
		together, err = true, fmt.Errorf("commit events: %w", err)
	}
	// A full disk has rolled back already; then there is nothing to roll back.
	_, _ = w.exec(ctx, "ROLLBACK")
	return together, err
}

func (w *writer) putAll(ctx context.Context, batch []*entry) error {
	// Rows are numbered by hand, from what other processes have left on.
	last := int64(-1)
	for _, e := range batch {
		if e.work != nil {
			if err := w.nested(ctx, e); err != nil {
				return err
			}
			last = -1
			continue
		}
		var err error
		if last < 0 {
			if last, err = lastEvent(ctx, w.conn); err != nil {
				return err
			}
		}
		if last, err = w.put(ctx, e, last); err != nil {
			return fmt.Errorf("write events of run %q: %w", e.id, err)
		}
	}
	return nil
}

// nested does some work that fails alone.
func (w *writer) nested(ctx context.Context, e *entry) error {
	if _, err := w.exec(ctx, "SAVEPOINT work"); err != nil {
		return err
	}
	if e.err = w.store.explain(e.work(ctx, w.conn)); e.err != nil {
		if _, err := w.exec(ctx, "ROLLBACK TO work"); err != nil {
			return errors.Join(e.err, err)
		}
	}
	_, err := w.exec(ctx, "RELEASE work")
	return err
}

// put writes one entry, its events behind the last row of all, and returns the
// last row then. The entry has failed when the run has another owner, or another
// last event, than it believes.
func (w *writer) put(ctx context.Context, e *entry, last int64) (int64, error) {
	seq, head, prev := e.after, []byte(nil), e.last
	if e.before != nil {
		prev = e.before.last
	}
	e.last = prev
	if n := len(e.rows); n > 0 {
		seq, head, e.last = e.rows[n-1].seq, e.rows[n-1].hash, last+int64(n)
	}
	res, err := w.exec(ctx, `UPDATE runs
		SET seq = ?, head = coalesce(?, head), last = ?, status = ?, next = ?, updated = ?
		WHERE n = ? AND epoch = ? AND seq = ?`,
		seq, head, e.last, e.status, e.next, e.now, e.run, e.epoch, e.after)
	if err != nil {
		return last, err
	}
	if changed, err := res.RowsAffected(); err != nil || changed != 1 {
		e.err = engine.ErrStaleOwner
		return last, err
	}
	last, err = appendEvents(e.run, prev, last, e.rows, func(query string, args ...any) error {
		_, err := w.exec(ctx, query, args...)
		return err
	})
	if err != nil {
		return last, err
	}
	for _, a := range e.answers {
		if _, err := w.exec(ctx, "UPDATE inbox SET answered = ?, refusal = ? WHERE n = ?",
			e.now, a.refusal, a.n); err != nil {
			return last, err
		}
	}
	if c := e.checkpoint; c != nil {
		if _, err := w.exec(ctx,
			"INSERT OR REPLACE INTO checkpoints (run, seq, head, form, state) VALUES (?, ?, ?, ?, ?)",
			e.run, c.seq, c.head, c.form, c.state); err != nil {
			return last, err
		}
	}
	return last, nil
}

// exec runs a statement that is prepared once.
func (w *writer) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st := w.statements[query]
	if st == nil {
		var err error
		if st, err = w.conn.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		w.statements[query] = st
	}
	return st.ExecContext(ctx, args...)
}
