package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/refitproject/refit/internal/disk"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/wait"
)

// databaseFile is the name of the database in the state folder.
const databaseFile = "refit.db"

// store is the database: one handle for the writer, one for readers.
type store struct {
	dir         string
	write, read *sql.DB
	plans       readPlans
}

// openStore opens the database in dir and makes both when they are not there.
func openStore(ctx context.Context, dir string) (*store, error) {
	if dir == "" {
		return nil, &engine.StoreError{Dir: dir, What: "there is no place for it", Remedy: "set HOME or XDG_STATE_HOME"}
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	if name := disk.Network(dir); name != "" {
		return nil, &engine.StoreError{
			Dir: dir, What: "it is on a network disk (" + name + "), where locks and syncs cannot be relied on",
			Remedy: "set XDG_STATE_HOME to a folder on a local disk",
		}
	}
	s := &store{dir: dir}
	if err := s.open(ctx); err != nil {
		s.close()
		return nil, s.explain(err)
	}
	return s, nil
}

// makeFolder makes the state folder and refuses one that others may read.
func makeFolder(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
			return &engine.StoreError{
				Dir: dir, What: fmt.Sprintf("others may read it (mode %04o)", info.Mode().Perm()),
				Remedy: "chmod 700 it",
			}
		}
	}
	for _, sub := range []string{"locks", "logs", "artefacts"} {
		if err == nil {
			err = os.MkdirAll(filepath.Join(dir, sub), 0o700)
		}
	}
	if err == nil {
		return nil
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return &engine.StoreError{
		Dir: dir, What: "it cannot be made or written to", Err: err,
		Remedy: "make room or mend its permissions, or set XDG_STATE_HOME",
	}
}

// open opens both handles and brings the database to the version of today.
func (s *store) open(ctx context.Context) error {
	file := filepath.Join(s.dir, databaseFile)
	// SQLite would make it readable for others by the umask.
	f, err := os.OpenFile(filepath.Clean(file), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	pragmas := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(OFF)", "temp_store(MEMORY)",
	}}
	pragmas.Set("_txlock", "immediate")
	dsn := (&url.URL{Scheme: "file", Path: file, RawQuery: pragmas.Encode()}).String()
	if s.write, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	const writers = 3 // one for the writer, the others take locks and leave requests
	s.write.SetMaxOpenConns(writers)
	if err := settled(ctx, func() error { return migrate(ctx, s.write, migrations()) }); err != nil {
		return err
	}
	pragmas.Set("_txlock", "deferred")
	dsn = (&url.URL{Scheme: "file", Path: file, RawQuery: pragmas.Encode()}).String()
	if s.read, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	const readers = 4
	s.read.SetMaxOpenConns(readers)
	return s.read.PingContext(ctx)
}

// settled does something that other programs may be in the way of which open a database
// that is new at the same moment: changing it to a write-ahead log needs it alone, and
// SQLite answers that it is busy without having waited.
func settled(ctx context.Context, do func() error) error {
	const tries, pause = 100, 100 * time.Millisecond
	for try := 1; ; try++ {
		err := do()
		if !isBusy(err) || try == tries {
			return err
		}
		if over := wait.For(ctx, pause); over != nil {
			return err
		}
	}
}

// isBusy tells of a database that another program holds.
func isBusy(err error) bool {
	coded, ok := errors.AsType[*sqlite.Error](err)
	return ok && (coded.Code()&primaryCode == sqlite3.SQLITE_BUSY || coded.Code()&primaryCode == sqlite3.SQLITE_LOCKED)
}

// primaryCode is the part of an error's code that is the same on all systems.
const primaryCode = 0xff

func (s *store) close() {
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			_ = db.Close() // Everything that counts has been committed.
		}
	}
}

// explain turns an error of the database into one line that says what to do;
// others come back as they are.
func (s *store) explain(err error) error {
	if err == nil {
		return nil
	}
	if newer, ok := errors.AsType[*newerError](err); ok {
		return &engine.StoreError{
			Dir: s.dir, What: "a newer refit has used it: " + newer.Error(), Remedy: "use that version of refit",
		}
	}
	e := &engine.StoreError{Dir: s.dir, Err: err}
	if coded, ok := errors.AsType[*sqlite.Error](err); ok {
		switch coded.Code() & primaryCode {
		case sqlite3.SQLITE_FULL:
			e.What, e.Remedy = "the disk is full", "make room, then refit drive"
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
			e.What, e.Remedy = "it cannot be written to", "mend its permissions or its disk, then refit drive"
		case sqlite3.SQLITE_IOERR:
			e.What, e.Remedy = "reading or writing failed", "look at the disk and the system log, then refit drive"
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			e.What, e.Remedy = "its database is damaged", "bring it back from a copy"
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			e.What, e.Remedy = "another program holds its database for long", "end what does, then try again"
		default:
			return err
		}
		return e
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		e.Err = pathErr.Err
		e.What, e.Remedy = "it cannot be written to", "mend its permissions or its disk"
		return e
	}
	return err
}
