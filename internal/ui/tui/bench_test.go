package tui_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/service"
	"github.com/refitproject/refit/internal/ui/tui"
	"github.com/refitproject/refit/procedures"
)

// BenchmarkFirstFrame measures from opening the state folder to the first screen, in
// the middle of a run of 10,000 steps in one stage.
func BenchmarkFirstFrame(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "state")
	id := halfway(b, dir, 10_000)
	for b.Loop() {
		s := open(b, dir)
		frame := tui.Frame(b.Context(), tui.Options{Run: id, Reader: s, Feed: &tui.Feed{}, Now: time.Now}, 120, 40)
		if !strings.Contains(frame, "5,000 of 10,000 done") {
			b.Fatalf("the frame shows another run:\n%s", frame)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNextFrame measures a look at the same run from a service that is open,
// and the screen of it: what a watcher costs each time.
func BenchmarkNextFrame(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "state")
	id := halfway(b, dir, 10_000)
	s := open(b, dir)
	for b.Loop() {
		_ = tui.Frame(b.Context(), tui.Options{Run: id, Reader: s, Feed: &tui.Feed{}, Now: time.Now}, 120, 40)
	}
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// open returns a service over a state folder.
func open(b *testing.B, dir string) *service.Service {
	b.Helper()
	registry, err := all.NewRegistry(all.NewClients(nil))
	if err != nil {
		b.Fatal(err)
	}
	s, err := service.New(service.Options{
		Registry: registry, Shipped: procedures.FS(), Now: time.Now, Version: "bench", StateDir: dir,
		LookPath: func(string) (string, error) { return "", nil }, Progress: func(service.Note) {},
		Engine: func(ctx context.Context, _ func(string) (string, error)) (engine.Engine, error) {
			return openEngine(ctx, dir, enginetest.NewWorld())
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func openEngine(ctx context.Context, dir string, w engine.Worker) (*local.Engine, error) {
	return local.Open(ctx, local.Options{
		Dir: dir, Worker: w, Catalog: enginetest.Catalog(), Now: time.Now, Host: "here", Form: "bench",
	})
}

// halfway leaves a run of n steps after half of them.
func halfway(b *testing.B, dir string, n int) string {
	b.Helper()
	w, stop, done := enginetest.NewWorld(), make(chan struct{}), 0
	w.Meet = func(_ context.Context, a engine.Assignment) error {
		if _, ok := a.Command.(run.PerformOperation); ok {
			if done++; done == n/2 {
				close(stop)
			}
		}
		return nil
	}
	e, err := openEngine(b.Context(), dir, w)
	if err != nil {
		b.Fatal(err)
	}
	info, err := e.Create(b.Context(), engine.NewRun{Plan: enginetest.Chain(b, n), Parallel: 1, Dir: b.TempDir(), By: "ada"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := e.Drive(b.Context(), engine.DriveOptions{Runs: []string{info.ID}, Stop: stop}); err != nil {
		b.Fatal(err)
	}
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	return info.ID
}
