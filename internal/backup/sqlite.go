package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/refitproject/refit/internal/action"
)

// pagesAtOnce is how much is copied between two looks at whether to go on.
const pagesAtOnce = 2048

// backuper is what a connection of the driver can do beside SQL.
type backuper interface {
	NewBackup(uri string) (*sqlite.Backup, error)
}

// databaseURI returns the address of a database file for the driver.
func databaseURI(path, query string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query}
	return u.String()
}

// copyDatabase makes a consistent copy of a database that may be in use, by
// SQLite's online backup. A read transaction holds what it began with: writers
// of a database with a write-ahead log go on, others wait.
func copyDatabase(ctx context.Context, from, to string, report func(done int64)) (err error) {
	info, err := os.Stat(from)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return sourceFailure(from, err)
	}
	db, err := sql.Open("sqlite", databaseURI(from, "mode=ro&_pragma=busy_timeout(10000)"))
	if err != nil {
		return databaseFailure(from, err)
	}
	defer func() { _ = db.Close() }() // it was only read
	conn, err := db.Conn(ctx)
	if err != nil {
		return databaseFailure(from, err)
	}
	defer func() { _ = conn.Close() }() // it was only read
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return databaseFailure(from, err)
	}
	var tables, pages int64
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return databaseFailure(from, err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return databaseFailure(from, err)
	}
	if pages == 0 && info.Size() > 0 { // SQLite takes a few odd bytes for an empty database
		return failure(ReasonSourceNotReadable, "correct the path", false,
			"read database %q: it is damaged, or no SQLite database", printable(from))
	}
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(backuper)
		if !ok {
			return errors.New("the driver cannot copy a database that is in use")
		}
		b, err := c.NewBackup(databaseURI(to, ""))
		if err != nil {
			return err
		}
		err = stepBackup(ctx, b, report)
		return errors.Join(err, b.Finish())
	})
	if err != nil {
		return databaseFailure(from, err)
	}
	return nil
}

func stepBackup(ctx context.Context, b *sqlite.Backup, report func(done int64)) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if more, err = b.Step(pagesAtOnce); err != nil {
			return err
		}
		if report != nil {
			report(int64(b.PageCount() - b.Remaining()))
		}
	}
	return nil
}

// databaseFailure says why a database cannot be read.
func databaseFailure(name string, err error) error {
	if ended := interrupted("read", err); ended != nil {
		return ended
	}
	if action.ReasonOf(err) != "" {
		return err
	}
	name = printable(name)
	coded, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return sourceFailure(name, err)
	}
	switch coded.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return failure(ReasonSourceNotReadable, "stop what locks it, or try again", true,
			"read database %q: somebody locks it", name)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return failure(ReasonSourceNotReadable, "look at it with PRAGMA integrity_check before anything else", false,
			"read database %q: it is damaged, or no SQLite database", name)
	case sqlite3.SQLITE_FULL:
		return failure(ReasonDiskFull, "make room for a copy of the database, or name another scratch folder", true,
			"copy database %q: the disk is full", name)
	default:
		return failure(ReasonSourceNotReadable, "let Refit read it, and write beside it where SQLite needs that", true,
			"read database %q: %w", name, err)
	}
}

// countDatabase checks a database file of which nobody else knows and counts
// its rows.
func countDatabase(ctx context.Context, path string) (Counts, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Counts{}, err
	}
	db, err := sql.Open("sqlite", databaseURI(path, "mode=ro&immutable=1"))
	if err != nil {
		return Counts{}, err
	}
	defer func() { _ = db.Close() }() // it was only read
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return Counts{}, err
	}
	if verdict != "ok" {
		return Counts{}, fmt.Errorf("the database is damaged: %s", strings.Join(strings.Fields(verdict), " "))
	}
	counts := Counts{Files: 1, Bytes: info.Size()}
	names, err := tablesOf(ctx, db)
	if err != nil {
		return Counts{}, err
	}
	sum := sha256.New()
	for _, name := range names {
		var rows int64
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+quoted).Scan(&rows); err != nil {
			return Counts{}, fmt.Errorf("count table %q: %w", name, err)
		}
		counts.Tables++
		counts.Rows += rows
		_, _ = fmt.Fprintf(sum, "%q %d\n", name, rows)
	}
	counts.Digest = hex.EncodeToString(sum.Sum(nil))
	return counts, nil
}

// tablesOf returns the tables of a database that hold rows of their own.
func tablesOf(ctx context.Context, db *sql.DB) (names []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name FROM sqlite_master
		WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// checkDatabaseStream parses a stream as far as that goes without a file: its
// head, and whether it has as many pages as that says.
func checkDatabaseStream(r io.Reader) (Counts, error) {
	head := make([]byte, 100)
	if _, err := io.ReadFull(r, head); err != nil {
		return Counts{}, fmt.Errorf("the database is shorter than its head: %w", err)
	}
	if string(head[:16]) != "SQLite format 3\x00" {
		return Counts{}, errors.New("what it holds is no SQLite database")
	}
	page := int64(head[16])<<8 | int64(head[17])
	if page == 1 {
		page = 65536
	}
	pages := int64(head[28])<<24 | int64(head[29])<<16 | int64(head[30])<<8 | int64(head[31])
	n, err := io.Copy(io.Discard, onlyReader{r})
	if err != nil {
		return Counts{}, err
	}
	if size := n + 100; size != page*pages {
		return Counts{}, fmt.Errorf("the database has %d bytes, its head says %d pages of %d", size, pages, page)
	}
	return Counts{Files: 1, Bytes: n + 100}, nil
}

// writeFile writes a stream to a new file and brings it to the disk.
func writeFile(r io.Reader, path string, mode fs.FileMode) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return writeFailure(filepath.Base(path), err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = writeFailure(filepath.Base(path), closed)
		}
	}()
	if _, err := io.Copy(writerFor{f, filepath.Base(path)}, r); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(mode), f.Sync()); err != nil {
		return writeFailure(filepath.Base(path), err)
	}
	return nil
}

// writerFor tells errors of writing from those of reading.
type writerFor struct {
	w    io.Writer
	name string
}

// Write implements io.Writer.
func (w writerFor) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		return n, writeFailure(w.name, err)
	}
	return n, nil
}
