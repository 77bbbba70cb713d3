package local

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestMigrateProcedures finds the procedures of runs of the second version, and gets
// over a plan that cannot be read.
func TestMigrateProcedures(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := migrate(t.Context(), db, migrations()[:2]); err != nil {
		t.Fatal(err)
	}
	plans := map[string]string{"good": `{"procedure":{"name":"wiki"}}`, "bad": `{"procedure":`, "none": ""}
	for id, text := range plans {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO runs
			(id, platform, digest, created, updated, started_by, dir, status, seq, head)
			VALUES (?, '', 'd', '', '', '', '', 'Running', 0, x'00')`, id); err != nil {
			t.Fatal(err)
		}
		if text == "" {
			continue
		}
		if _, err := db.ExecContext(t.Context(), "INSERT INTO plans (run, digest, data) SELECT n, 'd', ? FROM runs WHERE id = ?",
			[]byte(text), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrate(t.Context(), db, migrations()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"good": "wiki", "bad": "", "none": ""} {
		var got string
		err := db.QueryRowContext(t.Context(), "SELECT procedure FROM runs WHERE id = ?", id).Scan(&got)
		if err != nil || got != want {
			t.Errorf("run %s: got %q, %v, want %q", id, got, err, want)
		}
	}
}

// TestMigrateEvents brings a database of the first version up to today: the events
// of each run are found, in order, whatever lies between them.
func TestMigrateEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, sub := range []string{"", "locks"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), db, migrations()[:1]); err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	lengths := map[string]int{"a": 3, "b": 1, "c": 12}
	for id, n := range lengths {
		exec(`INSERT INTO runs (id, platform, digest, created, updated, started_by, dir, status, seq, head)
			VALUES (?, '', '', '', '', '', '', 'Running', ?, x'00')`, id, n)
		for i := range n {
			exec("INSERT INTO events (run, seq, hash, data) SELECT n, ?, x'00', ? FROM runs WHERE id = ?",
				n-i, []byte(fmt.Sprint(id, n-i)), id)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for id, n := range lengths {
		r, err := s.find(t.Context(), s.read, id)
		if err != nil {
			t.Fatal(err)
		}
		for after := range n {
			var got, want []string
			for i := after + 1; i <= n; i++ {
				want = append(want, fmt.Sprint(id, i))
			}
			err := readEvents(t.Context(), s.read, r, uint64(after), 0, func(e *row) error {
				got = append(got, string(e.data))
				return nil
			})
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("run %s behind %d: got %v, %v; want %v", id, after, got, err, want)
			}
		}
	}
}

// TestSettled goes on once another program lets go of the database, which SQLite does not
// always wait for by itself.
func TestSettled(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "one.db")
	open := func() *sql.DB {
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() }) // It is only read and locked.
		db.SetMaxOpenConns(1)
		return db
	}
	other, own := open(), open()
	if _, err := other.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	tries := 0
	err := settled(t.Context(), func() error {
		if tries++; tries == 3 {
			if _, err := other.ExecContext(t.Context(), "COMMIT"); err != nil {
				t.Error(err)
			}
		}
		_, err := own.ExecContext(t.Context(), "CREATE TABLE runs (n INTEGER)")
		return err
	})
	if err != nil || tries != 3 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}
