package local

import (
	"context"
	"errors"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// errParked ends the loop of a driver that has nothing to do for a while: its
// state is let go of until then.
var errParked = errors.New("parked")

const (
	// parkAfter is how long a run may have nothing to do before its state is let
	// go of.
	parkAfter = 5 * time.Second
	// grace is how long commands may take to end that were asked to.
	grace = 20 * time.Second
)

// leave ends the loop when nothing is to be done now: the run has ended, waits
// for longer than the caller wants to, or for so long that it is parked.
func (d *driver) leave(context.Context) error {
	for _, f := range d.flights {
		if f.timer == nil {
			return nil
		}
	}
	if len(d.results) > 0 || len(d.wake) > 0 {
		return nil
	}
	d.flush(true)
	if d.sent != nil {
		if err := d.sent.wait(); err != nil {
			return err
		}
	}
	next := d.next
	idle := time.Duration(1<<63 - 1)
	if !next.IsZero() {
		idle = next.Sub(d.e.o.Now())
	}
	switch {
	case d.state.Status.Final(), d.state.Status == run.Halted:
		return errLeft
	case d.o.Linger >= 0 && idle > d.o.Linger:
		return errLeft
	case idle > parkAfter:
		return errParked
	}
	return nil
}

// park waits until the run goes on by itself or somebody asks for something.
func (d *driver) park(ctx context.Context) error {
	next := d.next
	d.loaded = loaded{} // A thousand waiting runs must not cost a thousand states.
	begin := d.e.o.Now()
	most := next.Sub(begin)
	for {
		wait := longestSleep
		if now := d.e.o.Now(); !next.IsZero() {
			// A clock that was set back meanwhile must not make it wait for longer:
			// what has passed is counted by the monotonic clock.
			if wait = min(next.Sub(now), most-now.Sub(begin), longestSleep); wait <= 0 {
				return nil
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-d.wake:
			timer.Stop()
			return nil
		case <-d.o.Stop:
			timer.Stop()
			return errLeft
		case <-ctx.Done():
			timer.Stop()
			return errLeft
		}
	}
}

// stop asks everything under way to end and records what came of it.
func (d *driver) stop(context.Context) error {
	d.hurried = true
	for _, f := range d.flights {
		f.cancel()
	}
	return d.collect()
}

// finish lets effects that are under way go on to their end, or to the end of
// their time, and records them, and what people ask for meanwhile; nothing new is
// started. Asked a second time it asks the effects to end.
func (d *driver) finish(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return d.stop(ctx)
		}
		if err := d.requests(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		pending := run.Pending(d.state)
		d.next = wakesAt(pending, d.state.At)
		if !d.shed(pending) {
			return d.stop(ctx)
		}
		d.flush(false)
		select {
		case <-ctx.Done():
		case <-d.wake:
			d.asked = true
		case err := <-d.failed:
			return err
		case r := <-d.results:
			if err := d.take(r); err != nil {
				return err
			}
		}
	}
}

// shed ends what is in flight but for effects and the timers that end these, and
// tells whether there is an effect still.
func (d *driver) shed(pending []run.Command) bool {
	wanted := make(map[string]bool, len(pending))
	for _, c := range pending {
		timer, ok := c.(run.Timer)
		wanted[c.ID()] = !ok || timer.Timer.Kind == run.TimerTimeout
	}
	effects := false
	for id, f := range d.flights {
		switch {
		case !wanted[id] || !f.effect && f.timer == nil:
			f.cancel()
			delete(d.flights, id)
		case f.effect:
			effects = true
		}
	}
	return effects
}

// collect takes results until everything that was launched has ended, which was
// asked to, and waits no longer than the grace.
func (d *driver) collect() error {
	late := time.After(grace)
	tooLate := false
	for _, ended := range d.ends {
		for waiting := !tooLate; waiting; {
			select {
			case r := <-d.results:
				if err := d.take(r); err != nil {
					return err
				}
			case <-ended:
				waiting = false
			case <-late: // What it did is observed by the next owner.
				waiting, tooLate = false, true
			}
		}
	}
	if err := d.drain(); err != nil {
		return err
	}
	d.next = wakesAt(run.Pending(d.state), d.state.At)
	d.flush(true)
	if d.sent != nil {
		if err := d.sent.wait(); err != nil {
			return err
		}
	}
	return errLeft
}

// salvage records what is known when driving ends by trouble: the ends of effects
// that came in must not be forgotten, as nobody may be able to see them again.
func (d *driver) salvage(ctx context.Context, err error) {
	if err == nil || errors.Is(err, errLeft) || errors.Is(err, errParked) {
		return
	}
	_ = d.stop(ctx) // The trouble that came first is told.
	d.next = wakesAt(run.Pending(d.state), d.state.At)
	d.flush(true)
	if d.sent != nil {
		_ = d.sent.wait() // The same.
	}
}

// land ends what is in flight still. An effect must not go on behind the back of
// the next owner.
func (d *driver) land() {
	close(d.gone)
	for _, f := range d.flights {
		f.cancel()
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	for _, ended := range d.ends {
		select {
		case <-ended:
		case <-late.C:
			return
		}
	}
}

// requests turns what people ask for into events. What is not possible now is
// answered and leaves no event.
func (d *driver) requests(ctx context.Context) error {
	if !d.asked {
		return nil
	}
	d.asked = false
	list, err := d.e.store.inbox(ctx, d.hold.row.n)
	if err != nil {
		return err
	}
	for _, q := range list {
		if q.n <= d.taken {
			continue
		}
		d.taken = q.n
		err := d.request(q.body)
		_, damaged := errors.AsType[*engine.DamagedError](err)
		switch {
		case damaged:
			return err
		case err != nil:
			d.answers = append(d.answers, answer{n: q.n, refusal: err.Error()})
		default:
			d.answers = append(d.answers, answer{n: q.n})
		}
	}
	return nil
}

// request folds what a person asks for. The handlers check first, so that what
// is refused changes nothing.
func (d *driver) request(body run.Body) error {
	if body == nil {
		return run.ErrRefused
	}
	return d.append(body)
}
