package local_test

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/engine/local"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	enginetest.Run(t,
		func(tb testing.TB, dir string, w engine.Worker) engine.Engine {
			tb.Helper()
			return open(tb, dir, w)
		},
		enginetest.CanDamage(func(tb testing.TB, dir, id string, seq uint64) {
			tb.Helper()
			// The last byte but one stands in the data of the event, which stays JSON.
			change(tb, dir, `UPDATE events SET data = CAST(replace(CAST(data AS TEXT), '"seq":', '"sep":') AS BLOB)
				WHERE seq = ? AND run = (SELECT n FROM runs WHERE id = ?)`, seq, id)
		}),
		enginetest.CanUsurp(func(tb testing.TB, dir, id string) {
			tb.Helper()
			change(tb, dir, "UPDATE runs SET epoch = epoch + 1 WHERE id = ?", id)
		}),
	)
}

// change changes exactly one row of the database, as no program of Refit does.
func change(tb testing.TB, dir, query string, args ...any) {
	tb.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "refit.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		tb.Fatal(err)
	}
	res, err := db.ExecContext(tb.Context(), query, args...)
	if err != nil {
		tb.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		tb.Fatalf("%d rows were changed, %v", n, err)
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}

// TestConformsKilled drives runs in processes that are killed.
func TestConformsKilled(t *testing.T) {
	t.Parallel()
	stride := 4
	if os.Getenv("REFIT_TEST") == "all" {
		stride = 1
	}
	enginetest.RunKilled(t,
		func(tb testing.TB, dir string, w engine.Worker) engine.Engine {
			tb.Helper()
			return open(tb, dir, w)
		},
		func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, os.Args[0], "-test.run=^$") },
		stride,
		string(local.BeforeAppend), string(local.AfterAppend), string(local.BeforeCommand), string(local.AfterCommand),
	)
}

func TestMain(m *testing.M) {
	if enginetest.IsChild() {
		os.Exit(enginetest.Child(func(dir string, w engine.Worker, reached func(string)) (engine.Engine, error) {
			return local.Open(context.Background(), local.Options{
				Dir: dir, Worker: w, Catalog: enginetest.Catalog(), Now: time.Now, Host: "here", Form: "test",
				Reached: func(m local.Moment, _, _ string) { reached(string(m)) },
			})
		}))
	}
	os.Exit(m.Run())
}
