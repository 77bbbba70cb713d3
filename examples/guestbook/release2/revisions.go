package release2

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/refitproject/refit/examples/guestbook/book"
)

const (
	authors = "CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"
	search  = "CREATE VIRTUAL TABLE search USING fts5(author, message)"
)

// entries makes the table of entries under a name.
func entries(name string) string {
	return "CREATE TABLE " + name + ` (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES authors (id),
		message TEXT NOT NULL, written TEXT NOT NULL)`
}

// moveAuthors gives authors a table of their own.
func moveAuthors(ctx context.Context, tx *sql.Tx, o book.MigrateOptions) (string, error) {
	var steps []string
	if o.DropDuplicates {
		steps = append(steps,
			"DELETE FROM entries WHERE id NOT IN (SELECT min(id) FROM entries GROUP BY name, message)")
	}
	steps = append(steps,
		authors,
		"INSERT INTO authors (name) SELECT name FROM entries GROUP BY name ORDER BY min(id)",
		entries("moved"),
		`INSERT INTO moved (id, author, message, written)
			SELECT e.id, a.id, e.message, e.written FROM entries e JOIN authors a ON a.name = e.name`,
		"DROP TABLE entries",
		"ALTER TABLE moved RENAME TO entries",
	)
	if err := all(ctx, tx, steps...); err != nil {
		return "", err
	}
	var n, of int
	const query = "SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM authors)"
	err := tx.QueryRowContext(ctx, query).Scan(&n, &of)
	return fmt.Sprintf("%d entries of %d authors", n, of), err
}

// makeSearch makes the index in which entries are searched.
func makeSearch(ctx context.Context, tx *sql.Tx, _ book.MigrateOptions) (string, error) {
	err := all(ctx, tx, search, `INSERT INTO search (rowid, author, message)
		SELECT e.id, a.name, e.message FROM entries e JOIN authors a ON a.id = e.author`)
	if err != nil {
		return "", err
	}
	n := 0
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM search").Scan(&n)
	return fmt.Sprintf("%d entries", n), err
}

// all carries out statements, one after the other.
func all(ctx context.Context, tx *sql.Tx, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
