package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/report"
)

// defaultPlatform is the platform file whose store is meant when none is named.
const defaultPlatform = "platform.yaml"

// BackupStore says which store is meant: its address, or the platform file that
// names it. Without either it is that of platform.yaml in the working folder.
type BackupStore struct {
	Address, Platform string
}

// openBackups is a store that people have named.
type openBackups struct {
	backup.Store
	// address and dir are what actions are given to open it too.
	address, dir string
}

// openBackups opens the store that from names. Other mistakes in a platform file
// than those about the store do not matter: who restores at night may not have
// the time to mend them.
func (s *Service) openBackups(from BackupStore) (*openBackups, error) {
	if from.Address != "" && from.Platform != "" {
		return nil, usageErrorf("a store and a platform file are named").suggest("name one of them")
	}
	dir, err := filepath.Abs(".")
	if err != nil {
		return nil, fmt.Errorf("find the working folder: %w", err)
	}
	o := &openBackups{address: from.Address, dir: dir}
	if from.Address == "" {
		if o.address, o.dir, err = platformStore(from.Platform); err != nil {
			return nil, err
		}
	}
	if o.Store, err = s.o.Stores.Open(o.address, o.dir); err != nil {
		return nil, backupError(err)
	}
	return o, nil
}

// platformStore returns the address of the store that a platform file names, and
// the folder of the file.
func platformStore(file string) (address, dir string, err error) {
	name := cmp.Or(file, defaultPlatform)
	if _, err := os.Stat(name); file == "" && errors.Is(err, fs.ErrNotExist) {
		return "", "", usageErrorf("no backup store is named, and there is no %s here", defaultPlatform).
			suggest("give --store ADDRESS or --platform FILE")
	}
	l, _, err := openPlatform(name)
	if err != nil {
		return "", "", err
	}
	if l.platform.Backup == nil || l.platform.Backup.Store.Value == "" {
		return "", "", usageErrorf("%q names no backup store", name).
			suggest("add backup: {store: ADDRESS}, or give --store ADDRESS")
	}
	return l.platform.Backup.Store.Value, l.dir, nil
}

// backupError makes a *UsageError of what a person has to write in another way.
func backupError(err error) error {
	failed, ok := errors.AsType[*action.Error](err)
	if !ok {
		return err
	}
	switch failed.Reason {
	case backup.ReasonStoreAddress, backup.ReasonBackupNotFound, backup.ReasonWrongKey,
		action.ReasonInvalidInput, action.ReasonSecretUnavailable:
		return usageErrorf("%s", failed.Err.Error()).suggest("%s", failed.Remedy)
	}
	return err
}

// Backups returns what a store has, the newest first.
func (s *Service) Backups(ctx context.Context, from BackupStore) ([]report.BackupInfo, error) {
	store, err := s.openBackups(from)
	if err != nil {
		return nil, err
	}
	entries, err := s.catalog(ctx, store)
	if err != nil {
		return nil, err
	}
	out := make([]report.BackupInfo, len(entries))
	for i := range entries {
		out[i] = infoOfBackup(&entries[i])
	}
	return out, nil
}

func (s *Service) catalog(ctx context.Context, store *openBackups) ([]backup.Entry, error) {
	s.o.Progress(Note{Text: "reading what the store has"})
	entries, err := backup.Catalog(ctx, store)
	return entries, backupError(err)
}

