package local

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// ownerPatience is how long driving waits for somebody who holds a run for a
// moment, to ask for something.
const ownerPatience = time.Second

// Drive implements engine.Engine.
func (e *Engine) Drive(ctx context.Context, o engine.DriveOptions) ([]engine.Outcome, error) {
	ids := o.Runs
	if len(ids) == 0 {
		rows, err := e.store.all(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			// A run that has ended may still have a lease to give back.
			if r.moved == "" && (!run.Status(r.status).Final() || r.next != "") {
				ids = append(ids, r.id)
			}
		}
	}
	if !e.enter() {
		return nil, errClosed
	}
	defer e.driving.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-e.quit:
			cancel()
		case <-ctx.Done():
		}
	}()
	outcomes := make([]engine.Outcome, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() { outcomes[i] = e.driveOne(ctx, id, &o) })
	}
	all.Wait()
	return outcomes, nil
}

// enter notes that something is driven, unless the engine is being closed.
func (e *Engine) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.quit:
		return false
	default:
		e.driving.Add(1)
		return true
	}
}

func (e *Engine) driveOne(ctx context.Context, id string, o *engine.DriveOptions) engine.Outcome {
	h, err := e.acquire(ctx, id, o.By, ownerPatience)
	if err != nil {
		return engine.Outcome{ID: id, Err: err}
	}
	err = e.drive(ctx, h, o)
	h.giveBack()
	out := engine.Outcome{ID: id, Err: err}
	if r, err := e.store.find(context.WithoutCancel(ctx), e.store.read, id); err == nil {
		out.Status = run.Status(r.status)
	} else {
		out.Err = errors.Join(out.Err, err)
	}
	return out
}

// Load implements engine.Engine.
func (e *Engine) Load(ctx context.Context, id string) (engine.Snapshot, error) {
	// One transaction, as an owner may append meanwhile.
	tx, err := e.store.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return engine.Snapshot{}, e.store.explain(err)
	}
	defer func() { _ = tx.Rollback() }() // It was only read from.
	r, err := e.store.find(ctx, tx, id)
	if err != nil {
		return engine.Snapshot{}, err
	}
	l, err := e.store.fold(ctx, tx, r, e.o.Form)
	if err != nil {
		return engine.Snapshot{}, err
	}
	snap := engine.Snapshot{Info: r.info(e.alive), Plan: l.state.Plan(), State: l.state}
	snap.Progress, err = e.store.progress(ctx, tx, r.n)
	return snap, err
}

// progress reads how far the commands of a run have come.
func (s *store) progress(ctx context.Context, q reader, n int64) (map[string]action.Measured, error) {
	rows, err := q.QueryContext(ctx, "SELECT command, data FROM progress WHERE run = ?", n)
	if err != nil {
		return nil, s.explain(err)
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	list := map[string]action.Measured{}
	for rows.Next() {
		var command string
		var data []byte
		if err := rows.Scan(&command, &data); err != nil {
			return nil, s.explain(err)
		}
		var p action.Measured
		if json.Unmarshal(data, &p) == nil {
			list[command] = p
		}
	}
	return list, s.explain(rows.Err())
}

// History implements engine.Engine. The chain is checked as far as it is read.
func (e *Engine) History(ctx context.Context, id string, after uint64, most int) ([]engine.Record, error) {
	r, err := e.store.find(ctx, e.store.read, id)
	if err != nil {
		return nil, err
	}
	before := after
	if after > 0 {
		before-- // With the event before, to check the first one.
		if most > 0 {
			most++
		}
	}
	var list []engine.Record
	var head []byte
	err = readEvents(ctx, e.store.read, r, before, most, func(n *row) error {
		if n.seq > after {
			record, err := checked(head, n)
			if err != nil {
				return &engine.DamagedError{ID: id, Seq: n.seq, Err: err}
			}
			list = append(list, record)
		}
		head = n.hash
		return nil
	})
	if err != nil {
		return nil, e.store.explain(err)
	}
	return list, nil
}

// checked reads an event and checks its place in the chain.
func checked(head []byte, n *row) (engine.Record, error) {
	if !sameHash(chain(head, n.data), n.hash) {
		return engine.Record{}, errors.New("its hash does not fit")
	}
	event, err := run.DecodeEvent(n.data)
	return engine.Record{Event: event, Hash: headText(n.hash)}, err
}
