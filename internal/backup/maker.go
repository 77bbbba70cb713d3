package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/action"
)

// Worker is who makes and checks backups: what it says of itself, and what it
// needs from the machine.
type Worker struct {
	// Host is the name of the machine; Tools are what backups are made with.
	Host  string
	Tools []Tool
	// Now gives the time.
	Now func() time.Time
	// Scratch is the folder for copies that are removed again; empty for that
	// of the system.
	Scratch string
	// Server reads what a database server has dumped; nil when there is none.
	Server ServerReader
	// Objects parses or restores the objects of a namespace, by the level of the proof,
	// and returns an error for the first that cannot be; nil when there is no cluster.
	Objects func(ctx context.Context, level int, items ItemReader) error
	// Key and Origin name the effect that asks for the work; see action.Env.
	Key, Origin string
	// Report is told how far the work has come; it may be nil.
	Report func(action.Progress)
}

func (w Worker) report(done, total int64, unit, note string) {
	if w.Report != nil {
		w.Report(action.Progress{Done: done, Total: total, Unit: unit, Note: note})
	}
}

// Request is one backup to make.
type Request struct {
	Store Store
	// Name is the name of the series; see ValidName.
	Name string
	// Key and Origin name the effect; see action.Env. The same always make the
	// same backup: what an attempt before has stored is used.
	Key, Origin string
	Kind        Kind
	// Path is the absolute path of the folder or the database.
	Path     string
	Excluded []string
	// Level is the level of compression, as zstd counts; 0 for the usual, 3.
	Level int
	// Lock encrypts the backup; nil leaves it open.
	Lock *Key
	// Value is the secret that is captured, with kind Secret; Path then says in
	// words where it was read.
	Value string
	// Save writes the database to out, with the kinds PostgreSQL and MySQL and with
	// a database of SQLite that is not a file of this machine, whose rows need not
	// be counted. Path then says where the database is, without a secret; Identity
	// and Server are those of the Source, and Tools are added to those of the Worker.
	Save             func(ctx context.Context, out io.Writer) (Counts, error)
	Identity, Server string
	Tools            []Tool
	// SaveObjects takes the place of Save with the kind Namespace.
	SaveObjects func(ctx context.Context, out *ItemWriter) error
}

// ServerReader is what a database server does with a dump of it.
type ServerReader interface {
	// Parse reads a dump to its end and keeps nothing of it.
	Parse(ctx context.Context, m *Manifest, dump io.Reader) error
	// Restore restores a dump into a database that nobody uses, counts it as it
	// was counted when it was made, and removes it, whatever fails.
	Restore(ctx context.Context, m *Manifest, dump io.Reader) (Counts, error)
}

// Check says what is wrong with a request beside what is on the disk.
func (r Request) Check() error {
	switch {
	case !ValidName(r.Name):
		return fmt.Errorf(
			"%q cannot be the name of a backup: use up to 63 of a-z, 0-9, dot, dash and underscore", r.Name)
	case r.Level < 0 || r.Level > 19:
		return fmt.Errorf("level %d is not between 1 and 19", r.Level)
	case r.Kind == SQLite && len(r.Excluded) > 0:
		return errors.New("nothing can be excluded from a database")
	case (r.Kind == PostgreSQL || r.Kind == MySQL) && r.Save == nil:
		return fmt.Errorf("a %s is saved by database.backup", r.Kind)
	case r.Kind == Namespace && r.SaveObjects == nil:
		return fmt.Errorf("a %s is saved by kube.backup", r.Kind)
	case r.Kind == Secret && r.Lock == nil:
		return errors.New("a secret is kept encrypted only, and there is no key")
	}
	return checkPatterns(r.Excluded)
}

