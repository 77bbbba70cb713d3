package local_test

import (
	"context"
	"encoding/json"
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
	w.Answer = p.answer
	return w, p
}

// answer lets steps succeed without that anybody remembers it, as the world is not
// what is measured.
func (p *pace) answer(_ context.Context, a engine.Assignment) (run.Body, error) {
	switch c := a.Command.(type) {
	case run.ObserveOperation:
		return &run.Observed{Op: c.Op, Turn: c.Turn, Status: "notStarted", Before: json.RawMessage(`{"value":""}`)}, nil
	case run.PerformOperation:
		p.meet(a.Run)
		return &run.OperationEnded{
			Op: c.Op, Attempt: c.Attempt, OK: true, Output: json.RawMessage(`{"value":"set"}`),
		}, nil
	case run.CheckStage, run.AskWindow, run.Resolve, run.StartOperation, run.MatchIssues, run.EvaluateCondition,
		run.ObserveSoak, run.Timer:
	}
	return nil, nil
}

// meet notes that a step of a run is carried out.
func (p *pace) meet(id string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, ok := p.last[id]; ok {
		p.gaps = append(p.gaps, now.Sub(before))
	}
	p.last[id] = now
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
