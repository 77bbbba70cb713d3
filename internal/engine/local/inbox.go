package local

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// question is what somebody asks for.
type question struct {
	n int64
	// body is nil when it cannot be read.
	body run.Body
}

// inbox reads what is asked for and not answered.
func (s *store) inbox(ctx context.Context, n int64) ([]question, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT n, body FROM inbox WHERE run = ? AND answered = '' ORDER BY n", n)
	if err != nil {
		return nil, s.explain(err)
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	var list []question
	for rows.Next() {
		var q question
		var data []byte
		if err := rows.Scan(&q.n, &data); err != nil {
			return nil, s.explain(err)
		}
		if event, err := run.DecodeEvent(data); err == nil {
			q.body = event.Body
		}
		list = append(list, q)
	}
	return list, s.explain(rows.Err())
}

// askEvery is how often the answer to a request is looked for.
const askEvery = 50 * time.Millisecond

// Request implements engine.Engine.
func (e *Engine) Request(ctx context.Context, id string, body run.Body) error {
	var by string
	//nolint:gochecksumtype // Nobody asks for the others.
	switch b := body.(type) {
	case run.Asks:
		by = b.Asker().By
	case *run.ProbeChanged:
		by = "probe " + b.Probe
	default:
		return fmt.Errorf("%w: %T is not something that a person or a probe asks for", run.ErrRefused, body)
	}
	h, err := e.acquire(ctx, id, by, 0)
	if _, owned := errors.AsType[*engine.OwnedError](err); owned {
		return e.ask(ctx, id, body)
	}
	if err != nil {
		return err
	}
	return e.briefly(ctx, h, body)
}

// briefly takes a run over for as long as it takes to append what people ask
// for. Requests that nobody answered, as their owner died, come first; body may
// be nil.
func (e *Engine) briefly(ctx context.Context, h *hold, body run.Body) error {
	defer h.giveBack()
	l, err := e.store.fold(ctx, e.store.read, h.row, e.o.Form)
	if err != nil {
		return err
	}
	// What was under way stays so: only who drives the run next observes it.
	d := &driver{
		e: e, hold: h, o: &engine.DriveOptions{}, announced: true, loaded: l, lastSeq: l.state.Seq, asked: true,
	}
	if err := d.requests(ctx); err != nil {
		return err
	}
	var refused error
	if body != nil {
		refused = d.append(body)
	}
	d.next = wakesAt(run.Pending(d.state), d.state.At)
	d.flush(true)
	if d.sent != nil {
		if err := d.sent.wait(); err != nil {
			return err
		}
	}
	return refused
}

// ask leaves a request for the owner of a run and waits for its answer. When
// the owner goes away, whoever takes the run over next answers, which may be
// this process.
func (e *Engine) ask(ctx context.Context, id string, body run.Body) error {
	data, err := run.EncodeEvent(run.Event{At: e.o.Now(), Body: body})
	if err != nil {
		return err
	}
	r, err := e.store.find(ctx, e.store.read, id)
	if err != nil {
		return err
	}
	var n int64
	err = e.inTransaction(func(ctx context.Context, tx querier) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO inbox (run, body, asked) VALUES (?, ?, ?)",
			r.n, data, formatTime(e.o.Now()))
		if err == nil {
			n, err = res.LastInsertId()
		}
		return err
	})
	if err != nil {
		return err
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("ask the owner of run %q: it has not answered yet, and will when it goes on: %w",
				id, ctx.Err())
		case <-tick.C:
		}
		answered, err := e.answered(ctx, id, n)
		if answered || err != nil {
			return err
		}
	}
}

// answered tells whether a request was answered; the error is the refusal. A
// request whose owner has gone is answered here.
func (e *Engine) answered(ctx context.Context, id string, n int64) (bool, error) {
	var at, refusal string
	err := e.store.read.QueryRowContext(ctx, "SELECT answered, refusal FROM inbox WHERE n = ?", n).Scan(&at, &refusal)
	if err != nil {
		return false, e.store.explain(err)
	}
	if at == "" {
		return false, e.answerForGone(ctx, id)
	}
	if refusal == "" {
		return true, nil
	}
	return true, fmt.Errorf("%w: %s", run.ErrRefused, strings.TrimPrefix(refusal, run.ErrRefused.Error()+": "))
}

// answerForGone answers what is asked for when nobody drives the run any more.
func (e *Engine) answerForGone(ctx context.Context, id string) error {
	h, err := e.acquire(ctx, id, "", 0)
	if _, owned := errors.AsType[*engine.OwnedError](err); owned {
		return nil
	}
	if err != nil {
		return err
	}
	return e.briefly(ctx, h, nil)
}
