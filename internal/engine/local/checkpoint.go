package local

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/engine"
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

// checkpointEvery is after how many events a checkpoint is written. Folding a
// thousand takes some ten milliseconds. A large plan waits longer: writing its
// state costs as much as folding many events.
func checkpointEvery(steps int) uint64 {
	const least, share = 1000, 8
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
	source, err := s.planSource(ctx, q, r)
	if err != nil {
		return loaded{}, err
	}
	l, err := s.fromCheckpoint(ctx, q, r, form, source)
	if err != nil {
		return l, err
	}
	if l.state.Seq > 0 {
		l, err = s.foldOn(ctx, q, r, l)
		if _, damaged := errors.AsType[*engine.DamagedError](err); !damaged {
			return l, err
		}
		// The checkpoint may be what does not fit. It is only a copy.
	}
	first, err := source(r.digest)
	if err != nil {
		return loaded{}, &engine.DamagedError{ID: r.id, Err: err}
	}
	return s.foldOn(ctx, q, r, loaded{state: run.WithPlans(run.New(first, r.id), source)})
}

// foldOn reads the events behind those that are folded already.
func (s *store) foldOn(ctx context.Context, q reader, r *runRow, l loaded) (loaded, error) {
	from := l.state.Seq
	err := readEvents(ctx, q, r, from, 0, func(e *row) error {
		if err := l.add(e); err != nil {
			return &engine.DamagedError{ID: r.id, Seq: e.seq, Err: err}
		}
		return nil
	})
	if err != nil {
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

// fromCheckpoint returns the state of the checkpoint, or nothing when there is
// none that this program can use: it is only a copy, the history says the same.
func (s *store) fromCheckpoint(
	ctx context.Context, q reader, r *runRow, form string, source run.PlanSource,
) (loaded, error) {
	var c checkpoint
	err := q.QueryRowContext(ctx, "SELECT seq, head, form, state FROM checkpoints WHERE run = ?", r.n).
		Scan(&c.seq, &c.head, &c.form, &c.state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return loaded{}, s.explain(err)
	}
	var l loaded
	if usable := err == nil && c.form == stateForm(form, c.state); !usable {
		return l, nil
	}
	if state, err := run.DecodeState(c.state); err == nil && state.Seq == c.seq {
		if state, err = run.ResumeFrom(source, state); err == nil {
			l = loaded{state: state, head: c.head}
		}
	}
	return l, nil
}

// stateForm names the form of a state with its hash. The chain does not cover a
// checkpoint, and what is damaged must not be believed.
func stateForm(form string, state []byte) string {
	sum := sha256.Sum256(state)
	return form + " " + hex.EncodeToString(sum[:])
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