// Make makes a backup, unless it is there. It is not proved yet: see Check.
func (w Worker) Make(ctx context.Context, r Request) (*Manifest, error) {
	if err := r.Check(); err != nil {
		return nil, failure(action.ReasonInvalidInput, "", false, "%w", err)
	}
	id := ID(r.Name, r.Key, r.Origin)
	entries, err := Catalog(ctx, r.Store)
	if err != nil {
		return nil, err
	}
	m := &Manifest{
		Format: Format, ID: id, Name: r.Name, Kind: r.Kind, Key: r.Key, Recipients: r.Lock.Recipients(),
		Source: Source{
			Host: w.Host, Path: printable(r.Path), Excluded: r.Excluded, Identity: r.Identity, Server: r.Server,
		},
		Tools: slices.Concat(w.Tools, r.Tools), Began: w.Now().UTC(), Sequence: 1, Level: r.Level,
	}
	if m.Level == 0 {
		m.Level = 3
	}
	if r.Kind == Secret {
		m.Keyed = r.Lock.keyed(id, r.Value)
	}
	for _, e := range entries {
		if e.ID == id && e.Manifest != nil {
			return e.Manifest, nil
		}
		if e.Manifest != nil && e.Manifest.Series() == m.Series() {
			m.Sequence = max(m.Sequence, e.Manifest.Sequence+1)
		}
	}
	if err := w.fill(ctx, r, m); err != nil {
		return nil, err
	}
	return m, commit(ctx, r.Store, m)
}

// fill reads the source and stores its parts.
func (w Worker) fill(ctx context.Context, r Request, m *Manifest) (err error) {
	source, done, err := w.open(ctx, r, m)
	if err != nil {
		return err
	}
	defer done()
	if r.Kind == SQLite { // the copy is of the moment at which it was begun
		w.report(0, 0, "bytes", "store the copy")
	}
	out, err := newStreamWriter(ctx, r.Store, m.ID, m.Level, r.Lock)
	if err != nil {
		return err
	}
	m.Counts, err = source(out)
	if m.Parts, err = out.Close(err); err != nil {
		return storeOrSource(r.Store, err)
	}
	for _, p := range m.Parts {
		m.Size += p.Raw
		m.Stored += p.Size
	}
	m.Ended = w.Now().UTC()
	return nil
}

func storeOrSource(s Store, err error) error {
	if ended := interrupted("make the backup", err); ended != nil {
		return ended
	}
	if action.ReasonOf(err) == "" {
		return fmt.Errorf("write to backup store %q: %w", s.Address(), err)
	}
	return err
}

// open prepares to read the source. done removes what was made for that.
func (w Worker) open(ctx context.Context, r Request, m *Manifest) (func(io.Writer) (Counts, error), func(), error) {
	if r.Kind == Secret {
		return func(out io.Writer) (Counts, error) { return writeSecret(out, r.Value) }, func() {}, nil
	}
	bytes := func(done int64) { w.report(done, 0, "bytes", "read "+printable(r.Path)) }
	if r.Kind == Directory {
		return func(out io.Writer) (Counts, error) {
			return writeTree(ctx, out, r.Path, r.Excluded, bytes)
		}, func() {}, nil
	}
	if r.Kind == Namespace {
		return func(out io.Writer) (Counts, error) {
			counter := &countingWriter{w: out, report: bytes}
			items := &ItemWriter{out: counter, key: r.Lock, id: m.ID}
			err := r.SaveObjects(ctx, items)
			m.Items = items.items
			return Counts{Objects: int64(len(m.Items)), Bytes: counter.n}, err
		}, func() {}, nil
	}
	if r.Kind != SQLite {
		return func(out io.Writer) (Counts, error) {
			counter := &countingWriter{w: out, report: bytes}
			counts, err := r.Save(ctx, counter)
			counts.Files, counts.Bytes = 1, counter.n
			return counts, err
		}, func() {}, nil
	}
	scratch, remove, err := w.scratch()
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(scratch, "copy.db")
	if err := w.copy(ctx, r, path); err != nil {
		remove()
		return nil, nil, err
	}
	counts, err := countDatabase(ctx, path)
	if err != nil {
		remove()
		return nil, nil, databaseFailure(printable(r.Path), err)
	}
	return func(out io.Writer) (Counts, error) {
		f, err := os.Open(path)
		if err != nil {
			return Counts{}, err
		}
		defer func() { _ = f.Close() }() // it was only read
		_, err = io.Copy(out, onlyReader{f})
		return counts, err
	}, remove, nil
}

