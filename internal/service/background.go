package service

import (
	"context"
	"sync"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/notify/courier"
	"github.com/refitproject/refit/internal/plan"
)

// background is what goes on beside the driving of a run.
type background struct {
	plan *plan.Plan
	dir  string
	// fresh tells that the run has just begun.
	fresh   bool
	courier *courier.Courier
}

// backgrounds is what goes on beside the driving of several runs. It begins by
// itself, so that no run waits for it.
type backgrounds struct {
	s   *Service
	say func(string)

	begun sync.WaitGroup
	mu    sync.Mutex
	byRun map[string]*background
}

// besides begins what goes on beside the driving of runs.
func (s *Service) besides(ctx context.Context, e engine.Engine, driven []toDrive, say func(string)) *backgrounds {
	list := &backgrounds{s: s, say: say, byRun: map[string]*background{}}
	list.begun.Go(func() {
		for _, r := range driven {
			list.begin(ctx, e, r.id, r.fresh)
		}
		for _, id := range s.leftToTell(driven) {
			list.begin(ctx, e, id, false)
		}
	})
	return list
}

// begin begins what goes on beside one run. A run that cannot be read has nothing
// beside it: driving it says why.
func (l *backgrounds) begin(ctx context.Context, e engine.Engine, id string, fresh bool) {
	snap, err := e.Load(ctx, id)
	if err != nil || snap.Info.Moved {
		return
	}
	b := &background{plan: snap.State.Plan(), dir: snap.Info.Dir, fresh: fresh}
	b.courier = l.s.tellOf(ctx, id, b, l.say)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byRun[id] = b
}

// woken is told of each event of a run. It returns at once.
func (l *backgrounds) woken(id string) {
	l.mu.Lock()
	b := l.byRun[id]
	l.mu.Unlock()
	if b != nil && b.courier != nil {
		b.courier.Wake()
	}
}

// close ends all of it.
func (l *backgrounds) close(ctx context.Context) {
	l.begun.Wait()
	var all sync.WaitGroup
	for _, b := range l.byRun {
		if b.courier != nil {
			all.Go(func() { b.courier.Close(ctx, notifyPatience) })
		}
	}
	all.Wait()
}
