package database_test

import (
	"errors"
	"os"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/database"
	"github.com/refitproject/refit/internal/action/database/databasetest"
	"github.com/refitproject/refit/internal/action/exec"
)

var servers = map[string]*databasetest.Shared{
	"postgresql": {Engine: "postgresql"}, "mysql": {Engine: "mysql"},
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, s := range servers {
		s.Stop()
	}
	os.Exit(code)
}

func world() database.World {
	environ := []string{"PATH=" + os.Getenv("PATH")}
	return database.World{
		Hostname: func() (string, error) { return "node-1", nil },
		Programs: exec.NewRunner(environ), Environ: environ,
	}
}

// fresh and saved are worlds on the server of an engine.
func fresh(t *testing.T, engine string) *databasetest.World {
	t.Helper()
	return databasetest.Fresh(t, servers[engine].Server(t))
}

func saved(t *testing.T, engine string) *databasetest.World {
	t.Helper()
	return databasetest.Saved(t, servers[engine].Server(t), world())
}

var errCrash = errors.New("the process has ended")

// crashOf breaks Run off at the change of a number.
func crashOf(newAction func(database.World) action.Action) func(*testing.T, actiontest.World, map[string]any, map[string]any, int) bool {
	return func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
		t.Helper()
		reached := false
		dying := world()
		dying.Before = func(string) error {
			if point--; point < 0 {
				reached = true
				return errCrash
			}
			return nil
		}
		if _, err := newAction(dying).Run(t.Context(), w.Env, in, before); (err != nil) != reached {
			t.Errorf("Run: %v", err)
		}
		return reached
	}
}

// suites runs a suite for the engines of this machine.
func suites(
	t *testing.T, newAction func(database.World) action.Action, examples string,
	newWorld func(*testing.T, string) *databasetest.World,
) {
	t.Helper()
	for engine := range servers {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			servers[engine].Server(t)
			actiontest.Run(t, actiontest.Suite{
				Action: newAction(world()), Examples: "testdata/" + examples + "/*.yaml", Crash: crashOf(newAction),
				World: func(t *testing.T) actiontest.World { t.Helper(); return newWorld(t, engine).World },
			})
		})
	}
}

func TestBackupSuite(t *testing.T)  { t.Parallel(); suites(t, database.Backup, "backup", fresh) }
func TestVerifySuite(t *testing.T)  { t.Parallel(); suites(t, database.Verify, "verify", saved) }
func TestRestoreSuite(t *testing.T) { t.Parallel(); suites(t, database.Restore, "restore", saved) }
func TestSchemaSuite(t *testing.T)  { t.Parallel(); suites(t, database.Schema, "schema", fresh) }
func TestPrivilegesSuite(t *testing.T) {
	t.Parallel()
	suites(t, database.CheckPrivileges, "privileges", fresh)
}
