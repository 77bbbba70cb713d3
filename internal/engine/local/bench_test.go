package local_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/run"
)

// BenchmarkChain drives chains of 500 steps one after the other. A step is its
// start and its result, both durable, with the hash chain, and the observation
// that comes before. "x-rows" is how many times longer that takes than to commit
// as many rows of the size of these events with the same driver, in the same run:
// one at a time here, in groups in BenchmarkParallel.
func BenchmarkChain(b *testing.B) {
	const steps = 500
	rows := commitRate(b, 1)
	p := enginetest.Chain(b, steps)
	w, pace := pacedWorld()
	e := open(b, b.TempDir()+"/state", w)
	b.ResetTimer()
	for b.Loop() {
		if out := drive(b, e, create(b, e, p)); out[0].Err != nil {
			b.Fatal(out[0].Err)
		}
	}
	report(b, steps, rows)
	pace.report(b)
}

// BenchmarkParallel drives 64 runs at once, each a chain of 500 steps.
func BenchmarkParallel(b *testing.B) {
	const runs, steps = 64, 500
	rows := commitRate(b, runs)
	p := enginetest.Chain(b, steps)
	w, pace := pacedWorld()
	e := open(b, b.TempDir()+"/state", w)
	b.ResetTimer()
	var busy time.Duration
	for b.Loop() {
		b.StopTimer()
		ids := make([]string, runs)
		for i := range ids {
			ids[i] = create(b, e, p)
		}
		busy -= processTime()
		b.StartTimer()
		for _, out := range drive(b, e, ids...) {
			if out.Err != nil {
				b.Fatal(out.Err)
			}
		}
		busy += processTime()
	}
	b.ReportMetric(float64(busy.Nanoseconds())/float64(b.N*runs*steps), "cpu-ns/step")
	report(b, runs*steps, rows)
	pace.report(b)
}

// report tells steps per second, beside the rows per second that the driver
// commits: a step is three of them.
func report(b *testing.B, steps int, rows float64) {
	b.Helper()
	rate := float64(b.N*steps) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "steps/s")
	b.ReportMetric(rows, "rows/s")
	b.ReportMetric(rows/eventsOfStep/rate, "x-rows")
}

// How many events a step of a chain is, and how many bytes one has:
// TestEventsOfAStep holds them to what is written.
const (
	eventsOfStep = 3
	bytesOfEvent = 180
)

func TestEventsOfAStep(t *testing.T) {
	t.Parallel()
	const steps = 200
	e := open(t, t.TempDir()+"/state", enginetest.NewWorld())
	id := create(t, e, enginetest.Chain(t, steps))
	drive(t, e, id)
	history, err := e.History(t.Context(), id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, r := range history {
		data, err := run.EncodeEvent(r.Event)
		if err != nil {
			t.Fatal(err)
		}
		size += len(data)
	}
	const few, off = 10, 20 // of the run itself; the names of steps and the times differ
	if n := len(history); n < steps*eventsOfStep || n > steps*eventsOfStep+few {
		t.Errorf("a chain of %d steps has %d events, the benchmarks count %d for each step", steps, n, eventsOfStep)
	}
	if mean := size / len(history); mean < bytesOfEvent-off || mean > bytesOfEvent+off {
		t.Errorf("an event has %d bytes, the benchmarks take %d", mean, bytesOfEvent)
	}
}

// commitRate measures how many rows per second the driver commits with full
// sync, in transactions of so many.
func commitRate(b *testing.B, group int) float64 {
	b.Helper()
	file := filepath.Join(b.TempDir(), "rows.db")
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(),
		"CREATE TABLE events (run INTEGER, seq INTEGER, hash BLOB, data BLOB, PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID",
	); err != nil {
		b.Fatal(err)
	}
	insert, err := db.PrepareContext(b.Context(), "INSERT INTO events (run, seq, hash, data) VALUES (?, ?, ?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	defer insert.Close()
	begin, n := time.Now(), 0
	for time.Since(begin) < time.Second {
		tx, err := db.BeginTx(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		insertRows(b, tx.StmtContext(b.Context(), insert), group, &n)
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(begin).Seconds()
}

// insertRows inserts rows of the size of an event.
func insertRows(b *testing.B, insert *sql.Stmt, group int, n *int) {
	b.Helper()
	defer insert.Close()
	data, hash := make([]byte, bytesOfEvent), make([]byte, 32)
	for range group {
		if _, err := insert.ExecContext(b.Context(), 1, *n, hash, data); err != nil {
			b.Fatal(err)
		}
		*n++
	}
}

// BenchmarkResume measures from opening the state folder to the next effect, in
// the middle of a run of 10,000 steps in one stage.
func BenchmarkResume(b *testing.B) {
	dir := b.TempDir() + "/state"
	id := create(b, open(b, dir, enginetest.NewWorld()), enginetest.Chain(b, 10000))
	driveSome(b, dir, id, 5000)
	var spent time.Duration
	for b.Loop() {
		spent += driveSome(b, dir, id, 1)
	}
	b.StopTimer()
	b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "ms/resume")
}

// driveSome opens the state folder and drives a run for so many effects. It
// returns the time until the first.
func driveSome(tb testing.TB, dir, id string, effects int) time.Duration {
	tb.Helper()
	begin, first, n := time.Now(), time.Duration(0), 0
	stop := make(chan struct{})
	w := enginetest.NewWorld()
	w.Meet = func(_ context.Context, a engine.Assignment) error {
		if _, ok := a.Command.(run.PerformOperation); ok {
			if n++; n == 1 {
				first = time.Since(begin)
			}
			if n == effects {
				close(stop)
			}
		}
		return nil
	}
	e := open(tb, dir, w)
	if _, err := e.Drive(tb.Context(), engine.DriveOptions{Runs: []string{id}, Stop: stop}); err != nil {
		tb.Fatal(err)
	}
	if err := e.Close(); err != nil {
		tb.Fatal(err)
	}
	return first
}

// BenchmarkWaiting measures what 1,000 runs cost that wait for a person.
func BenchmarkWaiting(b *testing.B) {
	const runs = 1000
	p := enginetest.Plan(b, "  - id: only\n    approval: {reason: \"Go?\"}\n    steps:\n"+
		"      do: {phase: upgrade, action: test.do, with: {value: v}}\n")
	e := open(b, b.TempDir()+"/state", enginetest.NewWorld())
	for range runs {
		create(b, e, p)
	}
	before := heap()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = e.Drive(ctx, engine.DriveOptions{Linger: -1})
	}()
	for waiting := 0; waiting < runs; {
		list, err := e.List(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		waiting = 0
		for _, info := range list {
			if info.Status == run.Waiting && info.Owner != nil {
				waiting++
			}
		}
	}
	const calm = 3 * time.Second
	<-time.After(calm)
	after, busy := heap(), processTime()
	<-time.After(calm)
	busy = processTime() - busy
	for b.Loop() {
	}
	b.ReportMetric(float64(int64(after)-int64(before))/(1<<20), "MiB-more")
	b.ReportMetric(100*busy.Seconds()/calm.Seconds(), "%-cpu")
	cancel()
	<-done
}

// heap returns what the process has of the system, after a collection.
func heap() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}

// processTime returns the processor time of the process so far.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
