package actiontest

import (
	"testing"

	"github.com/refitproject/refit/internal/action"
)

// access tests that an action can do all it does with what it says that it asks a
// cluster for, and with nothing else.
func (s Suite) access(t *testing.T, example map[string]any) {
	t.Helper()
	asks, ok := s.Action.(action.Accessor)
	if !ok {
		t.Fatal("the action does not say what it asks a cluster for")
	}
	s.permit = func(t *testing.T, w World, in map[string]any) action.Env {
		t.Helper()
		list, known, err := asks.Access(t.Context(), w.Env, in)
		if err != nil {
			t.Fatalf("Access: %v", err)
		}
		if !known {
			t.Fatal("the action does not say what it asks a cluster for")
		}
		return s.Permit(t, w.Env, list)
	}
	s.readsOnly(t, example)
	s.effect(t, example)
}
