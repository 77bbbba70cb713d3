package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// BackupInput is the input of database.backup.
type BackupInput struct {
	Database Connection       `json:"database" doc:"The database to save."`
	Password action.SecretRef `json:"password,omitempty" refit:"secret" doc:"Password of the user; without it none is given. SQLite has none, and it is not read."`
	Identity string           `json:"identity,omitempty" doc:"Identity of the database that is meant, as database.schema hands it out; another one is refused."`
	Store    string           `json:"store" doc:"Address of the store, such as file:///backups or s3://bucket/prefix?endpoint=https://host:port."`
	Series   string           `json:"series,omitempty" doc:"Name of the series of backups; default made of the name of the database."`
	Key      action.SecretRef `json:"key,omitempty" refit:"secret" doc:"Age identity (AGE-SECRET-KEY-1…) that the backup is encrypted for; without it the backup can be read by all who can read the store."`
	Level    int              `json:"level,omitempty" doc:"Level of compression from 1 to 19 as zstd counts; default 3."`
	Scratch  string           `json:"scratch,omitempty" doc:"Folder of this machine for the copy of a database of SQLite and its proof; default the temporary folder of the system."`
}

// BackupOutput is the output of database.backup.
type BackupOutput struct {
	Backup  string `json:"backup" doc:"Id of the backup."`
	Store   string `json:"store" doc:"Address of the store."`
	Kind    string `json:"kind" doc:"What the backup holds: postgresql, mysql or sqlite."`
	Began   string `json:"began" doc:"When saving began, in RFC 3339."`
	Size    int64  `json:"size" doc:"Size before compression, in bytes."`
	Stored  int64  `json:"stored" doc:"Size in the store, in bytes."`
	Counted string `json:"counted" doc:"What it holds, in words."`
	Tables  int64  `json:"tables" doc:"Number of tables."`
	Rows    int64  `json:"rows" doc:"Rows of all tables."`
	Server  string `json:"server" doc:"Product and version of the server."`
	Saved   string `json:"saved" doc:"Identity of the database that was saved."`
	Proof   int    `json:"proof" doc:"Level of its proof."`
}

// Backup returns the action database.backup.
func Backup(w World) action.Action {
	return action.Define(action.Definition[BackupInput, BackupOutput]{
		Name:        "database.backup",
		Version:     1,
		Summary:     "Save a database that may be in use, and prove the backup.",
		Effect:      action.Scratch,
		Resumable:   true,
		MaxProof:    backup.Restored,
		RestoreWith: "database.restore",
		Targets:     targets(),
		NoUndo:      "the backup stays until somebody removes it",
		Check:       checkBackup,
		Preview: func(_ context.Context, env action.Env, in BackupInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("save %s to %s and prove it at level %d",
				in.Database, in.Store, level(env))}, nil
		},
		Observe: w.observeBackup,
		Run:     w.runBackup,
		Access: func(_ context.Context, _ action.Env, in BackupInput) ([]action.Access, error) {
			return in.Database.access(), nil
		},
	})
}

// level is the level of proof: that of the step, else the best.
func level(env action.Env) int { return cmp.Or(env.Proof, backup.Restored) }

func checkBackup(in BackupInput) error {
	if err := in.Database.check(); err != nil {
		return err
	}
	if in.Level < 0 || in.Level > 19 {
		return errors.New("field \"level\" is between 1 and 19")
	}
	if !backup.ValidName(seriesOf(in)) {
		return errors.New("field \"series\" has up to 63 of a-z, 0-9, dot, dash and underscore")
	}
	return nil
}

func seriesOf(in BackupInput) string { return cmp.Or(in.Series, in.Database.series()) }

func (w World) observeBackup(
	ctx context.Context, env action.Env, in BackupInput,
) (action.Observed[BackupOutput], error) {
	s, err := w.openStore(ctx, env, in.Store, in.Key, in.Scratch, nil)
	if err != nil {
		return action.Observed[BackupOutput]{}, err
	}
	e, err := s.find(ctx, env, in)
	if err != nil {
		return action.Observed[BackupOutput]{}, action.WithExtent(err, action.ExtentNone)
	}
	if e == nil {
		return action.Observed[BackupOutput]{Status: action.NotStarted, Reason: "the store has no such backup"}, nil
	}
	proof, whole, why := e.Stands(level(env))
	seen := action.Observed[BackupOutput]{Status: action.Partial, Reason: why}
	if whole {
		out := outputOf(in, e.Manifest, proof)
		seen.Status, seen.Output = action.Done, &out
	}
	return seen, nil
}

// find returns what the store has of the backup of this effect, nil for nothing.
func (s *store) find(ctx context.Context, env action.Env, in BackupInput) (*backup.Entry, error) {
	e, err := backup.Find(ctx, s, backup.ID(seriesOf(in), env.Key, env.Origin))
	if action.ReasonOf(err) == backup.ReasonBackupNotFound {
		return nil, nil //nolint:nilnil // nothing was stored, which is no error
	}
	return e, err
}

func (w World) runBackup(
	ctx context.Context, env action.Env, in BackupInput, _ map[string]any,
) (BackupOutput, error) {
	db, end, err := w.open(ctx, env, in.Database, in.Password)
	if err != nil {
		return BackupOutput{}, err
	}
	defer end()
	s, err := w.openStore(ctx, env, in.Store, in.Key, in.Scratch, db)
	if err != nil {
		return BackupOutput{}, err
	}
	e, err := s.find(ctx, env, in)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	if e != nil && e.Problem != nil { // it was never proved, or Observe would have said done
		if err := backup.Discard(ctx, s, e); err != nil {
			return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
		}
	}
	r, err := w.request(ctx, env, in, db, s)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	m, err := s.worker.Make(ctx, r)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
	}
	proof, err := s.worker.ProveMade(ctx, s, m.ID, level(env), s.key)
	if err != nil {
		return BackupOutput{}, action.WithExtent(err, action.ExtentPartial)
	}
	return outputOf(in, m, proof), nil
}

// request asks the database what has to be known before it is saved.
func (w World) request(
	ctx context.Context, env action.Env, in BackupInput, db engine, s *store,
) (backup.Request, error) {
	f, err := db.facts(ctx, false)
	if err != nil {
		return backup.Request{}, err
	}
	if err := isDatabase(in.Database, in.Identity, f.identity); err != nil {
		return backup.Request{}, err
	}
	tools, err := db.prepare(ctx)
	if err != nil {
		return backup.Request{}, err
	}
	return backup.Request{
		Store: s, Name: seriesOf(in), Key: env.Key, Origin: env.Origin,
		Kind: in.Database.kind(), Path: in.Database.String(), Level: in.Level, Lock: s.key, Save: db.save,
		Identity: f.identity, Server: f.server, Tools: tools,
	}, nil
}

func outputOf(in BackupInput, m *backup.Manifest, proof backup.Proof) BackupOutput {
	return BackupOutput{
		Backup: m.ID, Store: in.Store, Kind: string(m.Kind), Began: m.Began.Format(time.RFC3339Nano),
		Size: m.Size, Stored: m.Stored, Counted: m.Counts.String(), Tables: m.Counts.Tables, Rows: m.Counts.Rows,
		Server: m.Source.Server, Saved: m.Source.Identity, Proof: proof.Level,
	}
}
