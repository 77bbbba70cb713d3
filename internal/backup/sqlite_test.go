package backup

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// newDatabase makes a database with a write-ahead log that somebody has open.
func newDatabase(t *testing.T, rows int) (string, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hub #1?.sqlite")
	db, err := sql.Open("sqlite", databaseURI(path, "_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	execute(t, db, `CREATE TABLE users (name TEXT PRIMARY KEY, note TEXT)`)
	execute(t, db, `CREATE TABLE "odd ""name" (x) `)
	execute(t, db, `CREATE VIRTUAL TABLE words USING fts5(body)`)
	execute(t, db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?)
		INSERT INTO users SELECT 'user' || i, hex(randomblob(200)) FROM n`, rows)
	return path, db
}

func execute(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// TestDatabaseInUse makes a backup while somebody writes, proves it, and brings
// it back: it is the state of one moment.
func TestDatabaseInUse(t *testing.T) {
	t.Parallel()
	w := worker(t)
	s, _ := fileStore(t)
	path, db := newDatabase(t, 20000)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() { // pairs: a state of one moment has an even number
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if _, err := db.Exec(`INSERT INTO users VALUES (?, ''), (?, '')`, fmt.Sprint("a", i), fmt.Sprint("b", i)); err != nil {
				stopped <- err
				return
			}
		}
	}()
	e := w.mustMake(t, Request{Store: s, Name: "hub", Key: "r/s", Kind: SQLite, Path: path})
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	c := e.Manifest.Counts
	if c.Rows < 20000 || c.Tables < 2 {
		t.Errorf("counted %+v", c)
	}
	for level := ReadBack; level <= Restored; level++ {
		if _, err := w.Prove(t.Context(), s, e, level, nil); err != nil {
			t.Errorf("level %d: %v", level, err)
		}
	}
	to := filepath.Join(t.TempDir(), "back.sqlite")
	if err := w.RestoreDatabase(t.Context(), s, e.Manifest, nil, to, 0o640); err != nil {
		t.Fatal(err)
	}
	again, err := countDatabase(t.Context(), to)
	if err != nil || again != c {
		t.Errorf("restored %+v, saved %+v, %v", again, c, err)
	}
	back, err := sql.Open("sqlite", databaseURI(to, "mode=ro"))
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	var users int
	if err := back.QueryRowContext(t.Context(), `SELECT count(*) FROM users`).Scan(&users); err != nil || users < 20000 || users%2 != 0 {
		t.Errorf("%d users, which is no state of one moment; %v", users, err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	if left, _ := os.ReadDir(w.Scratch); len(left) > 0 {
		t.Errorf("left in the scratch folder: %v", left)
	}
}

// TestDatabaseOfOtherRows tests that a restored database is counted.
func TestDatabaseOfOtherRows(t *testing.T) {
	t.Parallel()
	w := worker(t)
	s, _ := fileStore(t)
	path, _ := newDatabase(t, 10)
	e := w.mustMake(t, Request{Store: s, Name: "hub", Key: "r/s", Kind: SQLite, Path: path})
	e.Manifest.Counts.Rows++
	if _, err := w.Check(t.Context(), s, e, Parsed, nil); err != nil {
		t.Errorf("level 2 counts no rows: %v", err)
	}
	if _, err := w.Check(t.Context(), s, e, Restored, nil); !IsDamage(err) {
		t.Errorf("got %v", err)
	}
}
