package local

import (
	"context"
	"strings"
)

// The events of all runs lie in the order in which they were written, so that a
// commit for many runs writes few pages. Each names the one before it of its run,
// and the row of the run names its last: a history is read from its end.

// walk lists the events of a run from one on back to the one with a number that is
// not greater than the second parameter.
const walk = `WITH RECURSIVE walk (n, prev, seq) AS (
		SELECT n, prev, seq FROM events WHERE n = ?
		UNION ALL
		SELECT e.n, e.prev, e.seq FROM walk w JOIN events e ON e.n = w.prev WHERE w.seq > ?
	)
	`

// readEvents reads the events of a run behind a number, in order. most bounds
// their number when it is not 0.
func readEvents(ctx context.Context, q reader, r *runRow, after uint64, most int, visit func(*row) error) error {
	limit := -1
	if most > 0 {
		limit = most
	}
	rows, err := q.QueryContext(ctx, walk+
		"SELECT e.seq, e.hash, e.data FROM walk w JOIN events e ON e.n = w.n WHERE e.seq > ? ORDER BY e.seq LIMIT ?",
		r.last, after+1, after, limit)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	for rows.Next() {
		var e row
		if err := rows.Scan(&e.seq, &e.hash, &e.data); err != nil {
			return err
		}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// deleteEvents deletes the history that ends with a row.
func deleteEvents(ctx context.Context, tx querier, last int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM events WHERE n IN ("+walk+"SELECT n FROM walk)", last, 0)
	return err
}

// insertHistory writes all events of a run that has none yet.
func insertHistory(ctx context.Context, tx querier, run int64, rows []row) error {
	last, err := lastEvent(ctx, tx)
	if err != nil {
		return err
	}
	last, err = appendEvents(run, 0, last, rows, func(query string, args ...any) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE runs SET last = ? WHERE n = ?", last, run)
	return err
}

// lastEvent returns the number of the row that was written last, of any run.
func lastEvent(ctx context.Context, q reader) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, "SELECT coalesce(max(n), 0) FROM events").Scan(&n)
	return n, err
}

// atOnce is how many events one statement inserts at most.
const atOnce = 8

// appendEvents writes events of one run behind prev, as the rows that follow
// last, and returns the number of the last row.
func appendEvents(
	run, prev, last int64, rows []row, exec func(query string, args ...any) error,
) (int64, error) {
	for len(rows) > 0 {
		some := rows[:min(len(rows), atOnce)]
		rows = rows[len(some):]
		const columns = 6
		args := make([]any, 0, columns*len(some))
		for i := range some {
			last++
			args = append(args, last, run, some[i].seq, prev, some[i].hash, some[i].data)
			prev = last
		}
		if err := exec(insertEvents(len(some)), args...); err != nil {
			return last, err
		}
	}
	return last, nil
}

// insertEvents returns the statement that inserts so many events.
func insertEvents(n int) string {
	const one = "(?, ?, ?, ?, ?, ?)"
	return "INSERT INTO events (n, run, seq, prev, hash, data) VALUES " + strings.Repeat(one+", ", n-1) + one
}
