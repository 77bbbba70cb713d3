package release2

import (
	"context"
	"database/sql"
	_ "embed"
	"strings"
	"time"

	"github.com/refitproject/refit/examples/guestbook/book"
)

//go:embed page.html
var page string

// Release returns the release.
func Release() book.Release {
	return book.Release{
		Version: "2.0.0", Schema: 5, Page: page,
		Create: authors + ";" + entries("entries") + ";" + search,
		Revisions: []book.Revision{
			{To: 4, What: "authors have a table of their own", Do: moveAuthors},
			{To: 5, What: "entries can be searched", Do: makeSearch},
		},
		Add: add, List: list, View: view,
	}
}

func add(ctx context.Context, tx *sql.Tx, e book.Entry) (int64, error) {
	if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO authors (name) VALUES (?)", e.Author); err != nil {
		return 0, err
	}
	done, err := tx.ExecContext(ctx,
		"INSERT INTO entries (author, message, written) SELECT id, ?, ? FROM authors WHERE name = ?",
		e.Message, e.Written.Format(time.RFC3339), e.Author)
	if err != nil {
		return 0, err
	}
	id, err := done.LastInsertId()
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO search (rowid, author, message) VALUES (?, ?, ?)",
		id, e.Author, e.Message)
	return id, err
}

// list returns the entries with all words of a text, or all entries.
func list(ctx context.Context, q book.Querier, text string) ([]book.Entry, error) {
	query := `SELECT e.id, a.name, e.message, e.written, o.number FROM entries e JOIN authors a ON a.id = e.author
		JOIN (SELECT author, count(*) AS number FROM entries GROUP BY author) o ON o.author = e.author`
	var args []any
	if words := strings.Fields(text); len(words) > 0 {
		for i, word := range words {
			words[i] = `"` + strings.ReplaceAll(word, `"`, `""`) + `"` // No word is an operator.
		}
		query += " WHERE e.id IN (SELECT rowid FROM search WHERE search MATCH ?)"
		args = append(args, strings.Join(words, " "))
	}
	return book.Select(ctx, q, query+" ORDER BY e.id", args...)
}

func view(e book.Entry) any {
	return map[string]any{
		"id": e.ID, "author": map[string]any{"name": e.Author, "entries": e.Of},
		"message": e.Message, "written": e.Written,
	}
}
