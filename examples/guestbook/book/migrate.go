package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// MigrateOptions are what whoever migrates may choose.
type MigrateOptions struct {
	// MaxSize is what the database may have at most, in bytes; 0 means no limit.
	MaxSize int64
	// DropDuplicates drops entries that say the same as an earlier one.
	DropDuplicates bool
}

// migrate takes a database to the schema of the release. Each revision is one
// transaction: a migration that dies goes on from the last one that is whole.
func (r Release) migrate(ctx context.Context, path string, o MigrateOptions, out io.Writer) (err error) {
	db, err := openFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := limit(ctx, db, o.MaxSize); err != nil {
		return err
	}
	at, err := schemaOf(ctx, db)
	if err != nil {
		return err
	}
	if at > r.Schema {
		return fmt.Errorf("database %q has schema revision %d, release %s knows no later one than %d: nothing was done",
			path, at, r.Version, r.Schema)
	}
	for _, revision := range r.Revisions {
		if revision.To <= at {
			continue
		}
		if revision.To != at+1 {
			return fmt.Errorf("release %s cannot migrate from schema revision %d", r.Version, at)
		}
		done, err := revise(ctx, db, revision, o)
		if err != nil {
			return fmt.Errorf("migrate to schema revision %d of %d: %w", revision.To, r.Schema, err)
		}
		at = revision.To
		sayf(out, "revision %d of %d: %s: %s", at, r.Schema, revision.What, done)
	}
	if at != r.Schema {
		return fmt.Errorf("release %s cannot migrate from schema revision %d", r.Version, at)
	}
	sayf(out, "the database has schema revision %d", at)
	return nil
}

// revise carries out one revision.
func revise(ctx context.Context, db *sql.DB, r Revision, o MigrateOptions) (string, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback() }() // Nothing is left to take back behind a commit.
	done, err := r.Do(ctx, tx, o)
	if err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", r.To)); err != nil {
		return "", err
	}
	return done, tx.Commit()
}

// limit lets the database grow up to a size and no further: SQLite then says what
// it says on a disk that is full.
func limit(ctx context.Context, db *sql.DB, size int64) error {
	if size <= 0 {
		return nil
	}
	var page int64
	if err := db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&page); err != nil {
		return fmt.Errorf("read the page size: %w", err)
	}
	_, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", max(1, size/page)))
	return err
}

// rehearse migrates a copy of the database and counts the entries before and
// after.
func (r Release) rehearse(ctx context.Context, path string, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "guestbook-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	to := filepath.Join(dir, "copy.db")
	if err := copyDatabase(ctx, path, to); err != nil {
		return err
	}
	before, err := countFile(ctx, to)
	if err != nil {
		return err
	}
	if err := r.migrate(ctx, to, MigrateOptions{}, io.Discard); err != nil {
		return err
	}
	after, err := countFile(ctx, to)
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("a copy had %d entries before the migration and %d after it", before, after)
	}
	sayf(out, "a copy of the database was migrated to schema revision %d and kept all %d entries", r.Schema, after)
	return nil
}

// countFile counts the entries of a database of any schema.
func countFile(ctx context.Context, path string) (n int, err error) {
	db, err := openFile(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return n, db.QueryRowContext(ctx, "SELECT count(*) FROM entries").Scan(&n)
}

// copyDatabase copies a database, which may be in use, to a file that appears in
// one go.
func copyDatabase(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("copy database %q: there is something at %q", from, to)
	}
	db, err := openFile(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	half := to + ".half"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", half); err != nil {
		return fmt.Errorf("copy database %q: %w", from, err)
	}
	if err := os.Chmod(half, 0o600); err != nil {
		return err
	}
	return os.Rename(half, to)
}
