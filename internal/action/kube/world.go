package kube

import (
	"context"
	"fmt"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// World is what the actions work with that save, prove and restore namespaces.
type World struct {
	// Kube makes connections to clusters, Stores opens the stores.
	Kube   *kube.Connector
	Stores backup.Opener
	// Hostname gives the name of the machine.
	Hostname func() (string, error)
	// Tools are what backups say that they were made with.
	Tools []backup.Tool
	// Before is called before each change of a cluster; after an error the change is
	// not made, and nothing is tidied up. Tests break effects off with it, as the end
	// of the process would. It may be nil.
	Before func(what string) error
}

// store is a store that was opened, with who works on it.
type store struct {
	backup.Store
	worker backup.Worker
	key    *backup.Key
}

// openStore opens a store without its key: what is not encrypted can be read.
func (w World) openStore(env action.Env, name string) (*store, error) {
	opened, err := w.Stores.Open(name, env.Dir)
	if err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	host, err := w.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read the name of this machine: %w", err)
	}
	return &store{Store: opened, worker: backup.Worker{
		Host: host, Tools: w.Tools, Now: env.Now, Key: env.Key, Origin: env.Origin, Report: env.Report,
	}}, nil
}

// unlock opens a store and resolves the key of its backups.
func (w World) unlock(ctx context.Context, env action.Env, name string, key action.SecretRef) (*store, error) {
	s, err := w.openStore(env, name)
	if err != nil || len(key) == 0 {
		return s, err
	}
	values, err := env.ResolveSecrets(ctx, "key", map[string]action.SecretRef{"key": key})
	if err != nil {
		return nil, err
	}
	if s.key, err = backup.ParseKey(values["key"]); err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	return s, nil
}

// find returns a backup of a namespace that can be restored. The error has no extent.
func (s *store) find(ctx context.Context, id string) (*backup.Entry, error) {
	e, err := backup.Find(ctx, s, id)
	if err == nil {
		err = e.Ready()
	}
	if err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	if e.Manifest.Kind != backup.Namespace {
		return nil, &action.Error{
			Reason: backup.ReasonBackupNotFound, Effect: action.ExtentNone, Remedy: "name a backup of kube.backup",
			Err: fmt.Errorf("backup %q: it holds a %s, not a namespace", id, e.Manifest.Kind),
		}
	}
	return e, nil
}
