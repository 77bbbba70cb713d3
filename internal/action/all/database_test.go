package all_test

import (
	"testing"

	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/database"
	"github.com/refitproject/refit/internal/action/database/databasetest"
)

// stored is what the examples of the family database talk about: a database on a real
// server, and a store with a backup of it.
func stored(t *testing.T, server *databasetest.Server, family database.World) actiontest.World {
	t.Helper()
	f := databasetest.Saved(t, server, family)
	adapt := f.Adapt
	f.Adapt = func(in map[string]any) {
		_, given := in["backup"]
		adapt(in)
		if !given {
			delete(in, "backup")
		}
		if _, given := in["store"]; given {
			in["store"] = "file:store"
		}
	}
	return f.World
}
