package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// VerifyInput is the input of database.verify.
type VerifyInput struct {
	Database Connection       `json:"database" doc:"Where the backup is restored into a scratch database: the server of the database that was saved, or another one of its kind."`
	Password action.SecretRef `json:"password,omitempty" refit:"secret" doc:"Password of the user; without it none is given. SQLite has none, and it is not read."`
	Store    string           `json:"store" doc:"Address of the store."`
	Backup   string           `json:"backup" doc:"Id of the backup, as database.backup hands it out."`
	Level    int              `json:"level,omitempty" doc:"Level of the proof from 1 to 3; default 3."`
	Key      action.SecretRef `json:"key,omitempty" refit:"secret" doc:"Age identity of an encrypted backup; level 1 needs none."`
	Scratch  string           `json:"scratch,omitempty" doc:"Folder of this machine that a database of SQLite is restored into; default the temporary folder of the system."`
}

// VerifyOutput is the output of database.verify.
type VerifyOutput struct {
	Backup  string `json:"backup" doc:"Id of the backup."`
	Level   int    `json:"level" doc:"Level of the proof."`
	Counted string `json:"counted" doc:"What was counted, in words; nothing is at level 1."`
	Rows    int64  `json:"rows" doc:"Rows of all tables at level 3, else 0."`
}

// Verify returns the action database.verify.
func Verify(w World) action.Action {
	return action.Define(action.Definition[VerifyInput, VerifyOutput]{
		Name:    "database.verify",
		Version: 1,
		Summary: "Prove a backup of a database once more.",
		Effect:  action.Scratch,
		// What an attempt has left of its scratch database, the next one removes.
		Resumable: true,
		Targets:   targets(),
		NoUndo:    "a proof takes nothing from anybody",
		Check: func(in VerifyInput) error {
			if in.Backup == "" || in.Level < 0 || in.Level > backup.Restored {
				return errors.New("field \"level\" is between 1 and 3, and field \"backup\" an id")
			}
			return in.Database.check()
		},
		Preview: func(_ context.Context, _ action.Env, in VerifyInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("prove backup %q at level %d", in.Backup, levelOf(in))}, nil
		},
		Observe: w.observeProof,
		Run:     w.runProof,
		Access: func(_ context.Context, _ action.Env, in VerifyInput) ([]action.Access, error) {
			return in.Database.access(), nil
		},
	})
}

func levelOf(in VerifyInput) int { return cmp.Or(in.Level, backup.Restored) }

func (w World) observeProof(
	ctx context.Context, env action.Env, in VerifyInput,
) (action.Observed[VerifyOutput], error) {
	s, err := w.openStore(ctx, env, in.Store, in.Key, in.Scratch, nil)
	if err != nil {
		return action.Observed[VerifyOutput]{}, err
	}
	e, err := backup.Find(ctx, s, in.Backup)
	if err != nil {
		return action.Observed[VerifyOutput]{}, action.WithExtent(err, action.ExtentNone)
	}
	mine := slices.IndexFunc(e.Proofs, func(proof backup.Proof) bool {
		return proof.Key == env.Key && proof.Origin == env.Origin && proof.Level >= levelOf(in)
	})
	if mine < 0 || env.Key == "" {
		return action.Observed[VerifyOutput]{Status: action.NotStarted, Reason: "this step has not proved it"}, nil
	}
	out := proved(e.Proofs[mine])
	return action.Observed[VerifyOutput]{Status: action.Done, Output: &out}, nil
}

func (w World) runProof(ctx context.Context, env action.Env, in VerifyInput, _ map[string]any) (VerifyOutput, error) {
	seen, err := w.observeProof(ctx, env, in)
	if err == nil && seen.Status == action.Done {
		return *seen.Output, nil
	}
	db, end, err := w.open(ctx, env, in.Database, in.Password)
	if err != nil {
		return VerifyOutput{}, err
	}
	defer end()
	s, err := w.openStore(ctx, env, in.Store, in.Key, in.Scratch, db)
	if err != nil {
		return VerifyOutput{}, err
	}
	e, err := backup.Find(ctx, s, in.Backup)
	if err == nil {
		err = isKind(in.Database, e.Manifest)
	}
	if err == nil && levelOf(in) > backup.ReadBack {
		_, err = db.facts(ctx, false)
	}
	if err != nil {
		return VerifyOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	proof, err := s.worker.Prove(ctx, s, e, levelOf(in), s.key)
	if err != nil {
		return VerifyOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	return proved(proof), nil
}

// isKind refuses a backup of something else.
func isKind(at Connection, m *backup.Manifest) error {
	if m == nil || m.Kind == at.kind() {
		return nil
	}
	return failure(backup.ReasonBackupNotFound, "name the backup of this database", false,
		"backup %q: it holds a %s, not a %s", m.ID, m.Kind, at.kind())
}

func proved(p backup.Proof) VerifyOutput {
	out := VerifyOutput{Backup: p.Backup, Level: p.Level, Rows: p.Counts.Rows}
	if p.Counts != (backup.Counts{}) {
		out.Counted = p.Counts.String()
	}
	return out
}
