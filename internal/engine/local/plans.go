package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"weak"

	"golang.org/x/sync/singleflight"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// planSource finds the plans that are kept with a run, each read once. Those that
// are there already are taken from the database now: folding asks for them while it
// holds a connection, and when many fold at once none would be left to answer.
func (s *store) planSource(ctx context.Context, q reader, r *runRow) (run.PlanSource, error) {
	known, kept := map[string]*plan.Plan{}, map[string][]byte{}
	err := each(ctx, q, "SELECT digest, data FROM plans WHERE run = ?", r.n, func(scan func(...any) error) error {
		var digest string
		var data []byte
		err := scan(&digest, &data)
		kept[digest] = data
		return err
	})
	if err != nil {
		return nil, s.explain(err)
	}
	ctx = context.WithoutCancel(ctx) // It is asked for as long as the state is used.
	return func(digest string) (*plan.Plan, error) {
		if p := known[digest]; p != nil {
			return p, nil
		}
		data, err := s.planData(ctx, r, digest, kept)
		if err != nil {
			return nil, err
		}
		p, err := s.plans.read(data)
		if err != nil {
			return nil, err
		}
		known[digest] = p
		delete(kept, digest)
		return p, nil
	}, nil
}

// planData returns a plan as it is kept: one that was there when the run was
// read, or one that was added since.
func (s *store) planData(ctx context.Context, r *runRow, digest string, kept map[string][]byte) ([]byte, error) {
	if data, ok := kept[digest]; ok {
		return data, nil
	}
	var data []byte
	row := s.read.QueryRowContext(ctx, "SELECT data FROM plans WHERE run = ? AND digest = ?", r.n, digest)
	err := row.Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errors.New("it is not kept with the run")
	}
	return data, s.explain(err)
}

// readPlans are the plans that somebody in this process uses, by the hash of their
// text: reading a large one takes long, and runs of one plan, and those who look at
// a run again and again, share it. Nobody changes a plan. The zero value is empty.
type readPlans struct {
	reading singleflight.Group
	mu      sync.Mutex
	known   map[[sha256.Size]byte]weak.Pointer[plan.Plan]
}

// read returns the plan with this text.
func (r *readPlans) read(data []byte) (*plan.Plan, error) {
	key := sha256.Sum256(data)
	p, err, _ := r.reading.Do(string(key[:]), func() (any, error) {
		if p := r.find(key); p != nil {
			return p, nil
		}
		p, err := plan.Read(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		r.keep(key, p)
		return p, nil
	})
	if err != nil {
		return nil, err
	}
	return p.(*plan.Plan), nil //nolint:forcetypeassert // It is what the function returns.
}

func (r *readPlans) find(key [sha256.Size]byte) *plan.Plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[key].Value()
}

func (r *readPlans) keep(key [sha256.Size]byte, p *plan.Plan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[[sha256.Size]byte]weak.Pointer[plan.Plan]{}
	}
	r.known[key] = weak.Make(p)
	runtime.AddCleanup(p, r.forget, key)
}

// forget drops a plan that nobody uses any more.
func (r *readPlans) forget(key [sha256.Size]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[key].Value() == nil {
		delete(r.known, key)
	}
}
