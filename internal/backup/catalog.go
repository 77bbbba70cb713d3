package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// mostManifest is the size of the largest manifest: some 300,000 parts.
	mostManifest = 64 << 20
	// mostProof is the size of the largest proof.
	mostProof = 1 << 20
	// readsAtOnce is how many small objects are read at a time.
	readsAtOnce = 8
)

// Entry is what a store holds of one backup.
type Entry struct {
	ID string
	// Manifest is nil for a backup that is being written, or whose writer has
	// ended before it was done, or whose manifest is damaged.
	Manifest *Manifest
	// Digest is the digest of the manifest.
	Digest string
	// Proofs are those of this manifest, the oldest first.
	Proofs []Proof
	// Objects and Bytes are what is there; Stored is when the last of it was
	// put there, by the clock of the store.
	Objects int
	Bytes   int64
	Stored  time.Time
	// Written is when the manifest was put there, by that clock.
	Written time.Time
	// Problem is what is wrong as far as it can be seen without reading parts.
	Problem error
	// Doubt is what is wrong with the proofs, which does not touch the content.
	Doubt   error
	objects []Object
}

// Good tells whether the backup is there as a whole, as far as can be seen
// without reading it.
func (e *Entry) Good() bool { return e.Manifest != nil && e.Problem == nil }

// Proof returns the best proof, the latest of its level; false without any.
func (e *Entry) Proof() (Proof, bool) {
	if len(e.Proofs) == 0 {
		return Proof{}, false
	}
	return slices.MaxFunc(e.Proofs, func(a, b Proof) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), a.At.Compare(b.At))
	}), true
}

// Stands tells whether a backup is stored whole and proved to a level, with the best
// proof, and in words what is missing.
func (e *Entry) Stands(level int) (proof Proof, whole bool, why string) {
	proof, proved := e.Proof()
	switch {
	case e.Problem != nil:
		return proof, false, e.Problem.Error()
	case e.Manifest == nil:
		return proof, false, fmt.Sprintf("the store has %d parts of it", e.Objects)
	case !proved || proof.Level < level:
		return proof, false, "it is stored and not proved yet"
	default:
		return proof, true, "it is stored and proved"
	}
}

// Catalog returns everything in a store, the newest first. Other objects than
// those of backups do not count. A damaged backup is an entry with a Problem.
func Catalog(ctx context.Context, s Store) ([]Entry, error) {
	list, err := s.List(ctx, "")
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, o := range list {
		id, rest, below := strings.Cut(o.Name, "/")
		if !below || !idPattern.MatchString(id) || strings.Contains(rest, "/") {
			continue
		}
		if len(entries) == 0 || entries[len(entries)-1].ID != id {
			entries = append(entries, Entry{ID: id})
		}
		entries[len(entries)-1].count(o)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readsAtOnce)
	for i := range entries {
		g.Go(func() error { return entries[i].load(ctx, s) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(entries, newestFirst)
	return entries, nil
}

// newestFirst orders backups for people; those of a series by their sequence.
func newestFirst(a, b Entry) int {
	if a.Manifest == nil || b.Manifest == nil {
		return b.Stored.Compare(a.Stored)
	}
	if a.Manifest.Series() == b.Manifest.Series() && a.Manifest.Sequence != b.Manifest.Sequence {
		return cmp.Compare(b.Manifest.Sequence, a.Manifest.Sequence)
	}
	return cmp.Or(b.Manifest.Began.Compare(a.Manifest.Began), cmp.Compare(a.ID, b.ID))
}

// Find returns one backup. The error has ReasonBackupNotFound when nothing of it
// is there.
func Find(ctx context.Context, s Store, id string) (*Entry, error) {
	if !idPattern.MatchString(id) {
		return nil, failure(ReasonBackupNotFound, "see refit backup list", false,
			"backup %q: that is no id of a backup", id)
	}
	list, err := s.List(ctx, id+"/")
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, failure(ReasonBackupNotFound, "see refit backup list", false,
			"backup %q: backup store %q has none of this id", id, s.Address())
	}
	e := &Entry{ID: id}
	for _, o := range list {
		e.count(o)
	}
	return e, e.load(ctx, s)
}

// Ready returns the error of a backup that cannot be restored, nil for others.
func (e *Entry) Ready() error {
	if e.Problem != nil {
		return e.Problem
	}
	if e.Manifest == nil {
		return failure(ReasonBackupIncomplete, "wait for its writer, or restore another backup", false,
			"backup %q: it has no manifest: it is being written, or was given up, or its manifest was lost", e.ID)
	}
	return nil
}

func (e *Entry) count(o Object) {
	e.Objects++
	e.Bytes += o.Size
	if o.Stored.After(e.Stored) {
		e.Stored = o.Stored
	}
	if o.Name == manifestName(e.ID) {
		e.Written = o.Stored
	}
	e.objects = append(e.objects, o)
}

// load reads manifest and proofs. The error is one of the store; what is wrong
// with the backup is its Problem.
func (e *Entry) load(ctx context.Context, s Store) error {
	data, err := read(ctx, s, manifestName(e.ID), mostManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil && !errors.Is(err, errTooLarge) {
		return err
	}
	m := &Manifest{}
	if err == nil {
		err = unseal(data, m)
	}
	if err != nil {
		e.Problem = damaged(e.ID, "its manifest: %w", err)
	} else if e.Problem = m.check(e.ID); e.Problem == nil {
		e.Manifest, e.Digest = m, digestOf(data)
		e.Problem = e.missing()
		return e.loadProofs(ctx, s)
	}
	return nil
}

// missing compares the parts that there are with those of the manifest.
func (e *Entry) missing() error {
	sizes := make(map[string]int64, len(e.objects))
	for _, o := range e.objects {
		sizes[o.Name] = o.Size
	}
	for _, p := range e.Manifest.Parts {
		size, there := sizes[e.ID+"/"+p.Name]
		switch {
		case !there:
			return damaged(e.ID, "part %q is missing", p.Name)
		case size != p.Size:
			return damaged(e.ID, "part %q has %d bytes instead of %d", p.Name, size, p.Size)
		}
	}
	return nil
}

func (e *Entry) loadProofs(ctx context.Context, s Store) error {
	for _, o := range e.objects {
		if !strings.HasPrefix(o.Name, e.ID+"/proof-") {
			continue
		}
		data, err := read(ctx, s, o.Name, mostProof)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil && !errors.Is(err, errTooLarge) {
			return err
		}
		var p Proof
		if err == nil {
			err = unseal(data, &p)
		}
		switch {
		case err != nil:
			e.Doubt = damaged(e.ID, "proof %q: %w", o.Name[len(e.ID)+1:], err)
		case p.Backup == e.ID && p.Manifest == e.Digest:
			e.Proofs = append(e.Proofs, p)
		}
	}
	slices.SortFunc(e.Proofs, func(a, b Proof) int { return a.At.Compare(b.At) })
	return nil
}
