package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// firstEvent returns the beginning of every history: the run, its plan and the
// first event, checked by folding it.
func (e *Engine) firstEvent(n engine.NewRun) (run.Body, error) {
	body := &run.Started{
		Digest: n.Plan.Digest, Owner: n.By, Epoch: 1, Parallel: max(n.Parallel, 1), Until: n.Until,
	}
	_, err := run.Advance(run.New(n.Plan, "check"), run.Event{Seq: 1, At: e.o.Now(), Body: body})
	if err != nil {
		return nil, fmt.Errorf("start a run of plan %s: %w", n.Plan.Digest, err)
	}
	return body, nil
}

// insert writes a new run. Without an id it gets the name of its platform and
// the first number that is free.
func (e *Engine) insert(n engine.NewRun, body run.Body) (string, error) {
	var data bytes.Buffer
	if err := plan.Write(&data, n.Plan); err != nil {
		return "", fmt.Errorf("keep the plan: %w", err)
	}
	event := run.Event{Seq: 1, At: e.o.Now().UTC(), Body: body}
	text, err := run.EncodeEvent(event)
	if err != nil {
		return "", err
	}
	first := row{seq: 1, data: text, hash: chain(nil, text)}
	id := n.ID
	err = e.inTransaction(func(ctx context.Context, tx querier) error {
		if id == "" {
			if id, err = freeID(ctx, tx, n.Plan.Platform); err != nil {
				return err
			}
		}
		s, err := run.Advance(run.New(n.Plan, id), event)
		if err != nil {
			return err
		}
		now := formatTime(event.At)
		res, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO runs
			(id, platform, procedure, digest, created, updated, started_by, dir, status, seq, head)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)`,
			id, n.Plan.Platform, n.Plan.Procedure.Name, n.Plan.Digest, now, now, n.By, n.Dir,
			string(s.Status), first.hash)
		if err != nil {
			return err
		}
		if made, err := res.RowsAffected(); err != nil || made == 0 {
			return errors.Join(fmt.Errorf("run %q: %w", id, engine.ErrExists), err)
		}
		number, err := res.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO plans (run, digest, data) VALUES (?, ?, ?)",
			number, n.Plan.Digest, data.Bytes()); err != nil {
			return err
		}
		return insertHistory(ctx, tx, number, []row{first})
	})
	return id, err
}

// freeID makes an id of the name of a platform: "wiki-prod-3".
func freeID(ctx context.Context, tx querier, platform string) (string, error) {
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, platform), "-._")
	const longest = 50
	if name = name[:min(len(name), longest)]; name == "" {
		name = "run"
	}
	for i := 1; ; i++ {
		id := fmt.Sprintf("%s-%d", name, i)
		var taken int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM runs WHERE id = ?", id).Scan(&taken); err != nil {
			return "", err
		}
		if taken == 0 {
			return id, nil
		}
	}
}

// AddPlan implements engine.Replanner.
func (e *Engine) AddPlan(ctx context.Context, id string, p *plan.Plan) error {
	r, err := e.store.find(ctx, e.store.read, id)
	if err != nil {
		return err
	}
	if err := e.supported(id, p); err != nil {
		return err
	}
	var data bytes.Buffer
	if err := plan.Write(&data, p); err != nil {
		return fmt.Errorf("keep the plan: %w", err)
	}
	return e.inTransaction(func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO plans (run, digest, data) VALUES (?, ?, ?)",
			r.n, p.Digest, data.Bytes())
		return err
	})
}

// supported refuses a plan that needs an action which this program does not
// have, before anything is done.
func (e *Engine) supported(id string, p *plan.Plan) error {
	if e.o.Catalog == nil {
		return nil
	}
	check := func(name string) error {
		if _, ok := e.o.Catalog.Spec(name); !ok {
			return &engine.UnsupportedError{ID: id, What: fmt.Sprintf("it has no action %q", name)}
		}
		return nil
	}
	for _, o := range p.Observe {
		if err := check(o.Action); err != nil {
			return err
		}
	}
	for i := range p.Stages {
		steps := p.Stages[i].Steps
		if p.Stages[i].Abort != nil {
			steps = append(append([]plan.Step{}, steps...), p.Stages[i].Abort.Steps...)
		}
		for j := range steps {
			if err := check(steps[j].Action); err != nil {
				return err
			}
		}
	}
	return nil
}
