package database

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// RestoreInput is the input of database.restore. What database.backup was given and
// handed out fits into it.
type RestoreInput struct {
	Database   Connection       `json:"database" doc:"The database to bring back."`
	Password   action.SecretRef `json:"password,omitempty" refit:"secret" doc:"Password of the user; without it none is given. SQLite has none, and it is not read."`
	Store      string           `json:"store" doc:"Address of the store."`
	Backup     string           `json:"backup" doc:"Id of the backup, as database.backup hands it out."`
	Key        action.SecretRef `json:"key,omitempty" refit:"secret" doc:"Age identity of an encrypted backup."`
	Elsewhere  bool             `json:"elsewhere,omitempty" doc:"Permits to restore into another database than the one that was saved; what is in it then belongs to the user."`
	Disconnect bool             `json:"disconnect,omitempty" doc:"Permits to end clients that are connected, and to restore a file that a pod may have open; default to refuse while there are any."`
}

// RestoreOutput is the output of database.restore.
type RestoreOutput struct {
	Database string `json:"database" doc:"The database that was brought back."`
	Kept     string `json:"kept,omitempty" doc:"Name of the database, or path of the folder, that holds what was there before; nothing when there was nothing."`
	Counted  string `json:"counted" doc:"What was brought back, in words."`
}

// Restore returns the action database.restore.
func Restore(w World) action.Action {
	return action.Define(action.Definition[RestoreInput, RestoreOutput]{
		Name:      "database.restore",
		Version:   1,
		Summary:   "Bring a database back from a backup, and keep what was there.",
		Effect:    action.Mutating,
		Resumable: true,
		Targets:   targets(),
		Check: func(in RestoreInput) error {
			if in.Backup == "" {
				return errors.New("field \"backup\" must be an id")
			}
			return in.Database.check()
		},
		Preview: func(_ context.Context, _ action.Env, in RestoreInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("bring %s back from backup %q and keep what is there",
				in.Database, in.Backup)}, nil
		},
		Observe: w.observeRestore,
		Run:     w.runRestore,
		Access: func(_ context.Context, _ action.Env, in RestoreInput) ([]action.Access, error) {
			return in.Database.access(), nil
		},
		Undo: func(ctx context.Context, env action.Env, in RestoreInput, _ map[string]any) error {
			db, end, err := w.openFor(ctx, env, in)
			if err != nil {
				return err
			}
			defer end()
			return db.undoRestore(ctx)
		},
	})
}

// openFor opens the database of a restore.
func (w World) openFor(ctx context.Context, env action.Env, in RestoreInput) (engine, func(), error) {
	db, end, err := w.open(ctx, env, in.Database, in.Password)
	if err != nil {
		return nil, nil, err
	}
	switch db := db.(type) {
	case *postgres:
		db.disconnect, db.elsewhere = in.Disconnect, in.Elsewhere
	case *mysqlServer:
		db.disconnect, db.elsewhere = in.Disconnect, in.Elsewhere
	case *sqliteFile:
		db.disconnect, db.elsewhere = in.Disconnect, in.Elsewhere
	}
	return db, end, nil
}

func (w World) observeRestore(
	ctx context.Context, env action.Env, in RestoreInput,
) (action.Observed[RestoreOutput], error) {
	db, end, err := w.openFor(ctx, env, in)
	if err != nil {
		return action.Observed[RestoreOutput]{}, err
	}
	defer end()
	seen, err := db.observeRestore(ctx)
	return seen, action.WithExtent(err, action.ExtentNone)
}

func (w World) runRestore(
	ctx context.Context, env action.Env, in RestoreInput, _ map[string]any,
) (RestoreOutput, error) {
	db, end, err := w.openFor(ctx, env, in)
	if err != nil {
		return RestoreOutput{}, err
	}
	defer end()
	s, err := w.openStore(ctx, env, in.Store, in.Key, "", db)
	if err != nil {
		return RestoreOutput{}, err
	}
	e, err := backup.Find(ctx, s, in.Backup)
	if err == nil {
		err = e.Ready()
	}
	if err == nil { // Before anything is made: a wrong key leaves nothing behind.
		err = s.key.Opens(e.Manifest)
	}
	if err == nil {
		err = isKind(in.Database, e.Manifest)
	}
	if err == nil {
		err = isSaved(ctx, db, in, e.Manifest)
	}
	if err != nil {
		return RestoreOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	out, err := db.runRestore(ctx, e.Manifest, func(do func(io.Reader) (backup.Counts, error)) error {
		return s.worker.RestoreWith(ctx, s, e.Manifest, s.key, do)
	})
	if err != nil {
		if failed, ok := errors.AsType[*action.Error](err); ok && failed.Effect == action.ExtentNone {
			return RestoreOutput{}, err
		}
		return RestoreOutput{}, action.WithExtent(err, action.ExtentPartial)
	}
	return *out, nil
}

// isSaved refuses another database than the one that was saved. One that is gone is
// made again.
func isSaved(ctx context.Context, db engine, in RestoreInput, m *backup.Manifest) error {
	f, err := db.facts(ctx, false)
	if action.ReasonOf(err) == reasonDatabaseNotFound {
		return nil
	}
	if err != nil || in.Elsewhere {
		return err
	}
	return isDatabase(in.Database, m.Source.Identity, f.identity)
}
