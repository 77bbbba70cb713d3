package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// driver drives one run. Everything but carrying out commands happens in one
// goroutine, which owns the state.
type driver struct {
	e    *Engine
	hold *hold
	o    *engine.DriveOptions
	loaded
	// announced is set once the history names this owner.
	announced bool
	flights   map[string]*flight
	// ends tells by operation when what was last done for it has ended: nothing
	// else is done for an operation before.
	ends    map[run.Ref]<-chan struct{}
	results chan result
	// hurried tells that what was under way was asked to end now.
	hurried bool
	// gone is closed when results are not taken any more.
	gone chan struct{}
	// wake is told that somebody asks for something; asked is set until the
	// inbox was looked at.
	wake  chan struct{}
	asked bool
	// taken is the number of the last request that was taken: until its answer is
	// durable the inbox shows it still.
	taken int64
	// unsent are events that are folded and not yet handed to the writer, sent
	// the last entry that was.
	unsent  []row
	records []engine.Record
	answers []answer
	sent    *entry
	lastSeq uint64
	// failed tells why an entry could not be written: nothing else may wake the
	// driver then.
	failed chan error
	// next is when the run goes on by itself; zero when it does not.
	next time.Time
	// orphans are programs that an earlier owner left running, by key.
	orphans map[string][]child
	// release gives the targets back; nil while they are not held.
	release func()
}

// result is what came of a command.
type result struct {
	flight *flight
	body   run.Body
	err    error
}

// errLeft ends the loop of a driver in order.
var errLeft = errors.New("left")

