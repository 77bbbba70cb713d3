package archive_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	_ "modernc.org/sqlite"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/archive"
	"github.com/refitproject/refit/internal/backup"
)

func world() archive.World {
	return archive.World{Hostname: func() (string, error) { return "node-1", nil }}
}

// disk has a folder, a database, and a store.
func disk(t *testing.T) actiontest.World {
	t.Helper()
	w := actiontest.FolderWorld(t)
	dir := w.Env.Dir
	for name, content := range map[string]string{
		"data/one": "1", "data/sub/two": "2", "data/cache/x": "x", "store/.keep": "", "scratch/.keep": "",
	} {
		write(t, filepath.Join(dir, name), content)
	}
	db, err := sql.Open("sqlite", "file:"+dir+"/hub.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{`CREATE TABLE users (name TEXT)`, `INSERT INTO users VALUES ('ada'), ('bob')`} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	w.State = func(t *testing.T) string {
		t.Helper()
		state := objects(t, dir)
		for line := range strings.Lines(actiontest.FolderState(t, dir)) {
			if !strings.Contains(line, " store/") {
				state += line
			}
		}
		return state
	}
	return w
}

// objects says which objects a store has of which backup. Their bytes hold the
// times of files, which differ from world to world.
func objects(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(dir + "/store/*/*")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range found {
		kind, _, _ := strings.Cut(filepath.Base(name), ".")
		b.WriteString(filepath.Base(filepath.Dir(name)) + " " + kind[:min(len(kind), 11)] + "\n")
	}
	return b.String()
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
}

// saved is a disk with backups of both, which were changed since.
func saved(t *testing.T) actiontest.World {
	t.Helper()
	w := disk(t)
	env := w.Env
	env.Key = "run-1/backup"
	for _, in := range []map[string]any{
		{"store": "file:store", "path": "data"},
		{"store": "file:store", "path": "hub.sqlite", "kind": "sqlite", "name": "hub", "scratch": "scratch"},
	} {
		if _, err := archive.Backup(world()).Run(t.Context(), env, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	write(t, env.Dir+"/data/one", "changed")
	write(t, env.Dir+"/data/new", "new")
	write(t, env.Dir+"/hub.sqlite-wal", "left by somebody")
	if err := os.Chmod(env.Dir+"/data", 0o700); err != nil {
		t.Fatal(err)
	}
	w.Adapt = func(in map[string]any) {
		name, _ := in["backup"].(string)
		in["backup"] = backup.ID(name, env.Key, env.Origin)
	}
	return w
}

var errCrash = errors.New("the process has ended")

// crashOf breaks Run off at the change of a number.
func crashOf(newAction func(archive.World) action.Action) func(*testing.T, actiontest.World, map[string]any, map[string]any, int) bool {
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

func TestBackupSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: archive.Backup(world()), Examples: "testdata/backup/*.yaml", World: disk, Crash: crashOf(archive.Backup),
	})
}

func TestRestoreSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: archive.Restore(world()), Examples: "testdata/restore/*.yaml", World: saved, Crash: crashOf(archive.Restore),
	})
}

func TestVerifySuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: archive.Verify(world()), Examples: "testdata/verify/*.yaml", World: saved,
	})
}

// TestUndoThatIsBrokenOff ends the process at each change of an undo: the next
// one still finds everything.
func TestUndoThatIsBrokenOff(t *testing.T) {
	t.Parallel()
	for point := range 20 {
		w := saved(t)
		in := map[string]any{"store": "file:store", "backup": "data", "path": "data"}
		w.Adapt(in)
		start := w.State(t)
		if _, err := archive.Restore(world()).Run(t.Context(), w.Env, in, nil); err != nil {
			t.Fatal(err)
		}
		left := point
		dying := world()
		dying.Before = func(string) error {
			if left--; left < 0 {
				return errCrash
			}
			return nil
		}
		broken := archive.Restore(dying).Undo(t.Context(), w.Env, in, nil)
		if err := archive.Restore(world()).Undo(t.Context(), w.Env, in, nil); err != nil {
			t.Fatalf("point %d: %v", point, err)
		}
		if got := w.State(t); got != start {
			t.Errorf("point %d: undo ends in another world:\n%s\nwant:\n%s", point, got, start)
		}
		if broken == nil {
			return
		}
	}
	t.Error("undo does not end")
}

