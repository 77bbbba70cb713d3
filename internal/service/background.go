package service

import (
	"context"
	"sync"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/notify/courier"
	"github.com/refitproject/refit/internal/run"
)

// background is what goes on beside the driving of a run, often nothing. It holds on
// to no plan: a thousand waiting runs must not cost a thousand plans.
type background struct {
	courier *courier.Courier
	prober  *prober
}

// backgrounds is what goes on beside the driving of several runs. It begins by
// itself, so that no run waits for it.
type backgrounds struct {
	s   *Service
	say func(string)

	begun sync.WaitGroup
	mu    sync.Mutex
	byRun map[string]*background
	// early are operations that were started before their run was looked at.
	early map[string][]run.Ref
}

// besides begins what goes on beside the driving of runs.
func (s *Service) besides(ctx context.Context, e engine.Engine, driven []toDrive, say func(string)) *backgrounds {
	list := &backgrounds{s: s, say: say, byRun: map[string]*background{}, early: map[string][]run.Ref{}}
	list.begun.Go(func() {
		for _, r := range driven {
			list.begin(ctx, e, r, true)
		}
		for _, id := range s.leftToTell(driven) {
			list.begin(ctx, e, toDrive{id: id}, false)
		}
	})
	return list
}

// begin begins what goes on beside one run. A run that cannot be read has nothing
// beside it: driving it says why.
func (l *backgrounds) begin(ctx context.Context, e engine.Engine, r toDrive, driven bool) {
	b := &background{}
	var begun []run.Ref
	if snap, err := e.Load(ctx, r.id); err == nil && !snap.Info.Moved {
		l.s.withholdPlan(snap.State.Plan())
		b.courier = l.s.tellOf(ctx, &snap, r.fresh, l.say)
		if driven && !snap.State.Status.Final() {
			b.prober = l.s.newProber(r.id, snap.State.Plan(), l.say)
			begun = startedIn(&snap)
		}
	}
	l.mu.Lock()
	begun = append(begun, l.early[r.id]...)
	delete(l.early, r.id)
	l.byRun[r.id] = b
	l.mu.Unlock()
	for _, op := range begun {
		b.started(op)
	}
}

// startedIn lists the steps of a run that were started.
func startedIn(snap *engine.Snapshot) []run.Ref {
	ids := snap.State.StageIDs()
	var out []run.Ref
	for _, at := range snap.State.Order {
		_, step := snap.State.StepAt(at)
		out = append(out, run.Ref{Stage: ids[at.Stage], Step: step.ID})
	}
	return out
}

// started tells of an operation of the run.
func (b *background) started(op run.Ref) {
	if b.prober != nil {
		b.prober.started(op)
	}
}

// woken is told of each event of a run. It returns at once.
func (l *backgrounds) woken(id string, body run.Body) {
	start, isStart := body.(*run.OperationStarted)
	l.mu.Lock()
	b := l.byRun[id]
	if b == nil && isStart {
		l.early[id] = append(l.early[id], start.Op)
	}
	l.mu.Unlock()
	if b == nil {
		return
	}
	if isStart {
		b.started(start.Op)
	}
	if b.courier != nil {
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
