package local

import (
	"context"
	"io"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// flight is a command that is being carried out.
type flight struct {
	id     string
	cancel context.CancelFunc
	// effect tells that the world may be changed meanwhile.
	effect bool
	timer  *time.Timer
}

// reconcile lets exactly those commands be in flight that are pending.
func (d *driver) reconcile(ctx context.Context) error {
	for {
		pending := run.Pending(d.state)
		wanted := make(map[string]bool, len(pending))
		for _, c := range pending {
			wanted[c.ID()] = true
		}
		for id, f := range d.flights {
			if !wanted[id] {
				f.cancel()
				delete(d.flights, id)
			}
		}
		started, err := d.startOperations(pending)
		if err != nil {
			return err
		}
		if started {
			continue // Other commands are pending now.
		}
		d.next = wakesAt(pending, d.state.At)
		d.launchAll(ctx, pending)
		return nil
	}
}

// startOperations records the starts of operations and tells whether there were
// any.
func (d *driver) startOperations(pending []run.Command) (bool, error) {
	started := false
	for _, c := range pending {
		start, ok := c.(run.StartOperation)
		if !ok {
			continue
		}
		if err := d.append(&run.OperationStarted{
			Op: start.Op, Attempt: start.Attempt, Key: start.Key, Before: start.Before,
		}); err != nil {
			return false, err
		}
		started = true
	}
	return started, nil
}

func (d *driver) launchAll(ctx context.Context, pending []run.Command) {
	for _, c := range pending {
		if _, ok := c.(run.PerformOperation); ok && d.flights[c.ID()] == nil {
			d.flush(true)
		}
	}
	for _, c := range pending {
		if d.flights[c.ID()] != nil {
			continue
		}
		if timer, ok := c.(run.Timer); ok {
			d.arm(timer)
			continue
		}
		d.launch(ctx, c)
	}
}

// operationOf returns the operation that a command is about.
func operationOf(c run.Command) (ref run.Ref, key string, ok bool) {
	switch c := c.(type) {
	case run.ObserveOperation:
		return c.Op, c.Key, true
	case run.PerformOperation:
		return c.Op, c.Key, true
	case run.CheckStage, run.AskWindow, run.Resolve, run.StartOperation, run.MatchIssues, run.EvaluateCondition,
		run.ObserveSoak, run.Timer:
	}
	return run.Ref{}, "", false
}

// launch carries a command out in a goroutine of its own. An effect begins only
// when everything so far is durable, and nothing begins before what was done
// for the same operation has ended.
func (d *driver) launch(ctx context.Context, c run.Command) {
	ctx, cancel := context.WithCancel(ctx)
	perform, effect := c.(run.PerformOperation)
	f := &flight{id: c.ID(), cancel: cancel, effect: effect}
	d.flights[f.id] = f
	ended := make(chan struct{})
	ref, key, about := operationOf(c)
	var before <-chan struct{}
	var left []child
	if about {
		key = engine.EffectKey(ref, key)
		// They are kept: a look that is ended early leaves them to the next one.
		before, left = d.ends[ref], d.orphans[key]
		d.ends[ref] = ended
	}
	var durable *entry
	if effect {
		durable = d.sent
	}
	a := d.assignment(c)
	results, gone, e, id := d.results, d.gone, d.e, d.hold.row.id
	go func() {
		defer close(ended)
		if before != nil {
			<-before
		}
		if durable != nil && durable.wait() != nil || ctx.Err() != nil && !effect {
			return // The loop has seen the error, or nobody waits any more.
		}
		e.await(ctx, left, a.Progress)
		if effect {
			log := e.openLog(id, perform.Op, perform.Attempt)
			a.Log = log
			defer log.close()
		}
		e.o.Reached(BeforeCommand, id, f.id)
		body, err := e.o.Worker.Carry(ctx, a)
		e.o.Reached(AfterCommand, id, f.id)
		select {
		case results <- result{flight: f, body: body, err: err}:
		case <-gone:
		}
	}()
}

// assignment puts together what carrying a command out needs.
func (d *driver) assignment(c run.Command) engine.Assignment {
	id, n, command := d.hold.row.id, d.hold.row.n, c.ID()
	return engine.Assignment{
		Run: id, Origin: d.hold.row.created, Dir: d.hold.row.dir, Plan: d.state.PlanOf(run.StageOf(c)), Command: c,
		Progress: func(p action.Progress) { d.e.watch.progress(n, id, command, p, d.o.OnProgress) },
		Children: &children{e: d.e, run: n},
		Keep:     d.e.keep,
		Fetch:    d.e.fetch,
		ReadLog: func(ctx context.Context, op run.Ref, attempt int) (io.ReadCloser, error) {
			return d.e.Log(ctx, id, op, attempt)
		},
	}
}

// The longest that a timer sleeps before it looks at the wall clock again: a
// clock that was set must not make a window open late.
const longestSleep = time.Minute

// arm lets a timer fire. Times within a step are counted from the last event by
// the monotonic clock; those of the calendar follow the wall clock.
func (d *driver) arm(c run.Timer) {
	f := &flight{id: c.ID()}
	wait := c.At.Sub(d.e.o.Now())
	calendar := c.Timer.Kind == run.TimerWindow
	if most := c.At.Sub(d.state.At); !calendar {
		wait = min(wait, most) // The clock may have gone back.
	}
	results, gone := d.results, d.gone
	fire := func() {
		select {
		case results <- result{flight: f, body: &run.TimerFired{Timer: c.Timer}}:
		case <-gone:
		}
	}
	if !calendar || wait <= longestSleep {
		f.timer = time.AfterFunc(max(wait, 0), fire)
	} else {
		now := d.e.o.Now
		f.timer = time.AfterFunc(longestSleep, func() {
			if left := c.At.Sub(now()); left > 0 {
				f.timer.Reset(min(left, longestSleep))
				return
			}
			fire()
		})
	}
	f.cancel = func() { f.timer.Stop() }
	d.flights[f.id] = f
}
