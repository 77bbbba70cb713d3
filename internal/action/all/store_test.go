package all_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/backup/miniotest"
)

// TestBackupOnS3 saves, proves and restores with a real server. Its keys come from
// the environment that the clients are given, not from that of the process.
func TestBackupOnS3(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	w := actiontest.FolderWorld(t)
	env := w.Env
	env.Key, env.Proof = "run/homes-backup", 3
	if err := os.Mkdir(filepath.Join(env.Dir, "homes"), 0o700); err != nil {
		t.Fatal(err)
	}
	notes := filepath.Join(env.Dir, "homes/notes")
	if err := os.WriteFile(notes, []byte("of ada\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := server.Address(server.Bucket(t), "hub")
	run := func(environ []string, name string, in map[string]any) (map[string]any, error) {
		t.Helper()
		for _, a := range all.Actions(all.NewClients(environ)) {
			if a.Spec().Name == name {
				return a.Run(t.Context(), env, in, nil)
			}
		}
		t.Fatalf("there is no action %s", name)
		return nil, nil
	}
	in := map[string]any{"store": store, "path": "homes"}
	_, err := run([]string{"HOME=/nowhere"}, "archive.backup", in)
	failed, ok := err.(*action.Error) //nolint:errorlint // it comes as it is
	if !ok || failed.Reason != action.ReasonAccessRefused || failed.Effect != action.ExtentNone {
		t.Fatalf("without keys: %v", err)
	}
	out, err := run(server.Environ(), "archive.backup", in)
	if err != nil || fmt.Sprint(out["proof"]) != "3" || out["store"] != store {
		t.Fatalf("backup: %v, %v", out, err)
	}
	proof, err := run(server.Environ(), "archive.verify", map[string]any{"store": store, "backup": out["backup"], "level": 3})
	if err != nil || !strings.Contains(fmt.Sprint(proof["counted"]), "1 file") {
		t.Errorf("verify: %v, %v", proof, err)
	}
	if err := os.Remove(notes); err != nil {
		t.Fatal(err)
	}
	_, err = run(server.Environ(), "archive.restore", map[string]any{"store": store, "backup": out["backup"], "path": "homes"})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(notes); err != nil || string(data) != "of ada\n" {
		t.Errorf("restored: %q, %v", data, err)
	}
}
