package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// mostProblems is how many damaged parts are named.
const mostProblems = 10

// Prove checks a backup at a level and records the proof in the store. All that
// is wrong comes back as one error with ReasonBackupDamaged.
func (w Worker) Prove(ctx context.Context, s Store, e *Entry, level int, key *Key) (Proof, error) {
	proof, err := w.Check(ctx, s, e, level, key)
	if err != nil {
		return Proof{}, err
	}
	proof.Key, proof.Origin = w.Key, w.Origin
	data, err := sealed(proof)
	if err != nil {
		return Proof{}, err
	}
	return proof, s.Put(ctx, proofName(e.ID, proof, data), data)
}

// ProveMade proves a backup that was just made, unless it is proved so well already.
// One that is damaged is taken apart, so that the next attempt stores what was lost.
func (w Worker) ProveMade(ctx context.Context, s Store, id string, level int, key *Key) (Proof, error) {
	e, err := Find(ctx, s, id)
	if err != nil {
		return Proof{}, err
	}
	if proof, ok := e.Proof(); ok && proof.Level >= level {
		return proof, nil
	}
	proof, err := w.Prove(ctx, s, e, level, key)
	if failed, ok := errors.AsType[*action.Error](err); ok && failed.Reason == ReasonBackupDamaged {
		if err := Discard(ctx, s, e); err != nil {
			return Proof{}, err
		}
		failed.Retryable, failed.Remedy = true, "find out what the store did; a retry stores it again"
	}
	return proof, err
}

// Check checks a backup at a level and writes nothing. Level 1 needs no key.
func (w Worker) Check(ctx context.Context, s Store, e *Entry, level int, key *Key) (Proof, error) {
	if err := cmp.Or(e.Ready(), e.Doubt); err != nil {
		if IsDamage(err) && e.Manifest != nil {
			return Proof{}, w.allDamage(ctx, s, e, err)
		}
		return Proof{}, err
	}
	began := w.Now()
	proof := Proof{
		Backup: e.ID, Manifest: e.Digest, Level: level, At: began.UTC(), Host: w.Host, Tools: w.Tools,
	}
	var err error
	if level == ReadBack {
		err = w.readBack(ctx, s, e)
	} else {
		proof.Counts, err = w.unpacked(ctx, s, e, level, key)
	}
	if IsDamage(err) {
		return Proof{}, w.allDamage(ctx, s, e, err)
	}
	if err != nil {
		return Proof{}, err
	}
	proof.Took = w.Now().Sub(began).Milliseconds()
	return proof, nil
}

// readBack reads every part and compares its digest.
func (w Worker) readBack(ctx context.Context, s Store, e *Entry) error {
	var buffer []byte
	var done int64
	for _, p := range e.Manifest.Parts {
		var err error
		if buffer, err = readPart(ctx, s, e.ID, p, buffer); err != nil {
			return err
		}
		done += p.Size
		w.report(done, e.Manifest.Stored, "bytes", "read back")
	}
	return nil
}

// allDamage reads every part to name all that are damaged, beside what was
// found first.
func (w Worker) allDamage(ctx context.Context, s Store, e *Entry, first error) error {
	var found []string
	var buffer []byte
	for _, p := range e.Manifest.Parts {
		var err error
		if buffer, err = readPart(ctx, s, e.ID, p, buffer); err == nil {
			continue
		}
		failed, ok := errors.AsType[*action.Error](err)
		if !ok || failed.Reason != ReasonBackupDamaged {
			return err
		}
		text := strings.TrimPrefix(failed.Err.Error(), fmt.Sprintf("backup %q: ", e.ID))
		if found = append(found, text); len(found) == mostProblems {
			found = append(found, "and maybe more")
			break
		}
	}
	if len(found) < 2 {
		return first
	}
	return damaged(e.ID, "%s", strings.Join(found, "; "))
}

