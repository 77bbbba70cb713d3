package local

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// reader is a handle or a transaction that is read from.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// querier is a transaction.
type querier interface {
	reader
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// runRow is the row of a run.
type runRow struct {
	n                    int64
	id, platform, digest string
	created, updated     string
	by, dir, status      string
	seq                  uint64
	head                 []byte
	// last is the row of the last event.
	last               int64
	next, moved, owner string
	epoch              uint64
}

const runColumns = "n, id, platform, digest, created, updated, started_by, dir, status, seq, head, last, next, " +
	"moved, owner, epoch"

func (r *runRow) scan(scan func(...any) error) error {
	return scan(&r.n, &r.id, &r.platform, &r.digest, &r.created, &r.updated, &r.by, &r.dir, &r.status, &r.seq, &r.head,
		&r.last, &r.next, &r.moved, &r.owner, &r.epoch)
}

// find reads the row of a run; without one the error is engine.ErrNotFound.
func (s *store) find(ctx context.Context, q reader, id string) (*runRow, error) {
	r := &runRow{}
	err := r.scan(q.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("run %q: %w", id, engine.ErrNotFound)
	}
	return r, s.explain(err)
}

// all reads the rows of all runs, the newest first.
func (s *store) all(ctx context.Context) ([]*runRow, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+runColumns+" FROM runs ORDER BY n DESC")
	if err != nil {
		return nil, s.explain(err)
	}
	return s.scanAll(rows)
}

// scanAll reads rows of runs.
func (s *store) scanAll(rows *sql.Rows) ([]*runRow, error) {
	defer func() { _ = rows.Close() }() // It was only read from.
	var list []*runRow
	for rows.Next() {
		r := &runRow{}
		if err := r.scan(rows.Scan); err != nil {
			return nil, s.explain(err)
		}
		list = append(list, r)
	}
	return list, s.explain(rows.Err())
}

// info returns what people are told of a run. alive tells whether a process
// still runs.
func (r *runRow) info(alive func(engine.Owner, string) bool) engine.Info {
	i := engine.Info{
		ID: r.id, Platform: r.platform, Digest: r.digest, Created: parseTime(r.created), Updated: parseTime(r.updated),
		By: r.by, Dir: r.dir, Status: run.Status(r.status), Seq: r.seq, Head: headText(r.head),
		Next: parseTime(r.next), Moved: r.moved != "",
	}
	var o ownerRow
	if r.owner != "" && json.Unmarshal([]byte(r.owner), &o) == nil && alive(o.Owner, o.Start) {
		o.Epoch = r.epoch
		i.Owner = &o.Owner
	}
	return i
}

// ownerRow is an owner as it is kept: with the start of its process, so that
// another process with the same number is not taken for it.
type ownerRow struct {
	engine.Owner
	Start string `json:"start,omitempty"`
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{} // Only the empty text was written otherwise.
	}
	return t
}
