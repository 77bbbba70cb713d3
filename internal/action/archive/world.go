package archive

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// World is what the actions work with.
type World struct {
	// Stores opens the stores.
	Stores backup.Opener
	// Hostname gives the name of the machine.
	Hostname func() (string, error)
	// Tools are what backups say that they were made with.
	Tools []backup.Tool
	// Before is called before each change of files that are restored; after an
	// error the change is not made. Tests break effects off with it, as the end
	// of the process would. It may be nil.
	Before func(what string) error
}

func (w World) before(what string) error {
	if w.Before == nil {
		return nil
	}
	return w.Before(what)
}

// place is what all actions of the family are given.
type place struct {
	World
	store  backup.Store
	worker backup.Worker
	key    *backup.Key
}

// open opens the store and resolves the key.
func (w World) open(
	ctx context.Context, env action.Env, store string, key action.SecretRef, scratch string,
) (*place, error) {
	p := &place{World: w}
	var err error
	if p.store, err = w.Stores.Open(store, env.Dir); err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	if len(key) > 0 {
		values, err := env.ResolveSecrets(ctx, "key", map[string]action.SecretRef{"key": key})
		if err != nil {
			return nil, err
		}
		if p.key, err = backup.ParseKey(values["key"]); err != nil {
			return nil, action.WithExtent(err, action.ExtentNone)
		}
	}
	host, err := w.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read the name of this machine: %w", err)
	}
	if scratch != "" {
		scratch = absolute(env, scratch)
	}
	p.worker = backup.Worker{
		Host: host, Tools: w.Tools, Now: env.Now, Scratch: scratch, Key: env.Key, Origin: env.Origin,
		Report: env.Report,
	}
	return p, nil
}

// absolute returns the path that the author calls name.
func absolute(env action.Env, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(env.Dir, name)
}