// drive drives a run that is held until it ends, waits, or has to stop.
func (e *Engine) drive(ctx context.Context, h *hold, o *engine.DriveOptions) error {
	wake := e.watch.add(h.row.n) //nolint:contextcheck // One look serves all drivers.
	d := &driver{e: e, hold: h, o: o, wake: wake}
	defer e.watch.remove(h.row.n)
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	defer func() {
		if d.release != nil {
			d.release()
		}
	}()
	for {
		err := d.load(ctx)
		if err == nil {
			err = d.guard(ctx, lost)
		}
		if err == nil {
			err = d.loop(ctx)
			d.salvage(ctx, err)
			d.land()
		}
		if errors.Is(err, errParked) {
			err = d.park(ctx)
		}
		if errors.Is(err, errLeft) {
			return d.takenFrom(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// guard holds the targets of the run, once.
func (d *driver) guard(ctx context.Context, lost context.CancelCauseFunc) error {
	guard, ok := d.e.o.Worker.(engine.Guard)
	if !ok || d.release != nil || len(run.Pending(d.state)) == 0 {
		return nil
	}
	var err error
	d.release, err = guard.Guard(ctx, engine.Watch{
		Run: d.hold.row.id, Origin: d.hold.row.created, Dir: d.hold.row.dir, Plan: d.state.Plan(),
		By: d.o.By, Host: d.e.o.Host, Lost: func(err error) { lost(err) },
	})
	return err
}

// takenFrom returns the error of a run that was left because another one has taken
// its target.
func (d *driver) takenFrom(ctx context.Context) error {
	if err := context.Cause(ctx); action.ReasonOf(err) == action.ReasonTargetLocked {
		return err
	}
	return nil
}

// load reads the run, and finds what an earlier owner left under way.
func (d *driver) load(ctx context.Context) error {
	row, err := d.e.store.find(ctx, d.e.store.read, d.hold.row.id)
	if err != nil {
		return err
	}
	d.hold.row = row
	if d.loaded, err = d.e.store.fold(ctx, d.e.store.read, row, d.e.o.Form); err != nil {
		return err
	}
	if err := d.e.supported(row.id, d.state.Plan()); err != nil {
		return err
	}
	d.flights, d.ends = map[string]*flight{}, map[run.Ref]<-chan struct{}{}
	const queue = 64
	d.results, d.gone, d.asked = make(chan result, queue), make(chan struct{}), true
	d.failed = make(chan error, 1)
	d.lastSeq, d.sent, d.unsent, d.records, d.answers = d.state.Seq, nil, nil, nil, nil
	return d.adopt(ctx)
}

// loop carries the run on until nothing more is to be done now.
func (d *driver) loop(ctx context.Context) error {
	for {
		switch {
		case ctx.Err() != nil:
			return d.stop(ctx)
		case closed(d.o.Stop): // Also when there are results: nothing follows from them any more.
			return d.finish(ctx)
		}
		if err := d.requests(ctx); err != nil {
			return err
		}
		if err := d.reconcile(ctx); err != nil {
			return err
		}
		d.flush(false)
		if err := d.leave(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-d.wake:
			d.asked = true
		case <-d.o.Stop:
			return d.finish(ctx)
		case err := <-d.failed:
			return err
		case r := <-d.results:
			if err := d.take(r); err != nil {
				return err
			}
			if err := d.drain(); err != nil {
				return err
			}
		}
	}
}

// closed tells whether a channel that nothing is sent to is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// drain takes the results that are there already.
func (d *driver) drain() error {
	for {
		select {
		case r := <-d.results:
			if err := d.take(r); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// take records what came of a command. What nobody waits for is dropped.
func (d *driver) take(r result) error {
	id := r.flight.id
	if d.flights[id] != r.flight {
		return nil
	}
	delete(d.flights, id)
	r.flight.cancel()
	if errors.Is(r.err, context.Canceled) {
		return nil // It was asked to end, and has nothing to say.
	}
	if r.err != nil {
		return fmt.Errorf("carry out %s of run %q: %w", id, d.hold.row.id, r.err)
	}
	if d.hurried && unclear(r.body) {
		// The owner ended it, which says nothing against the step: as after a
		// crash the next owner observes it, and the attempt does not count.
		return nil
	}
	if err := d.append(r.body); err != nil && !errors.Is(err, run.ErrStale) {
		return err
	}
	return nil
}

// unclear tells whether an attempt ended without anybody knowing what it did.
func unclear(body run.Body) bool {
	e, ok := body.(*run.OperationEnded)
	return ok && !e.OK && e.Extent == string(action.ExtentUnknown)
}

// append folds an event and hands it to the writer with the next flush.
func (d *driver) append(body run.Body) error {
	if !d.announced {
		d.announced = true
		if err := d.append(&run.OwnerChanged{Owner: d.o.By, Epoch: d.hold.epoch}); err != nil {
			return err
		}
	}
	event := run.Event{Seq: d.state.Seq + 1, At: d.e.o.Now().UTC().Round(0), Body: body}
	data, err := run.EncodeEvent(event)
	if err != nil {
		return err
	}
	next, err := run.Advance(d.state, event)
	if err != nil {
		if errors.Is(err, run.ErrInvalidTransition) {
			return &engine.DamagedError{ID: d.hold.row.id, Seq: event.Seq, Err: err}
		}
		return err
	}
	d.state, d.head = next, chain(d.head, data)
	d.since++
	d.unsent = append(d.unsent, row{seq: event.Seq, data: data, hash: d.head})
	if d.o.On != nil {
		d.records = append(d.records, engine.Record{Event: event, Hash: headText(d.head)})
	}
	return nil
}

// flush hands what was appended to the writer. urgent tells that something
// waits for it.
func (d *driver) flush(urgent bool) {
	if len(d.unsent) == 0 && len(d.answers) == 0 {
		return
	}
	r := d.hold.row
	n := &entry{
		run: r.n, id: r.id, epoch: d.hold.epoch, after: d.lastSeq, rows: d.unsent, answers: d.answers,
		status: string(d.state.Status), next: formatTime(d.next), now: formatTime(d.e.o.Now()),
		urgent: urgent || len(d.answers) > 0, checkpoint: d.checkpoint(), told: d.told(), before: d.sent,
		failed: d.failed, last: r.last,
	}
	d.lastSeq, d.unsent, d.answers, d.records = d.state.Seq, nil, nil, nil
	for _, row := range n.rows {
		d.e.o.Reached(BeforeAppend, r.id, fmt.Sprint(row.seq))
	}
	d.e.writer.write(n)
	d.sent = n
}

// told returns what is done once the events are durable.
func (d *driver) told() func() {
	id, records, reached, on := d.hold.row.id, d.records, d.e.o.Reached, d.o.On
	rows := d.unsent
	return func() {
		for _, row := range rows {
			reached(AfterAppend, id, fmt.Sprint(row.seq))
		}
		for _, r := range records {
			on(id, r)
		}
	}
}

// checkpoint returns the state when it is time to keep it.
func (d *driver) checkpoint() *checkpoint {
	if d.since < checkpointEvery(d.steps()) {
		return nil
	}
	d.since = 0
	return newCheckpoint(&d.loaded, d.e.o.Form)
}

func (d *driver) steps() int {
	n := 0
	for i := range d.state.Stages {
		n += len(d.state.Stages[i].Steps)
	}
	return n
}

// wakesAt returns when something happens by itself while these commands are
// pending: now for those that are no timers, zero when nothing does.
func wakesAt(pending []run.Command, now time.Time) time.Time {
	var first time.Time
	for _, c := range pending {
		timer, ok := c.(run.Timer)
		if !ok {
			return now
		}
		if first.IsZero() || timer.At.Before(first) {
			first = timer.At
		}
	}
	return first
}
