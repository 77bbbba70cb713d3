package local

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// eventsForTooks is how many events are folded at most to tell how long steps took:
// some tenths of a second. The newest run is always told.
const eventsForTooks = 20_000

// Tooks implements engine.Timekeeper.
func (e *Engine) Tooks(ctx context.Context, procedure, platform string, most int) ([]plan.Took, error) {
	rows, err := e.store.runsOf(ctx, procedure, platform, most)
	if err != nil {
		return nil, err
	}
	tooks := make([][]plan.Took, len(rows))
	const atOnce = 3 // of the connections that read
	group, events := errgroup.Group{}, uint64(0)
	group.SetLimit(atOnce)
	for i, r := range rows {
		if events += r.seq; events > eventsForTooks && i > 0 {
			break
		}
		group.Go(func() error {
			if l, err := e.store.fold(ctx, e.store.read, r, e.o.Form); err == nil {
				tooks[i] = run.Tooks(l.state)
			}
			return nil // A run that cannot be read tells nothing.
		})
	}
	_ = group.Wait() // No function of the group fails.
	var all []plan.Took
	for _, t := range tooks {
		all = append(all, t...)
	}
	return all, ctx.Err()
}

// runsOf reads the rows of the newest runs of a procedure, those of a platform first.
func (s *store) runsOf(ctx context.Context, procedure, platform string, most int) ([]*runRow, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+runColumns+
		" FROM runs WHERE procedure = ? ORDER BY platform = ? DESC, n DESC LIMIT ?", procedure, platform, most)
	if err != nil {
		return nil, s.explain(err)
	}
	return s.scanAll(rows)
}
