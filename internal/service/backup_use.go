package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/secret"
	"github.com/refitproject/refit/internal/yamldoc"
)

// VerifyRequest asks for the proof of a backup.
type VerifyRequest struct {
	From BackupStore
	ID   string
	// Level is 1 to 3.
	Level int
	// Key names the key of an encrypted backup: file:PATH, env:NAME or a reference
	// as procedures have it, {command: [PROGRAM, ARGUMENT]}. It is empty without one.
	Key string
}

// VerifyBackup proves a backup as archive.verify does and returns the proof. An
// error of which BackupIsBad says so is about the backup.
func (s *Service) VerifyBackup(ctx context.Context, r VerifyRequest) (*report.BackupProof, error) {
	store, err := s.openBackups(r.From)
	if err != nil {
		return nil, err
	}
	if _, err := s.findBackup(ctx, store, r.ID); err != nil {
		return nil, err
	}
	in, err := store.input(r.ID, r.Key)
	if err != nil {
		return nil, err
	}
	in["level"] = int64(r.Level)
	if _, err := s.useBackup(ctx, store, "archive.verify", action.Env{}, in); err != nil {
		return nil, err
	}
	e, err := s.findBackup(ctx, store, r.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Backward(e.Proofs) {
		if p.Level == r.Level {
			proof := proofOf(p)
			return &proof, nil
		}
	}
	return nil, fmt.Errorf("prove backup %q: the store does not have the proof that was just written", r.ID)
}

// BackupIsBad tells whether an error says that a backup is not what was stored,
// or not all of it.
func BackupIsBad(err error) bool {
	return backup.IsDamage(err) || action.ReasonOf(err) == backup.ReasonBackupIncomplete
}

// RestoreRequest asks for a backup to be brought back.
type RestoreRequest struct {
	From BackupStore
	ID   string
	// To is the path of the folder, or of the database file, that it becomes.
	To string
	// Replace permits that there is something. It is kept beside.
	Replace bool
	// Key is as in a VerifyRequest.
	Key string
}

// RestoreBackup brings a backup back as archive.restore does. What broke off is
// gone on with when the same is asked for again.
func (s *Service) RestoreBackup(ctx context.Context, r RestoreRequest) (*report.RestoreResult, error) {
	store, err := s.openBackups(r.From)
	if err != nil {
		return nil, err
	}
	e, err := s.findBackup(ctx, store, r.ID)
	if err == nil {
		err = e.Ready()
	}
	if err != nil {
		return nil, backupError(err)
	}
	if e.Manifest.Kind == backup.Secret {
		return nil, usageErrorf("backup %q holds a secret, which is not written to a file", r.ID).
			suggest("name it in a reference: see the action secret.capture")
	}
	if e.Manifest.Encrypted() && r.Key == "" {
		return nil, usageErrorf("backup %q is encrypted, and no key was given", r.ID).suggest("give --key")
	}
	to, err := filepath.Abs(r.To)
	if err != nil || r.To == "" {
		return nil, usageErrorf("%q is no path to restore to", r.To)
	}
	in, err := store.input(r.ID, r.Key)
	if err != nil {
		return nil, err
	}
	in["path"] = to
	empty, err := vacant(to, e.Manifest.Kind)
	if err != nil {
		return nil, err
	}
	env, begun, err := s.restoring(ctx, store, in, to)
	if err != nil {
		return nil, err
	}
	if !empty && !begun && !r.Replace {
		return nil, usageErrorf("there is something at %q", r.To).
			suggest("name another place, or give --replace, which keeps it beside")
	}
	out, err := s.useBackup(ctx, store, "archive.restore", env, in)
	if err != nil {
		return nil, err
	}
	result := &report.RestoreResult{
		Backup: r.ID, Path: text(out["path"]), Kept: text(out["kept"]), Counted: text(out["counted"]),
	}
	return result, tidy(result)
}

// tidy removes the folder for what was there before when nothing was.
func tidy(r *report.RestoreResult) error {
	left, err := os.ReadDir(r.Kept)
	if err != nil {
		return fmt.Errorf("look at what was there before: %w", err)
	}
	if len(left) > 0 {
		return nil
	}
	work := filepath.Dir(r.Kept)
	r.Kept = ""
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("remove the folder of the restore: %w", err)
	}
	return nil
}

