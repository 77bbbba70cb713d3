package local_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/run"
)

// TestAskedOnce lets the disk be slow while a request is answered: the inbox shows
// it for longer than it takes to look there again, and it is heard once.
func TestAskedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	w := enginetest.NewWorld()
	begun, letGo := make(chan struct{}), make(chan struct{})
	w.Meet = func(_ context.Context, a engine.Assignment) error {
		if _, ok := a.Command.(run.PerformOperation); ok { // A driver that has nothing to do waits for its answer.
			close(begun)
			<-letGo
		}
		return nil
	}
	e, other := open(t, dir, w), open(t, dir, enginetest.NewWorld())
	id := create(t, e, enginetest.Chain(t, 1))
	ctx, gone := t.Context(), make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = e.Drive(ctx, engine.DriveOptions{Runs: []string{id}, By: "ada"})
	}()
	<-begun
	db, err := sql.Open("sqlite", filepath.Join(dir, "refit.db")+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	asked := make(chan error, 1)
	go func() { asked <- other.Request(ctx, id, &run.PauseRequested{Who: run.Who{By: "bob", Reason: "wait"}}) }()
	for n := 0; n == 0; {
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM inbox WHERE answered = ''").Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	// Somebody else writes for long, again and again, so that the driver looks several
	// times before its answer is durable.
	for range 3 {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE runs SET updated = updated || 'x'"); err != nil {
			t.Fatal(err)
		}
		<-time.After(500 * time.Millisecond)
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-asked; err != nil {
		t.Errorf("the request is answered with %v", err)
	}
	close(letGo)
	<-gone
	history, err := e.History(t.Context(), id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	pauses := 0
	for _, r := range history {
		if _, ok := r.Event.Body.(*run.PauseRequested); ok {
			pauses++
		}
	}
	if pauses != 1 {
		t.Errorf("the request stands %d times in the history", pauses)
	}
}

// TestDamagedCheckpoint damages a checkpoint so that it stays a state: it is thrown
// away, and the history says the same.
func TestDamagedCheckpoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	e := open(t, dir, enginetest.NewWorld())
	id := create(t, e, enginetest.Chain(t, 500))
	drive(t, e, id)
	before, err := e.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	change(t, dir, `UPDATE checkpoints SET state =
		CAST(replace(CAST(state AS TEXT), '"attempt":1', '"attempt":7') AS BLOB) WHERE CAST(state AS TEXT) LIKE '%"attempt":1%'`)
	after, err := e.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.State.Stages, after.State.Stages); diff != "" {
		t.Errorf("a damaged checkpoint is believed:\n%s", diff)
	}
}

// TestAskWhileClosing asks while the engine is closed: each request gets an answer.
func TestAskWhileClosing(t *testing.T) {
	t.Parallel()
	for range 20 {
		e := open(t, t.TempDir()+"/state", enginetest.NewWorld())
		id := create(t, e, enginetest.Chain(t, 1))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 5 {
					_ = e.Request(t.Context(), id, &run.PauseRequested{Who: run.Who{By: "bob", Reason: "wait"}})
				}
			})
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); all.Wait() }()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatal("a request hangs")
		}
	}
}

// TestOneBadEntry drives two runs of which one cannot be written: the other one,
// which shares transactions with it, goes on.
func TestOneBadEntry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	e := open(t, dir, enginetest.NewWorld())
	bad, good := create(t, e, enginetest.Chain(t, 100)), create(t, e, enginetest.Chain(t, 100))
	db, err := sql.Open("sqlite", filepath.Join(dir, "refit.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TRIGGER bad BEFORE INSERT ON events
		WHEN new.seq > 20 AND new.run = (SELECT n FROM runs WHERE id = '`+bad+`')
		BEGIN SELECT raise(ABORT, 'it cannot be written'); END`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	out := drive(t, e, bad, good)
	if out[0].Err == nil || !strings.Contains(out[0].Err.Error(), "it cannot be written") {
		t.Errorf("the bad one: %+v", out[0])
	}
	if out[1].Err != nil || out[1].Status != run.Succeeded {
		t.Errorf("the good one: %+v", out[1])
	}
}

// TestCheckpointOfAnotherHistory reads a run whose checkpoint is whole and does not
// fit its history: the history counts.
func TestCheckpointOfAnotherHistory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	e := open(t, dir, enginetest.NewWorld())
	id := create(t, e, enginetest.Chain(t, 500))
	drive(t, e, id)
	change(t, dir, "UPDATE checkpoints SET head = zeroblob(32)")
	snap, err := e.Load(t.Context(), id)
	if err != nil || snap.State.Status != run.Succeeded {
		t.Errorf("got %s, %v", snap.State.Status, err)
	}
}