// unpacked reads the stream of a backup, parses or restores it, and compares
// what was counted with what was counted when it was made.
func (w Worker) unpacked(ctx context.Context, s Store, e *Entry, level int, key *Key) (counts Counts, err error) {
	m := e.Manifest
	note := "parse"
	if level == Restored {
		note = "restore into a scratch folder"
	}
	var done int64
	r, err := newStreamReader(ctx, s, m, key, func(p Part) {
		done += p.Size
		w.report(done, m.Stored, "bytes", note)
	})
	if err != nil {
		return Counts{}, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if m.Kind == Secret { // it is restored into memory only
		_, counts, err = readCaptured(r, m, key)
	} else if m.Kind == Namespace {
		counts, err = w.readObjects(ctx, m, level, key, r)
	} else if m.Kind == PostgreSQL || m.Kind == MySQL {
		counts, err = w.readDump(ctx, m, level, r)
	} else if level == Restored {
		counts, err = w.restoreToScratch(ctx, m, r)
	} else if counts, err = parse(ctx, m, r); err == nil {
		err = compare(m, m.Counts.withoutRows(), counts)
	}
	if err != nil {
		return Counts{}, streamFailure(m, err)
	}
	return counts, nil
}

// streamFailure says what is wrong with the content of a backup, when err is not
// about something else.
func streamFailure(m *Manifest, err error) error {
	if ended := interrupted("read the backup", err); ended != nil {
		return ended
	}
	if action.ReasonOf(err) != "" {
		return err
	}
	return damaged(m.ID, "%w", err)
}

// parse counts what is in the stream without keeping any of it.
func parse(ctx context.Context, m *Manifest, r *streamReader) (Counts, error) {
	switch m.Kind {
	case Directory:
		return countTree(ctx, r)
	case SQLite:
		return checkDatabaseStream(r)
	default:
		return Counts{}, tooNew(m)
	}
}

// readDump lets the server parse or restore a dump.
func (w Worker) readDump(ctx context.Context, m *Manifest, level int, r io.Reader) (Counts, error) {
	if w.Server == nil {
		return Counts{}, failure(ReasonServerNeeded, "prove it with database.verify", false,
			"backup %q: it holds a dump, which its server has to read", m.ID)
	}
	dump := &countingReader{r: r}
	if level < Restored {
		if err := w.Server.Parse(ctx, m, dump); err != nil {
			return Counts{}, err
		}
		if _, err := io.Copy(io.Discard, dump); err != nil {
			return Counts{}, err
		}
		counts := Counts{Files: 1, Bytes: dump.n}
		return counts, compare(m, m.Counts.withoutRows(), counts)
	}
	counts, err := w.Server.Restore(ctx, m, dump)
	if err == nil {
		_, err = io.Copy(io.Discard, dump)
	}
	if err != nil {
		return Counts{}, err
	}
	counts.Files, counts.Bytes = 1, dump.n
	return counts, compare(m, m.Counts, counts)
}

// readObjects lets a cluster parse or restore the objects of a namespace.
func (w Worker) readObjects(ctx context.Context, m *Manifest, level int, key *Key, r io.Reader) (Counts, error) {
	if w.Objects == nil {
		return Counts{}, failure(ReasonServerNeeded, "prove it with kube.verify", false,
			"backup %q: it holds objects of a cluster, which a cluster has to read", m.ID)
	}
	dump := &countingReader{r: r}
	if err := eachItem(m, key, dump, func(items ItemReader) error { return w.Objects(ctx, level, items) }); err != nil {
		return Counts{}, err
	}
	counts := Counts{Objects: int64(len(m.Items)), Bytes: dump.n}
	return counts, compare(m, m.Counts, counts)
}

// countingReader counts what is read.
type countingReader struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func tooNew(m *Manifest) error {
	return failure(ReasonBackupTooNew, "use the Refit that wrote it, or a newer one", false,
		"backup %q: it holds a %s, which this Refit does not know", m.ID, m.Kind)
}

// withoutRows returns what can be counted without opening a database.
func (c Counts) withoutRows() Counts {
	c.Tables, c.Rows, c.Digest = 0, 0, ""
	return c
}

// compare says how what was counted differs from what was saved.
func compare(m *Manifest, want, got Counts) error {
	if want == got {
		return nil
	}
	return damaged(m.ID, "counted %s, when it was made there were %s", got, want)
}

// String says what was counted, in a few words.
func (c Counts) String() string {
	var parts []string
	for _, n := range []struct {
		n         int64
		one, many string
	}{
		{c.Files, "file", "files"},
		{c.Folders, "folder", "folders"},
		{c.Links, "link", "links"},
		{c.Others, "pipe", "pipes"},
		{c.Tables, "table", "tables"},
		{c.Rows, "row", "rows"},
		{c.Objects, "object", "objects"},
	} {
		switch n.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+n.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n.n, n.many))
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("%d bytes", c.Bytes)), ", ")
}

// restoreToScratch restores a backup where nobody uses it, and counts.
func (w Worker) restoreToScratch(ctx context.Context, m *Manifest, r *streamReader) (Counts, error) {
	scratch, remove, err := w.scratch()
	if err != nil {
		return Counts{}, err
	}
	defer remove()
	switch m.Kind {
	case Directory:
		dir, err := os.OpenRoot(scratch)
		if err != nil {
			return Counts{}, writeFailure("scratch folder", err)
		}
		defer func() { _ = dir.Close() }() // it is removed
		written, found, err := tryTree(ctx, r, dir, "scratch folder")
		if err == nil {
			err = compare(m, m.Counts, written)
		}
		if err != nil {
			return Counts{}, err
		}
		return found, compare(m, m.Counts, found)
	case SQLite:
		path := filepath.Join(scratch, "restored.db")
		if err := writeFile(r, path, 0o600); err != nil {
			return Counts{}, err
		}
		counts, err := countDatabase(ctx, path)
		if err != nil {
			return Counts{}, err
		}
		return counts, compare(m, m.Counts, counts)
	default:
		return Counts{}, tooNew(m)
	}
}

// restoreTree restores a folder into dir, which is empty, and compares what was
// in the stream with the manifest.
func restoreTree(ctx context.Context, m *Manifest, r io.Reader, dir *os.Root, shown string) error {
	counts, err := readTree(ctx, r, dir, shown)
	if err != nil {
		return err
	}
	return compare(m, m.Counts, counts)
}
