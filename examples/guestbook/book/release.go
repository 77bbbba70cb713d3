package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	_ "modernc.org/sqlite" // the driver
)

// Release is what one release of the guestbook has of its own.
type Release struct {
	// Version is the version of the program, Schema the revision of the database
	// that it works with, no other.
	Version string
	Schema  int
	// Create makes the tables of an empty database.
	Create string
	// Revisions lead from older schemas to Schema, in their order.
	Revisions []Revision
	// Add writes an entry and returns its id.
	Add func(ctx context.Context, tx *sql.Tx, e Entry) (int64, error)
	// List returns all entries, the oldest first, or those that hold a word.
	List func(ctx context.Context, q Querier, word string) ([]Entry, error)
	// View is an entry as the API shows it.
	View func(e Entry) any
	// Page is the template of the page.
	Page string
}

// Entry is what a visitor has written.
type Entry struct {
	ID      int64
	Author  string
	Message string
	Written time.Time
	// Of is the number of entries of the author, where the release knows it.
	Of int
}

// Limits of what visitors write, in characters.
const (
	maxAuthor  = 80
	maxMessage = 2000
)

func newEntry(author, message string, now time.Time) Entry {
	return Entry{Author: strings.TrimSpace(author), Message: strings.TrimSpace(message), Written: now.UTC()}
}

// check refuses what is no entry.
func (e Entry) check() error {
	if e.Author == "" || e.Message == "" ||
		utf8.RuneCountInString(e.Author) > maxAuthor || utf8.RuneCountInString(e.Message) > maxMessage {
		return refusal{http.StatusBadRequest, fmt.Sprintf(
			"an entry has an author of at most %d characters and a message of at most %d", maxAuthor, maxMessage)}
	}
	return nil
}

// Revision makes the schema To of the one before it.
type Revision struct {
	To   int
	What string
	// Do changes the database within a transaction and says what it did.
	Do func(ctx context.Context, tx *sql.Tx, o MigrateOptions) (string, error)
}

// Querier is a database or a transaction.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Select returns the entries of a query for id, author, message, time and the number
// of entries of the author.
func Select(ctx context.Context, q Querier, query string, args ...any) (list []Entry, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e Entry
		var written string
		if err := rows.Scan(&e.ID, &e.Author, &e.Message, &written, &e.Of); err != nil {
			return nil, err
		}
		if e.Written, err = time.Parse(time.RFC3339, written); err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.ID, err)
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// openFile opens a database file that is there. One connection is enough, and
// lets no two writers meet.
func openFile(path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	u := url.URL{
		Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(),
		RawQuery: "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=synchronous(2)&_txlock=immediate",
	}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// schemaOf returns the revision of a database.
func schemaOf(ctx context.Context, db *sql.DB) (int, error) {
	revision := 0
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&revision); err != nil {
		return 0, fmt.Errorf("read the schema revision: %w", err)
	}
	return revision, nil
}

// open opens the database of a server: one of exactly the schema of the release.
// A database that is not there is made.
func (r Release) open(ctx context.Context, path string) (*sql.DB, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := r.create(ctx, path); err != nil {
			return nil, err
		}
	}
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	revision, err := schemaOf(ctx, db)
	switch {
	case err != nil:
	case revision < r.Schema:
		err = fmt.Errorf("database %q has schema revision %d, release %s needs %d: run its command migrate",
			filepath.Base(path), revision, r.Version, r.Schema)
	case revision > r.Schema:
		err = fmt.Errorf("database %q has schema revision %d, release %s knows no later one than %d: "+
			"start a newer release", filepath.Base(path), revision, r.Version, r.Schema)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// create makes an empty database in one go: what is there is never half of one.
func (r Release) create(ctx context.Context, path string) error {
	half := path + ".new"
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		return err
	}
	db, err := openFile(half)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d", r.Create, r.Schema))
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("create database %q: %w", path, err)
	}
	return os.Rename(half, path)
}
