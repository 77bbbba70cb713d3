package actiontest

import (
	"context"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// cancelled tests that functions with a context that has ended come back in
// time. Whether they fail is theirs to say: some never wait for anything.
func (s Suite) cancelled(t *testing.T, example map[string]any) {
	t.Helper()
	w, in := s.start(t, example)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	inTime(t, "Preview", func() { _, _ = s.Action.Preview(ctx, w.Env, in) })
	inTime(t, "Observe", func() { _, _ = s.Action.Observe(ctx, w.Env, in) })
	spec := s.Action.Spec()
	if spec.Effect == action.ReadOnly || spec.Gate != "" {
		return
	}
	before := w.State(t)
	inTime(t, "Run", func() {
		if _, err := s.Action.Run(ctx, w.Env, in, nil); err == nil && w.State(t) == before {
			t.Error("Run says that it succeeded and did nothing")
		}
	})
	inTime(t, "Undo", func() { _ = s.Action.Undo(ctx, w.Env, in, nil) })
}

// slow tests that a call that is under way ends soon after its context, and
// says so.
func (s Suite) slow(t *testing.T) {
	t.Helper()
	w, in := s.start(t, s.Slow)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	function, call := "Observe", func() error {
		_, err := s.Action.Observe(ctx, w.Env, in)
		return err
	}
	if spec := s.Action.Spec(); spec.Effect != action.ReadOnly {
		function, call = "Run", func() error {
			_, err := s.Action.Run(ctx, w.Env, in, nil)
			return err
		}
	}
	inTime(t, function, func() {
		err := call()
		if err == nil {
			t.Errorf("%s was cancelled and says that it succeeded", function)
			return
		}
		oneLine(t, err)
	})
}

// inTime fails the test when f takes longer than the deadline.
func inTime(t *testing.T, function string, f func()) {
	t.Helper()
	patience, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-patience.Done():
		t.Fatalf("%s goes on %s after its context ended", function, deadline)
	}
}