// vacant tells whether nothing is at a path that could be in the way. The folder
// above it has to be there.
func vacant(path string, kind backup.Kind) (bool, error) {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return false, usageErrorf("the folder %q is not there", filepath.Dir(path)).
			suggest("create it, or correct --to")
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("look at %q: %w", path, plainPathError(err))
	case kind == backup.Directory && !info.IsDir():
		return false, usageErrorf("%q is no folder, and the backup holds one", path).suggest("name another place")
	case kind == backup.SQLite && info.IsDir():
		return false, usageErrorf("%q is a folder, and the backup holds a database file", path).
			suggest("name a file in it")
	case !info.IsDir():
		return false, nil
	}
	list, err := os.ReadDir(path)
	if err != nil {
		return false, fmt.Errorf("look at %q: %w", path, plainPathError(err))
	}
	return len(list) == 0, nil
}

// restoring returns the environment of the restore: of one that broke off, so
// that it is gone on with, else of one that was not done before.
func (s *Service) restoring(
	ctx context.Context, store *openBackups, in map[string]any, to string,
) (env action.Env, begun bool, err error) {
	restore, ok := s.o.Registry.Action("archive.restore")
	if !ok {
		return action.Env{}, false, errors.New("this build has no action archive.restore")
	}
	sum := sha256.Sum256(fmt.Append(nil, store.address, "\x00", in["backup"], "\x00", to))
	env = action.Env{Origin: "refit backup restore " + hex.EncodeToString(sum[:])}
	for n := 1; ; n++ {
		env.Key = fmt.Sprint("restore/", n)
		seen, err := restore.Observe(ctx, s.backupEnv(store, env), in)
		if err != nil {
			return action.Env{}, false, backupError(err)
		}
		if seen.Status != action.Done {
			return env, seen.Status == action.Partial, nil
		}
	}
}

// input returns what all actions about a backup are given.
func (o *openBackups) input(id, key string) (map[string]any, error) {
	in := map[string]any{"store": o.address, "backup": id}
	if key == "" {
		return in, nil
	}
	ref, err := keyReference(key)
	in["key"] = ref
	return in, err
}

// keyReference reads how a person names a key. What stands there may be the key
// itself, by mistake, so it is not quoted.
func keyReference(text string) (map[string]any, error) {
	ref := map[string]any{}
	form, rest, _ := strings.Cut(text, ":")
	switch {
	case strings.HasPrefix(text, "{"):
		root, ds := yamldoc.Parse("--key", []byte(text), yamldoc.DefaultLimits())
		plain, ok := map[string]any(nil), false
		if root != nil && !ds.HasErrors() {
			plain, ok = root.Plain().(map[string]any)
		}
		if !ok {
			return nil, badKey()
		}
		ref = plain
	case form == "file" || form == "env":
		ref[form] = rest
	default:
		return nil, badKey()
	}
	if name, ok := ref["file"].(string); ok && name != "" { // it is relative to where the person stands
		path, err := filepath.Abs(name)
		if err != nil {
			return nil, fmt.Errorf("find the file of the key: %w", err)
		}
		ref["file"] = path
	}
	if _, err := secret.Parse(ref); err != nil {
		return nil, badKey()
	}
	return ref, nil
}

func badKey() error {
	return usageErrorf("that is no reference to a key").
		suggest("write file:PATH, env:NAME or {command: [PROGRAM, ARGUMENT]}; the key itself never stands there")
}

// useBackup runs an action about a backup.
func (s *Service) useBackup(
	ctx context.Context, store *openBackups, name string, env action.Env, in map[string]any,
) (map[string]any, error) {
	a, ok := s.o.Registry.Action(name)
	if !ok {
		return nil, fmt.Errorf("this build has no action %s", name)
	}
	out, err := a.Run(ctx, s.backupEnv(store, env), in, nil)
	return out, backupError(err)
}

// backupEnv completes the environment of an action about a backup.
func (s *Service) backupEnv(store *openBackups, env action.Env) action.Env {
	env.Dir, env.Now, env.Secrets = store.dir, s.o.Now, s.o.Secrets.In(store.dir)
	env.Progress = func(p action.Progress) { s.o.Progress(Note{Text: progressText(p)}) }
	return env
}

// progressText says how far a backup has come.
func progressText(p action.Progress) string {
	if p.Unit != "bytes" {
		return p.Note
	}
	if p.Total > 0 {
		return fmt.Sprintf("%s: %s of %s, %d%%", p.Note, mebibytes(p.Done), mebibytes(p.Total), p.Done*100/p.Total)
	}
	return p.Note + ": " + mebibytes(p.Done)
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
