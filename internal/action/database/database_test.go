package database_test

import (
	"context"
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

// noSecrets can read none.
type noSecrets struct{}

func (noSecrets) Resolve(context.Context, map[string]any) (string, error) {
	return "", &action.Error{
		Reason: action.ReasonSecretUnavailable, Effect: action.ExtentNone, Err: errors.New("it is not set"),
	}
}

// TestPasswordOfSQLite gives a password that cannot be read, as a procedure for all kinds
// of databases does: SQLite has none, and nothing asks for it.
func TestPasswordOfSQLite(t *testing.T) {
	t.Parallel()
	for engine, want := range map[string]string{"sqlite": "ConnectionConfig", "postgresql": action.ReasonSecretUnavailable} {
		at := map[string]any{"engine": engine, "name": "hub", "user": "hub", "host": "127.0.0.1"}
		if engine == "sqlite" {
			at = map[string]any{"engine": engine, "namespace": "hub", "pod": "component=hub", "path": "/srv/hub.sqlite"}
		}
		env := action.Env{Key: "run-1/step-1", Dir: t.TempDir(), Secrets: noSecrets{}}
		in := map[string]any{"database": at, "password": map[string]any{"env": "NOBODY_HAS_SET_IT"}}
		if _, err := database.Schema(world()).Observe(t.Context(), env, in); action.ReasonOf(err) != want {
			t.Errorf("%s: got %v, want %s", engine, err, want)
		}
	}
}
