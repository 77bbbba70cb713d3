package book

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// importFile writes the entries of a file, all of them or none.
func (c *command) importFile(ctx context.Context) (err error) {
	if c.flags.NArg() != 1 {
		return errors.New("import takes the name of a file, with a line for each entry: author, tab, message")
	}
	lock, err := c.folder.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	settings, err := c.folder.settings()
	if err != nil {
		return err
	}
	from, err := os.Open(c.flags.Arg(0))
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // It was only read from.
	n, err := c.release.importFrom(ctx, settings.Database, from, time.Now())
	if err != nil {
		return fmt.Errorf("import %q: %w", c.flags.Arg(0), err)
	}
	sayf(c.out, "%d entries were written", n)
	return nil
}

// importFrom writes the entries that it reads, as of one time.
func (r Release) importFrom(ctx context.Context, path string, from io.Reader, now time.Time) (n int, err error) {
	db, err := r.open(ctx, path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // Nothing is left to take back behind a commit.
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		author, message, ok := strings.Cut(lines.Text(), "\t")
		e := newEntry(author, message, now)
		if err := e.check(); err != nil || !ok {
			return 0, fmt.Errorf("line %d: %w", n+1, errors.Join(err, errNoTab(ok)))
		}
		if _, err := r.Add(ctx, tx, e); err != nil {
			return 0, fmt.Errorf("line %d: %w", n+1, err)
		}
		n++
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	return n, tx.Commit()
}

func errNoTab(ok bool) error {
	if ok {
		return nil
	}
	return errors.New("there is no tab between author and message")
}
