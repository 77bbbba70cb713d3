package all_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/archive"
	"github.com/refitproject/refit/internal/backup"
)

// identities gives an age key beside the secrets of a world.
type identities struct {
	actiontest.Secrets
	key string
}

func (s identities) Resolve(ctx context.Context, ref map[string]any) (string, error) {
	if ref["env"] == "BACKUP_KEY" {
		return s.key, nil
	}
	return s.Secrets.Resolve(ctx, ref)
}

// vault adds what the examples of the family secret talk about to a world: a key
// and an empty store.
func vault(t *testing.T, w *actiontest.World) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w.Env.Secrets = identities{key: key.String()}
	if err := os.Mkdir(filepath.Join(w.Env.Dir, "backups"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.State = func(t *testing.T) string { t.Helper(); return withoutObjects(t, w.Env.Dir) }
}

// homes adds what the examples of the family archive talk about to a world: a
// folder, and a store with a backup of it.
func homes(t *testing.T, w *actiontest.World, family archive.World) {
	t.Helper()
	dir := w.Env.Dir
	for _, folder := range []string{"homes", "backups"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "homes/notes"), []byte("of ada\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := w.Env
	env.Key = "another-run/homes-backup"
	in := map[string]any{"store": "file:backups", "path": "homes"}
	if _, err := archive.Backup(family).Run(t.Context(), env, in, nil); err != nil {
		t.Fatal(err)
	}
	w.Adapt = func(in map[string]any) {
		if _, given := in["backup"]; given {
			in["backup"] = backup.ID("homes", env.Key, action.Env{}.Origin)
		}
	}
	w.State = func(t *testing.T) string { t.Helper(); return withoutObjects(t, dir) }
}

// withoutObjects lists a folder with the kinds of the objects in its store.
func withoutObjects(t *testing.T, dir string) string {
	t.Helper()
	var state strings.Builder
	for line := range strings.Lines(actiontest.FolderState(t, dir)) {
		if name, content, _ := strings.Cut(line, " \""); strings.Contains(name, " backups/") {
			line = name[:strings.LastIndex(name, "/")+6] // the rest differs with the times of files, and with keys
		} else {
			line = name + content
		}
		state.WriteString(line + "\n")
	}
	return state.String()
}