// copy makes a copy of a database of SQLite at path.
func (w Worker) copy(ctx context.Context, r Request, path string) (err error) {
	if r.Save == nil {
		pages := func(done int64) { w.report(done, 0, "pages", "copy "+printable(r.Path)) }
		return copyDatabase(ctx, r.Path, path, pages)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return writeFailure("scratch folder", err)
	}
	bytes := func(done int64) { w.report(done, 0, "bytes", "copy "+printable(r.Path)) }
	_, err = r.Save(ctx, &countingWriter{w: writerFor{f, "scratch folder"}, report: bytes})
	if closed := f.Close(); err == nil && closed != nil {
		err = writeFailure("scratch folder", closed)
	}
	return err
}

// countingWriter counts what is written and tells somebody.
type countingWriter struct {
	w      io.Writer
	n      int64
	report func(done int64)
}

// Write implements io.Writer.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.report(c.n)
	return n, err
}

// commit makes a backup of the parts that are stored. Whoever comes first has
// made it; parts of others are removed by nobody else.
func commit(ctx context.Context, s Store, m *Manifest) error {
	data, err := sealed(m)
	if err != nil {
		return err
	}
	if err := s.Put(ctx, manifestName(m.ID), data); err != nil {
		return err
	}
	stored, err := read(ctx, s, manifestName(m.ID), mostManifest)
	if err != nil {
		return err
	}
	winner := &Manifest{}
	if err := unseal(stored, winner); err != nil {
		return damaged(m.ID, "its manifest, which was just written: %w", err)
	}
	if digestOf(stored) != digestOf(data) {
		*m = *winner // somebody else has made the same backup meanwhile
		return nil
	}
	return removeStray(ctx, s, m)
}

// removeStray removes the parts of attempts before that the backup has no use
// for.
func removeStray(ctx context.Context, s Store, m *Manifest) error {
	list, err := s.List(ctx, m.ID+"/part-")
	if err != nil {
		return err
	}
	used := make(map[string]bool, len(m.Parts))
	for _, p := range m.Parts {
		used[m.ID+"/"+p.Name] = true
	}
	for _, o := range list {
		if used[o.Name] {
			continue
		}
		if err := s.Remove(ctx, o.Name); err != nil {
			return err
		}
	}
	return nil
}

// Discard removes a backup that was found to be damaged when it was made, so
// that the next attempt makes it anew: first the manifest, so that nobody takes
// what is left for a backup, then the parts that are not what they should be.
func Discard(ctx context.Context, s Store, e *Entry) error {
	if err := s.Remove(ctx, manifestName(e.ID)); err != nil || e.Manifest == nil {
		return err
	}
	m := e.Manifest
	var buffer []byte
	for _, p := range m.Parts {
		var err error
		if buffer, err = readPart(ctx, s, m.ID, p, buffer); err == nil {
			continue
		}
		if !IsDamage(err) {
			return err
		}
		if err := s.Remove(ctx, m.ID+"/"+p.Name); err != nil {
			return err
		}
	}
	return nil
}

// scratch makes a folder for copies. remove removes it with all that is in it.
func (w Worker) scratch() (path string, remove func(), err error) {
	path, err = os.MkdirTemp(w.Scratch, "refit-scratch-")
	if err != nil {
		return "", nil, writeFailure("scratch folder", err)
	}
	return path, func() { removeAll(path) }, nil
}

// removeAll removes a folder with all that is in it, also folders that forbid
// it.
func removeAll(path string) {
	if os.RemoveAll(path) == nil {
		return
	}
	_ = filepath.WalkDir(path, func(name string, d os.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700) //nolint:gosec // it is a folder, and about to go
		}
		return nil
	})
	_ = os.RemoveAll(path) // what is left then is for the person who finds it
}

// printable returns a path as UTF-8 on one line.
func printable(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); {
		r, size := utf8.DecodeRuneInString(path[i:])
		if r == utf8.RuneError && size == 1 || r < ' ' || r == 0x7f {
			fmt.Fprintf(&b, `\x%02x`, path[i])
		} else {
			b.WriteString(path[i : i+size])
		}
		i += size
	}
	return b.String()
}
