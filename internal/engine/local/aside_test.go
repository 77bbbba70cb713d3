package local_test

import (
	"errors"
	"testing"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/run"
)

// TestSetAside gives up a run whose history is damaged, and no other: nobody could
// drive, cancel or start anything on its platform otherwise.
func TestSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/state"
	e := open(t, dir, enginetest.NewWorld())
	id := create(t, e, enginetest.Chain(t, 2))
	if err := e.SetAside(t.Context(), id, "tired of it"); !errors.Is(err, run.ErrRefused) {
		t.Fatalf("a run that can be read is set aside: %v", err)
	}
	change(t, dir, "UPDATE events SET hash = zeroblob(32)")
	if _, err := e.Load(t.Context(), id); err == nil {
		t.Fatal("the damage is not found")
	}
	if err := e.SetAside(t.Context(), id, "the disk broke"); err != nil {
		t.Fatal(err)
	}
	list, err := e.List(t.Context())
	if err != nil || len(list) != 1 || !list[0].Moved {
		t.Fatalf("got %+v, %v", list, err)
	}
	if out := drive(t, e, id); !errors.Is(out[0].Err, engine.ErrMoved) {
		t.Errorf("a run that was set aside is driven: %v", out[0].Err)
	}
}
