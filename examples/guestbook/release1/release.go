package release1

import (
	"context"
	"database/sql"
	_ "embed"
	"time"

	"github.com/refitproject/refit/examples/guestbook/book"
)

//go:embed page.html
var page string

// Release returns the release.
func Release() book.Release {
	return book.Release{
		Version: "1.4.0", Schema: 3, Page: page,
		Create: `CREATE TABLE entries (
			id INTEGER PRIMARY KEY, name TEXT NOT NULL, message TEXT NOT NULL, written TEXT NOT NULL)`,
		Add: add, List: list, View: view,
	}
}

func add(ctx context.Context, tx *sql.Tx, e book.Entry) (int64, error) {
	done, err := tx.ExecContext(ctx, "INSERT INTO entries (name, message, written) VALUES (?, ?, ?)",
		e.Author, e.Message, e.Written.Format(time.RFC3339))
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// list returns all entries: this release cannot search.
func list(ctx context.Context, q book.Querier, _ string) ([]book.Entry, error) {
	return book.Select(ctx, q, "SELECT id, name, message, written, 0 FROM entries ORDER BY id")
}

func view(e book.Entry) any {
	return map[string]any{"id": e.ID, "name": e.Author, "message": e.Message, "written": e.Written}
}