// TestRestoreBringsBack looks at what is there afterwards, and what was kept.
func TestRestoreBringsBack(t *testing.T) {
	t.Parallel()
	w := saved(t)
	a := archive.Restore(world())
	in := map[string]any{"store": "file:store", "backup": "data", "path": "data"}
	w.Adapt(in)
	out, err := a.Run(t.Context(), w.Env, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := actiontest.FolderState(t, w.Env.Dir+"/data"); got != "drwxr-x--- .\ndrwxr-x--- cache\n-rw-r----- cache/x \"x\"\n-rw-r----- one \"1\"\ndrwxr-x--- sub\n-rw-r----- sub/two \"2\"\n" {
		t.Errorf("restored:\n%s", got)
	}
	kept, _ := out["kept"].(string)
	if got := actiontest.FolderState(t, kept); !strings.Contains(got, `one "changed"`) || !strings.Contains(got, `new "new"`) {
		t.Errorf("kept:\n%s", got)
	}
	if out["counted"] != "3 files, 3 folders, 3 bytes" {
		t.Errorf("counted %v", out["counted"])
	}
}

// TestBackupIsProvedAsAsked tests that the level of the step is reached, that a
// backup that was not proved so far is not done, and that another run of the
// same name never takes it for its own.
func TestBackupIsProvedAsAsked(t *testing.T) {
	t.Parallel()
	w := disk(t)
	a := archive.Backup(world())
	in := map[string]any{"store": "file:store", "path": "data"}
	w.Env.Proof = 1
	out, err := a.Run(t.Context(), w.Env, in, nil)
	if err != nil || out["proof"] != int64(1) {
		t.Fatalf("got %v, %v", out, err)
	}
	w.Env.Proof = 3
	obs, err := a.Observe(t.Context(), w.Env, in)
	if err != nil || obs.Status != action.Partial {
		t.Fatalf("got %v, %v", obs, err)
	}
	if out, err = a.Run(t.Context(), w.Env, in, nil); err != nil || out["proof"] != int64(3) {
		t.Errorf("got %v, %v", out, err)
	}
	w.Env.Origin = "another run of the same name"
	if obs, err := a.Observe(t.Context(), w.Env, in); err != nil || obs.Status != action.NotStarted {
		t.Errorf("the backup of another run counts: %v, %v", obs, err)
	}
}

// TestBackupMadeAnew damages a backup before it is proved: the attempt says so
// and the next one stores what was lost.
func TestBackupMadeAnew(t *testing.T) {
	t.Parallel()
	w := disk(t)
	spoiling := world()
	spoiling.Before = func(what string) error {
		if what != "prove" {
			return nil
		}
		parts, err := filepath.Glob(w.Env.Dir + "/store/*/part-*")
		if err != nil || len(parts) == 0 {
			return errors.New("no part")
		}
		data, err := os.ReadFile(parts[0])
		if err != nil {
			return err
		}
		data[len(data)/2] ^= 4
		return os.WriteFile(parts[0], data, 0o600)
	}
	in := map[string]any{"store": "file:store", "path": "data"}
	_, err := archive.Backup(spoiling).Run(t.Context(), w.Env, in, nil)
	failed, ok := errors.AsType[*action.Error](err)
	if !ok || failed.Reason != backup.ReasonBackupDamaged || !failed.Retryable || failed.Effect != action.ExtentPartial {
		t.Fatalf("got %v", err)
	}
	obs, err := archive.Backup(world()).Observe(t.Context(), w.Env, in)
	if err != nil || obs.Status == action.Done {
		t.Fatalf("got %v, %v", obs, err)
	}
	if _, err := archive.Backup(world()).Run(t.Context(), w.Env, in, nil); err != nil {
		t.Error(err)
	}
}

// keys gives an age identity for every reference.
type keys string

func (k keys) Resolve(context.Context, map[string]any) (string, error) { return string(k), nil }

func TestEncrypted(t *testing.T) {
	t.Parallel()
	w := disk(t)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w.Env.Secrets = keys(id.String())
	in := map[string]any{"store": "file:store", "path": "data", "key": map[string]any{"env": "KEY"}}
	out, err := archive.Backup(world()).Run(t.Context(), w.Env, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	restore := map[string]any{"store": "file:store", "path": "elsewhere", "backup": out["backup"]}
	_, err = archive.Restore(world()).Run(t.Context(), w.Env, restore, nil)
	if failed, ok := errors.AsType[*action.Error](err); !ok || failed.Reason != backup.ReasonWrongKey {
		t.Errorf("without the key: %v", err)
	}
	if left, _ := filepath.Glob(w.Env.Dir + "/.elsewhere*"); len(left) > 0 {
		t.Errorf("without the key it leaves %v", left)
	}
	restore["key"] = in["key"]
	if _, err := archive.Restore(world()).Run(t.Context(), w.Env, restore, nil); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(w.Env.Dir + "/elsewhere/sub/two"); string(data) != "2" {
		t.Errorf("got %q, %v", data, err)
	}
	w.Env.Secrets = keys("hunter2")
	if _, err := archive.Backup(world()).Observe(t.Context(), w.Env, in); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
