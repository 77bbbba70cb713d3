package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// BackupInput is the input of archive.backup.
type BackupInput struct {
	Store   string           `json:"store" doc:"Address of the store, such as file:///backups or s3://bucket/prefix?endpoint=https://host:port."`
	Path    string           `json:"path" doc:"Folder or database file to save, relative to the platform file."`
	Kind    string           `json:"kind,omitempty" enum:"directory,sqlite" doc:"What path is, a directory (default) or a database file of SQLite, which may be in use."`
	Name    string           `json:"name,omitempty" doc:"Name of the series of backups; default made of the last part of path."`
	Exclude []string         `json:"exclude,omitempty" doc:"Patterns of paths below the folder that are left out, such as cache or logs/*.gz."`
	Key     action.SecretRef `json:"key,omitempty" refit:"secret" doc:"Age identity (AGE-SECRET-KEY-1…) that the backup is encrypted for; without it the backup can be read by all who can read the store."`
	Level   int              `json:"level,omitempty" doc:"Level of compression from 1 to 19 as zstd counts; default 3."`
	Scratch string           `json:"scratch,omitempty" doc:"Folder for the copy that a database is saved from and for the proof by restoring; default the temporary folder of the system."`
}

// BackupOutput is the output of archive.backup.
type BackupOutput struct {
	Backup  string `json:"backup" doc:"Id of the backup."`
	Store   string `json:"store" doc:"Address of the store."`
	Kind    string `json:"kind" doc:"What the backup holds, directory or sqlite."`
	Began   string `json:"began" doc:"When reading began, in RFC 3339."`
	Size    int64  `json:"size" doc:"Size before compression, in bytes."`
	Stored  int64  `json:"stored" doc:"Size in the store, in bytes."`
	Counted string `json:"counted" doc:"What it holds, in words."`
	Rows    int64  `json:"rows" doc:"Rows of all tables of a database, else 0."`
	Files   int64  `json:"files" doc:"Number of files."`
	Proof   int    `json:"proof" doc:"Level of its proof."`
}

// Backup returns the action archive.backup.
func Backup(w World) action.Action {
	return action.Define(action.Definition[BackupInput, BackupOutput]{
		Name:        "archive.backup",
		Version:     1,
		Summary:     "Save a folder or a SQLite database of this machine, and prove the backup.",
		Effect:      action.Scratch,
		Resumable:   true,
		MaxProof:    backup.Restored,
		RestoreWith: "archive.restore",
		NoUndo:      "the backup stays until somebody removes it",
		Check:       checkBackup,
		Preview: func(_ context.Context, env action.Env, in BackupInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("save %s %q to %s and prove it at level %d",
				kindOf(in), in.Path, in.Store, level(env, in))}, nil
		},
		Observe: w.observeBackup,
		Run:     w.runBackup,
	})
}

func kindOf(in BackupInput) backup.Kind { return cmp.Or(backup.Kind(in.Kind), backup.Directory) }

// level is the level of proof that is asked for: that of the step, else what
// suits the kind.
func level(env action.Env, in BackupInput) int {
	usual := backup.Parsed
	if kindOf(in) == backup.SQLite {
		usual = backup.Restored
	}
	return cmp.Or(env.Proof, usual)
}

// nameOf returns the name of the series.
func nameOf(in BackupInput) string {
	if in.Name != "" {
		return in.Name
	}
	base := strings.ToLower(filepath.Base(filepath.Clean(in.Path)))
	name := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(base, "-"), "-")
	return cmp.Or(name[:min(len(name), 60)], "backup")
}

func checkBackup(in BackupInput) error {
	if in.Path == "" || strings.ContainsRune(in.Path, 0) {
		return errors.New("field \"path\" must be a path")
	}
	r := request(action.Env{}, in)
	if err := r.Check(); err != nil {
		return fmt.Errorf("fields \"name\", \"exclude\" and \"level\": %w", err)
	}
	return nil
}

func request(env action.Env, in BackupInput) backup.Request {
	return backup.Request{
		Name: nameOf(in), Key: env.Key, Origin: env.Origin, Kind: kindOf(in), Path: absolute(env, in.Path),
		Excluded: in.Exclude, Level: in.Level,
	}
}

func (w World) observeBackup(
	ctx context.Context, env action.Env, in BackupInput,
) (action.Observed[BackupOutput], error) {
	p, err := w.open(ctx, env, in.Store, in.Key, in.Scratch)
	if err != nil {
		return action.Observed[BackupOutput]{}, err
	}
	e, err := p.find(ctx, env, in)
	if err != nil {
		return action.Observed[BackupOutput]{}, action.WithExtent(err, action.ExtentNone)
	}
	if e == nil {
		return action.Observed[BackupOutput]{Status: action.NotStarted, Reason: "the store has no such backup"}, nil
	}
	proof, whole, why := e.Stands(level(env, in))
	seen := action.Observed[BackupOutput]{Status: action.Partial, Reason: why}
	if whole {
		out := outputOf(in, e.Manifest, proof)
		seen.Status, seen.Output = action.Done, &out
	}
	return seen, nil
}

// find returns what the store has of the backup of this effect, nil for nothing.
func (p *place) find(ctx context.Context, env action.Env, in BackupInput) (*backup.Entry, error) {
	e, err := backup.Find(ctx, p.store, backup.ID(nameOf(in), env.Key, env.Origin))
	if action.ReasonOf(err) == backup.ReasonBackupNotFound {
		return nil, nil //nolint:nilnil // nothing was stored, which is no error
	}
	return e, err
}

func (w World) runBackup(
	ctx context.Context, env action.Env, in BackupInput, _ map[string]any,
) (BackupOutput, error) {
	p, err := w.open(ctx, env, in.Store, in.Key, in.Scratch)
	if err != nil {
		return BackupOutput{}, err
	}
	e, err := p.find(ctx, env, in)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	if e != nil && e.Problem != nil { // it was never proved, or Observe would have said done
		if err := backup.Discard(ctx, p.store, e); err != nil {
			return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
		}
	}
	if err := w.before("make"); err != nil {
		return BackupOutput{}, err
	}
	r := request(env, in)
	r.Store, r.Lock = p.store, p.key
	m, err := p.worker.Make(ctx, r)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
	}
	if err := w.before("prove"); err != nil {
		return BackupOutput{}, err
	}
	proof, err := p.worker.ProveMade(ctx, p.store, m.ID, level(env, in), p.key)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
	}
	return outputOf(in, m, proof), nil
}

func outputOf(in BackupInput, m *backup.Manifest, proof backup.Proof) BackupOutput {
	return BackupOutput{
		Backup: m.ID, Store: in.Store, Kind: string(m.Kind), Began: m.Began.Format(time.RFC3339Nano),
		Size: m.Size, Stored: m.Stored, Counted: m.Counts.String(), Rows: m.Counts.Rows, Files: m.Counts.Files,
		Proof: proof.Level,
	}
}
