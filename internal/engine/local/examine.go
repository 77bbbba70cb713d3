package local

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strconv"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/filelock"
	"github.com/refitproject/refit/internal/run"
)

var _ engine.Examiner = (*Engine)(nil)

// Examine implements engine.Examiner.
func (e *Engine) Examine(ctx context.Context) ([]engine.Trouble, error) {
	found, err := e.store.check(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := e.store.all(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.moved != "" || r.info(e.alive).Owner != nil {
			continue
		}
		if pid, died := r.diedWith(); died && !run.Status(r.status).Final() {
			found = append(found, engine.Trouble{Kind: engine.TroubleDied, Run: r.id, PID: pid})
		}
		pid, err := e.leftRunning(ctx, r.n)
		if err != nil {
			return nil, err
		}
		if pid != 0 {
			found = append(found, engine.Trouble{Kind: engine.TroubleChild, Run: r.id, PID: pid})
		}
		file := filepath.Join(e.o.Dir, "locks", strconv.FormatInt(r.n, 10)+".lock")
		lock, err := filelock.Try(file)
		switch {
		case err != nil:
			found = append(found, engine.Trouble{Kind: engine.TroubleLocked, Run: r.id, Text: err.Error()})
		case lock == nil:
			found = append(found, engine.Trouble{Kind: engine.TroubleLocked, Run: r.id, Text: file})
		default:
			_ = lock.Close() // It was only tried.
		}
	}
	return found, nil
}

// diedWith returns the process that drove the run and did not give it back.
func (r *runRow) diedWith() (pid int, died bool) {
	var o ownerRow
	if r.owner == "" || json.Unmarshal([]byte(r.owner), &o) != nil {
		return 0, false
	}
	return o.PID, true
}

// check reads the whole database and compares what belongs together.
func (s *store) check(ctx context.Context) ([]engine.Trouble, error) {
	rows, err := s.read.QueryContext(ctx, "PRAGMA quick_check(5)")
	if err != nil {
		return nil, s.explain(err)
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	var found []engine.Trouble
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, s.explain(err)
		}
		if text != "ok" {
			found = append(found, engine.Trouble{Kind: engine.TroubleDamaged, Text: text})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return found, nil
}
