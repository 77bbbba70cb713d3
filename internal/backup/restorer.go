package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// RestoreFolder restores a folder into dir, which must be empty. shown is how
// messages call it. After an error it may hold anything.
func (w Worker) RestoreFolder(
	ctx context.Context, s Store, m *Manifest, key *Key, dir *os.Root, shown string,
) error {
	return w.restore(ctx, s, m, Directory, key, func(r *streamReader) error {
		return restoreTree(ctx, m, r, dir, shown)
	})
}

// RestoreDatabase restores a database to a new file path with permissions mode
// and checks it.
func (w Worker) RestoreDatabase(
	ctx context.Context, s Store, m *Manifest, key *Key, path string, mode fs.FileMode,
) error {
	return w.restore(ctx, s, m, SQLite, key, func(r *streamReader) error {
		if err := writeFile(r, path, mode); err != nil {
			return err
		}
		counts, err := countDatabase(ctx, path)
		if err != nil {
			return err
		}
		return compare(m, m.Counts, counts)
	})
}

// RestoreWith hands the dump of a database to do and compares what was restored
// with what was saved. What do leaves unread is read, so that nothing of the
// backup is believed that is damaged.
func (w Worker) RestoreWith(
	ctx context.Context, s Store, m *Manifest, key *Key, do func(io.Reader) (Counts, error),
) error {
	return w.restore(ctx, s, m, m.Kind, key, func(r *streamReader) error {
		dump := &countingReader{r: r}
		counts, err := do(dump)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, onlyReader{dump}); err != nil {
			return err
		}
		counts.Files, counts.Bytes = 1, dump.n
		return compare(m, m.Counts, counts)
	})
}

// ReadObjects hands the objects of a namespace to do. What do leaves unread is read, so
// that nothing of the backup is believed that is damaged.
func (w Worker) ReadObjects(
	ctx context.Context, s Store, m *Manifest, key *Key, do func(ItemReader) error,
) error {
	return w.restore(ctx, s, m, Namespace, key, func(r *streamReader) error {
		dump := &countingReader{r: r}
		if err := eachItem(m, key, dump, do); err != nil {
			return err
		}
		return compare(m, m.Counts, Counts{Objects: int64(len(m.Items)), Bytes: dump.n})
	})
}

func (w Worker) restore(
	ctx context.Context, s Store, m *Manifest, kind Kind, key *Key, do func(*streamReader) error,
) (err error) {
	if m.Kind != kind {
		return failure(ReasonBackupNotFound, "restore it to where it belongs", false,
			"backup %q: it holds a %s, not a %s", m.ID, m.Kind, kind)
	}
	var done int64
	r, err := newStreamReader(ctx, s, m, key, func(p Part) {
		done += p.Size
		w.report(done, m.Stored, "bytes", "restore")
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := do(r); err != nil {
		return streamFailure(m, err)
	}
	return nil
}
