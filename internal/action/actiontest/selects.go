package actiontest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
)

// selects tests that an action acts on what it is told to and on nothing else: on
// nothing for no members, and on the first of them alone when that is all. The
// examples of an action that selects let it pick at least two.
func (s Suite) selects(t *testing.T, example map[string]any) {
	t.Helper()
	if !s.Action.Spec().Selects {
		return
	}
	w, in := s.start(t, example)
	obs := s.expect(t, w, in, action.NotStarted)
	if len(obs.Members) < 2 {
		t.Fatalf("it picks %v: an example needs two members", obs.Members)
	}
	if again := s.expect(t, w, in, action.NotStarted); !cmp.Equal(obs.Members, again.Members) {
		t.Errorf("it picks %v, and then %v, of the same world", obs.Members, again.Members)
	}
	start := w.State(t)
	if _, err := s.Action.Run(t.Context(), w.Env, in, obs.Before); err != nil {
		t.Errorf("Run with no members: %v", err)
	}
	if diff := cmp.Diff(start, w.State(t)); diff != "" {
		t.Errorf("Run with no members changed the world (-before +after):\n%s", diff)
	}
	w.Env.Members = obs.Members[:1]
	if _, err := s.Action.Run(t.Context(), w.Env, in, obs.Before); err != nil {
		t.Fatalf("Run with one member: %v", err)
	}
	w.Env.Attempted = true
	if whole := s.expect(t, w, in, action.Done); len(whole.Members) != 0 {
		t.Errorf("of what it acted on is left: %v", whole.Members)
	}
	w.Env.Members = obs.Members
	if rest := s.expect(t, w, in, action.Partial); !cmp.Equal(rest.Members, obs.Members[1:]) {
		t.Errorf("after one member the others are left, not %v", rest.Members)
	}
}
