package local_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/run"
)

// pace times single steps: from where one is carried out to where the next one
// of its run is. It is safe for concurrent use.
type pace struct {
	mu   sync.Mutex
	last map[string]time.Time
	gaps []time.Duration
}

// pacedWorld returns a world whose steps are timed.
func pacedWorld() (*enginetest.World, *pace) {
	w, p := enginetest.NewWorld(), &pace{last: map[string]time.Time{}}
	w.Meet = p.meet
	return w, p
}

func (p *pace) meet(_ context.Context, a engine.Assignment) error {
	if _, ok := a.Command.(run.PerformOperation); !ok {
		return nil
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, ok := p.last[a.Run]; ok {
		p.gaps = append(p.gaps, now.Sub(before))
	}
	p.last[a.Run] = now
	return nil
}

// report tells how long half of the steps took at most, and 95 of 100.
func (p *pace) report(b *testing.B) {
	b.Helper()
	if len(p.gaps) == 0 {
		b.Fatal("no step was timed")
	}
	slices.Sort(p.gaps)
	for unit, percent := range map[string]int{"p50-ns/step": 50, "p95-ns/step": 95} {
		b.ReportMetric(float64(p.gaps[(len(p.gaps)*percent+99)/100-1]), unit)
	}
}
