package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// checkpoint is the state of a run at an event, so that the history before it
// need not be folded again.
type checkpoint struct {
	seq  uint64
	head []byte
	// form tells which program wrote the state, and the hash of what it wrote:
	// states of others, and damaged ones, are not read.
	form  string
	state []byte
}

// checkpointEvery is after how many events a checkpoint is written. A large plan
// waits longer: writing its state costs as much as folding some events.
func checkpointEvery(steps int) uint64 {
	const least, share = 256, 8
	return max(least, uint64(steps/share)) //nolint:gosec // A number of steps is not negative.
}

// chain returns the hash of an event that follows one with the hash head.
func chain(head, data []byte) []byte {
	h := sha256.New()
	_, _ = h.Write(head) // a hash never fails to write
	_, _ = h.Write(data)
	return h.Sum(nil)
}

// headText writes a hash for people.
func headText(head []byte) string {
	if len(head) == 0 {
		return ""
	}
	return "sha256:" + hex.EncodeToString(head)
}

// loaded is a run as it was read.
type loaded struct {
	state run.State
	head  []byte
	// since counts the events behind the checkpoint.
	since uint64
}

// fold reads the history of a run, from its checkpoint on, and checks the chain.
// Damage is a *engine.DamagedError.
func (s *store) fold(ctx context.Context, q reader, r *runRow, form string) (loaded, error) {
	l, err := s.fromCheckpoint(ctx, q, r, form)
	if err != nil {
		return l, err
	}
	from := l.state.Seq
	rows, err := q.QueryContext(ctx, "SELECT seq, hash, data FROM events WHERE run = ? AND seq > ? ORDER BY seq",
		r.n, from)
	if err != nil {
		return l, s.explain(err)
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	for rows.Next() {
		var e row
		if err := rows.Scan(&e.seq, &e.hash, &e.data); err != nil {
			return l, s.explain(err)
		}
		if err := l.add(&e); err != nil {
			return l, &engine.DamagedError{ID: r.id, Seq: e.seq, Err: err}
		}
	}
	if err := rows.Err(); err != nil {
		return l, s.explain(err)
	}
	l.since = l.state.Seq - from
	if l.state.Seq != r.seq || !sameHash(l.head, r.head) {
		return l, &engine.DamagedError{
			ID: r.id, Seq: l.state.Seq,
			Err: fmt.Errorf("the history ends at event %d, the run has %d events", l.state.Seq, r.seq),
		}
	}
	return l, nil
}

func sameHash(a, b []byte) bool { return string(a) == string(b) }

// add folds one event behind those so far.
func (l *loaded) add(e *row) error {
	if !sameHash(chain(l.head, e.data), e.hash) {
		return errors.New("its hash does not fit")
	}
	event, err := run.DecodeEvent(e.data)
	if err != nil {
		return err
	}
	if event.Seq != e.seq {
		return fmt.Errorf("it says that it is event %d", event.Seq)
	}
	if l.state, err = run.Advance(l.state, event); err != nil {
		return err
	}
	l.head = e.hash
	return nil
}

// fromCheckpoint returns the state of the checkpoint, or of the beginning when
// there is none that this program can use: it is only a copy, the history says
// the same.
func (s *store) fromCheckpoint(ctx context.Context, q reader, r *runRow, form string) (loaded, error) {
	source, err := s.planSource(ctx, q, r)
	if err != nil {
		return loaded{}, err
	}
	var c checkpoint
	err = q.QueryRowContext(ctx, `SELECT c.seq, c.head, c.form, c.state FROM checkpoints c
		JOIN events e ON e.run = c.run AND e.seq = c.seq AND e.hash = c.head WHERE c.run = ?`, r.n).
		Scan(&c.seq, &c.head, &c.form, &c.state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return loaded{}, s.explain(err)
	}
	var state run.State
	usable := err == nil && c.form == stateForm(form, c.state)
	if usable && json.Unmarshal(c.state, &state) == nil && state.Seq == c.seq {
		if state, err = run.ResumeFrom(source, state); err == nil {
			return loaded{state: state, head: c.head}, nil
		}
	}
	first, err := source(r.digest)
	if err != nil {
		return loaded{}, &engine.DamagedError{ID: r.id, Err: err}
	}
	return loaded{state: run.WithPlans(run.New(first, r.id), source)}, nil
}

// stateForm names the form of a state with its hash. The chain does not cover a
// checkpoint, and what is damaged must not be believed.
func stateForm(form string, state []byte) string {
	sum := sha256.Sum256(state)
	return form + " " + hex.EncodeToString(sum[:])
}

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
		p, err := plan.Read(bytes.NewReader(data))
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

// newCheckpoint returns a checkpoint of a state; nil when it cannot be written,
// which costs time only.
func newCheckpoint(l *loaded, form string) *checkpoint {
	state, err := json.Marshal(l.state)
	if err != nil {
		return nil
	}
	return &checkpoint{seq: l.state.Seq, head: l.head, form: stateForm(form, state), state: state}
}