// Backup returns everything that is known of one backup.
func (s *Service) Backup(ctx context.Context, from BackupStore, id string) (*report.BackupDetail, error) {
	store, err := s.openBackups(from)
	if err != nil {
		return nil, err
	}
	e, err := s.findBackup(ctx, store, id)
	if err != nil {
		return nil, err
	}
	d := &report.BackupDetail{BackupInfo: infoOfBackup(e), Store: store.address, Proofs: []report.BackupProof{}}
	for _, p := range e.Proofs {
		d.Proofs = append(d.Proofs, proofOf(p))
	}
	if m := e.Manifest; m != nil {
		d.Step, d.Sequence, d.Excluded, d.Level = m.Key, m.Sequence, m.Source.Excluded, m.Level
		d.Counted, d.Parts, d.Recipients, d.Manifest = m.Counts.String(), len(m.Parts), m.Recipients, e.Digest
		for _, t := range m.Tools {
			d.Tools = append(d.Tools, t.Name+" "+t.Version)
		}
	}
	return d, nil
}

// findBackup finds a backup by its id, and says what may be meant when there is
// none.
func (s *Service) findBackup(ctx context.Context, store *openBackups, id string) (*backup.Entry, error) {
	e, err := backup.Find(ctx, store, id)
	if err == nil {
		return e, nil
	}
	if failed, ok := errors.AsType[*action.Error](err); !ok || failed.Reason != backup.ReasonBackupNotFound {
		return nil, backupError(err)
	}
	entries, err := s.catalog(ctx, store)
	if err != nil {
		return nil, err
	}
	return nil, usageErrorf("backup store %q has no backup %q", store.Address(), id).
		suggest("%s", meantBackup(id, entries))
}

// meantBackup says what may be meant by an id that there is not.
func meantBackup(id string, entries []backup.Entry) string {
	var ids []string
	for i := range entries {
		e := &entries[i]
		if e.Good() && e.Manifest.Name == id {
			return fmt.Sprintf("the newest of %s is %s", id, e.ID)
		}
		ids = append(ids, e.ID)
	}
	for _, one := range ids {
		if id != "" && strings.HasPrefix(one, id) {
			return fmt.Sprintf("did you mean %q?", one)
		}
	}
	return cmp.Or(diag.DidYouMean(id, ids), "see refit backup list")
}

// infoOfBackup says what is known of a backup in a few words.
func infoOfBackup(e *backup.Entry) report.BackupInfo {
	info := report.BackupInfo{ID: e.ID, State: report.BackupIncomplete, Stored: e.Bytes, Written: e.Stored.UTC()}
	if problem := cmp.Or(e.Problem, e.Doubt); problem != nil {
		info.Problem = problem.Error()
	}
	if m := e.Manifest; m != nil {
		info.State = report.BackupUnproved
		info.Name, info.Kind, info.Host, info.Path = m.Name, string(m.Kind), m.Source.Host, m.Source.Path
		info.Began, info.Ended, info.Size, info.Encrypted = m.Began, m.Ended, m.Size, m.Encrypted()
	}
	if p, ok := e.Proof(); ok {
		proof := proofOf(p)
		info.Proof, info.State = &proof, report.BackupProved
	}
	if e.Problem != nil {
		info.State = report.BackupDamaged
	}
	return info
}

func proofOf(p backup.Proof) report.BackupProof {
	out := report.BackupProof{Level: p.Level, At: p.At, Host: p.Host}
	if p.Took > 0 {
		out.Took = (time.Duration(p.Took) * time.Millisecond).String()
	}
	if p.Counts != (backup.Counts{}) {
		out.Counted = p.Counts.String()
	}
	return out
}

// activeRuns says why backups of runs that have not ended stay.
func (s *Service) activeRuns(ctx context.Context) (func(*backup.Manifest) string, error) {
	if s.o.Engine == nil || s.o.StateDir == "" {
		return nil, nil //nolint:nilnil // there are no runs that could need one
	}
	list, err := s.Runs(ctx)
	if err != nil {
		return nil, err
	}
	active := slices.DeleteFunc(list.Runs, func(r report.RunInfo) bool { return r.Status.Final() })
	return func(m *backup.Manifest) string {
		for i := range active {
			if strings.HasPrefix(m.Key, active[i].ID+"/") {
				return "may be needed by run " + active[i].ID
			}
		}
		return ""
	}, nil
}
