package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// RestoreInput is the input of archive.restore. What archive.backup was given
// and handed out fits into it.
type RestoreInput struct {
	Store  string           `json:"store" doc:"Address of the store."`
	Backup string           `json:"backup" doc:"Id of the backup, as archive.backup hands it out."`
	Path   string           `json:"path" doc:"Folder or database file to bring back, relative to the platform file."`
	Key    action.SecretRef `json:"key,omitempty" refit:"secret" doc:"Age identity of an encrypted backup."`
}

// RestoreOutput is the output of archive.restore.
type RestoreOutput struct {
	Path    string `json:"path" doc:"Absolute path of what was brought back."`
	Kept    string `json:"kept" doc:"Absolute path of the folder that holds what was there before."`
	Counted string `json:"counted" doc:"What was brought back, in words."`
}

// Restore returns the action archive.restore.
func Restore(w World) action.Action {
	return action.Define(action.Definition[RestoreInput, RestoreOutput]{
		Name:      "archive.restore",
		Version:   1,
		Summary:   "Bring a folder or a SQLite database back from a backup, and keep what was there.",
		Effect:    action.Mutating,
		Resumable: true,
		Check: func(in RestoreInput) error {
			if in.Path == "" || in.Backup == "" || strings.ContainsRune(in.Path, 0) {
				return errors.New("field \"path\" must be a path, and field \"backup\" an id")
			}
			return nil
		},
		Preview: func(_ context.Context, _ action.Env, in RestoreInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("bring %q back from backup %q and keep what is there",
				in.Path, in.Backup)}, nil
		},
		Observe: w.observeRestore,
		Run:     w.runRestore,
		Undo: func(_ context.Context, env action.Env, in RestoreInput, _ map[string]any) error {
			x, err := w.exchange(env, absolute(env, in.Path))
			if err != nil {
				return notWritten(in.Path, err, action.ExtentNone)
			}
			if err := x.undo(); err != nil {
				return notWritten(in.Path, err, action.ExtentUnknown)
			}
			return nil
		},
	})
}

// notWritten says that files could not be moved.
func notWritten(path string, err error, effect action.Extent) error {
	if action.ReasonOf(err) != "" {
		return action.WithExtent(err, effect)
	}
	return &action.Error{
		Reason: backup.ReasonNotWritten, Retryable: true, Effect: effect,
		Remedy: "let Refit write to the folder and to the one above it",
		Err:    fmt.Errorf("restore %q: %w", path, err),
	}
}

func (w World) observeRestore(
	_ context.Context, env action.Env, in RestoreInput,
) (action.Observed[RestoreOutput], error) {
	x, err := w.exchange(env, absolute(env, in.Path))
	if err != nil {
		return action.Observed[RestoreOutput]{}, notWritten(in.Path, err, action.ExtentNone)
	}
	seen := action.Observed[RestoreOutput]{Status: action.NotStarted, Reason: "nothing was brought back yet"}
	if !x.has("") {
		return seen, nil
	}
	seen.Status, seen.Reason = action.Partial, "it is being brought back, and is not all there yet"
	if !x.has(markDone) {
		return seen, nil
	}
	counted, err := x.counted()
	if err != nil {
		return action.Observed[RestoreOutput]{}, notWritten(in.Path, err, action.ExtentNone)
	}
	seen.Status, seen.Reason = action.Done, "it was brought back"
	seen.Output = &RestoreOutput{Path: x.path, Kept: x.keptFolder(), Counted: counted}
	return seen, nil
}

func (w World) runRestore(
	ctx context.Context, env action.Env, in RestoreInput, _ map[string]any,
) (RestoreOutput, error) {
	p, err := w.open(ctx, env, in.Store, in.Key, "")
	if err != nil {
		return RestoreOutput{}, err
	}
	e, err := backup.Find(ctx, p.store, in.Backup)
	if err == nil {
		err = e.Ready()
	}
	if err == nil { // Before anything is made: a wrong key leaves nothing behind.
		err = p.key.Opens(e.Manifest)
	}
	if err != nil {
		return RestoreOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	x, err := w.exchange(env, absolute(env, in.Path))
	if err != nil {
		return RestoreOutput{}, notWritten(in.Path, err, action.ExtentNone)
	}
	x.isFile = e.Manifest.Kind == backup.SQLite
	if !x.has(markReady) {
		if err := p.fetch(ctx, x, e.Manifest); err != nil {
			return RestoreOutput{}, notWritten(in.Path, err, action.ExtentPartial)
		}
	}
	if err := x.swap(); err != nil {
		return RestoreOutput{}, notWritten(in.Path, err, action.ExtentPartial)
	}
	counted, err := x.counted()
	if err != nil {
		return RestoreOutput{}, notWritten(in.Path, err, action.ExtentDone)
	}
	return RestoreOutput{Path: x.path, Kept: x.keptFolder(), Counted: counted}, nil
}
