package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// The marks of an exchange: files in its folder. Each says that everything
// before it is durable.
const (
	// markCreated: the folder was not there before; markFile: it is a file.
	markCreated = "created"
	markFile    = "file"
	// markReady: what is to come is all there, below new. It holds what was
	// counted.
	markReady = "ready"
	// markEmptied: all that was there is below before.
	markEmptied = "emptied"
	// markDone: all that was new is in its place.
	markDone = "done"
	// markCleared: undo has removed all that was new.
	markCleared = "cleared"
)

const (
	newFolder    = "new"
	beforeFolder = "before"
)

// exchange puts restored files in the place of others, one name after the
// other, and can go on, or back, from wherever it was broken off. Its folder
// stands next to what is restored, or inside, where a disk is mounted there.
type exchange struct {
	World
	// path is what is restored, work the folder of the exchange.
	path, work string
	isFile     bool
}

// exchange returns the exchange of an effect for path.
func (w World) exchange(env action.Env, path string) (*exchange, error) {
	sum := sha256.Sum256([]byte(env.Key + "\x00" + env.Origin))
	mark := ".refit-" + hex.EncodeToString(sum[:6])
	parent, base := filepath.Split(path)
	x := &exchange{World: w, path: path, work: filepath.Join(parent, "."+base+mark)}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.isFile = x.has(markFile)
		return x, nil
	case err != nil:
		return nil, err
	case info.Mode().IsRegular():
		x.isFile = true
		return x, nil
	case !info.IsDir():
		return nil, errors.New("it is neither a folder nor a file; name what a link leads to")
	}
	above, err := os.Stat(parent)
	if err != nil {
		return nil, err
	}
	if !sameDisk(info, above) {
		x.work = filepath.Join(path, mark)
	}
	return x, nil
}

func (x *exchange) in(name string) string { return filepath.Join(x.work, name) }

// has tells whether a mark is there; the empty mark is the folder itself.
func (x *exchange) has(mark string) bool {
	_, err := os.Lstat(x.in(mark))
	return err == nil
}

func (x *exchange) keptFolder() string { return x.in(beforeFolder) }

// counted returns what was counted when it was fetched.
func (x *exchange) counted() (string, error) {
	data, err := os.ReadFile(x.in(markReady))
	return string(data), err
}

// mark sets a mark durably.
func (x *exchange) mark(name, content string) error {
	if err := x.before("mark " + name); err != nil {
		return err
	}
	temporary := x.in(name + ".tmp")
	if err := os.WriteFile(temporary, []byte(content), 0o600); err != nil {
		return err
	}
	if err := syncPath(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, x.in(name)); err != nil {
		return err
	}
	return syncPath(x.work)
}

// fetch restores the backup next to its place.
func (p *place) fetch(ctx context.Context, x *exchange, m *backup.Manifest) error {
	if err := x.prepare(); err != nil {
		return err
	}
	if err := x.before("fetch"); err != nil {
		return err
	}
	if x.isFile {
		to := filepath.Join(x.in(newFolder), filepath.Base(x.path))
		if err := p.worker.RestoreDatabase(ctx, p.store, m, p.key, to, x.fileMode()); err != nil {
			return err
		}
	} else {
		dir, err := os.OpenRoot(x.in(newFolder))
		if err != nil {
			return err
		}
		err = p.worker.RestoreFolder(ctx, p.store, m, p.key, dir, x.path)
		if err = errors.Join(err, dir.Close()); err != nil {
			return err
		}
	}
	if err := syncDisk(x.work); err != nil {
		return err
	}
	return x.mark(markReady, m.Counts.String())
}

// prepare makes the folder of the exchange; what an attempt before has fetched
// half goes.
func (x *exchange) prepare() error {
	if err := x.before("prepare"); err != nil {
		return err
	}
	_, err := os.Lstat(x.path)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err := mkdir(x.work); err != nil {
		return err
	}
	kind := ""
	if x.isFile {
		kind = markFile
	} else if isNew {
		kind = markCreated
	}
	if kind != "" {
		if err := x.mark(kind, ""); err != nil {
			return err
		}
	}
	if err := removeAll(x.in(newFolder)); err != nil {
		return err
	}
	return errors.Join(mkdir(x.in(newFolder)), mkdir(x.in(beforeFolder)))
}

func mkdir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// fileMode returns the permissions of the database that is there, else those of
// a private file.
func (x *exchange) fileMode() fs.FileMode {
	if info, err := os.Stat(x.path); err == nil {
		return info.Mode().Perm()
	}
	return 0o600
}

// folder returns where the names that are exchanged stand.
func (x *exchange) folder() string {
	if x.isFile {
		return filepath.Dir(x.path)
	}
	return x.path
}

// names returns the names in the place that belong to it.
func (x *exchange) names() ([]string, error) {
	all, err := entries(x.folder())
	base := filepath.Base(x.path)
	mine := []string{base, base + "-wal", base + "-shm", base + "-journal"}
	return slices.DeleteFunc(all, func(name string) bool {
		return x.isFile && !slices.Contains(mine, name) || filepath.Join(x.folder(), name) == x.work
	}), err
}

// entries returns the names in a folder; none when it is not there.
func entries(folder string) ([]string, error) {
	list, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name()
	}
	return names, err
}

// swap moves what is there away, and what is new in its place.
func (x *exchange) swap() error {
	if !x.has(markEmptied) {
		if err := x.empty(); err != nil {
			return err
		}
	}
	if x.has(markDone) {
		return nil
	}
	names, err := entries(x.in(newFolder))
	if err != nil {
		return err
	}
	if err := x.move(names, x.in(newFolder), x.folder()); err != nil {
		return err
	}
	if !x.isFile {
		if err := likeFolder(x.in(newFolder), x.path); err != nil {
			return err
		}
	}
	return x.mark(markDone, "")
}

// empty moves what is there away, remembers the permissions and the owner of the
// place, and makes the place when there was none.
func (x *exchange) empty() error {
	names, err := x.names()
	if err != nil {
		return err
	}
	if err := x.move(names, x.folder(), x.in(beforeFolder)); err != nil {
		return err
	}
	if !x.isFile {
		if err := mkdir(x.path); err != nil {
			return err
		}
		if err := likeFolder(x.path, x.in(beforeFolder)); err != nil {
			return err
		}
	}
	return x.mark(markEmptied, "")
}

// likeFolder gives a folder owner, permissions and time of another.
func likeFolder(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if uid, gid, ok := ownerOf(info); ok && os.Geteuid() == 0 {
		if err := os.Chown(to, uid, gid); err != nil {
			return err
		}
	}
	if err := os.Chmod(to, info.Mode()); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// move moves names from one folder to another, durably.
func (x *exchange) move(names []string, from, to string) error {
	for _, name := range names {
		if err := x.before("move " + name); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	for _, folder := range []string{from, to} {
		if err := syncPath(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// undo brings back what was there, from any state that an attempt, or an undo
// before, can leave.
func (x *exchange) undo() error {
	if !x.has("") {
		return nil
	}
	if x.has(markEmptied) && !x.has(markCleared) {
		names, err := x.names()
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := removeAll(filepath.Join(x.folder(), name)); err != nil {
				return err
			}
		}
		if err := x.mark(markCleared, ""); err != nil {
			return err
		}
	}
	names, err := entries(x.in(beforeFolder))
	if err != nil {
		return err
	}
	if err := x.move(names, x.in(beforeFolder), x.folder()); err != nil {
		return err
	}
	return x.leave()
}

// leave gives the place its permissions back and removes the folder of the
// exchange.
func (x *exchange) leave() error {
	switch {
	case x.isFile:
	case x.has(markCreated):
		if err := os.Remove(x.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	case x.has(markEmptied) && x.has(beforeFolder):
		if err := likeFolder(x.in(beforeFolder), x.path); err != nil {
			return err
		}
	}
	// The mark that lets undo remove what stands in the place goes before the
	// one that keeps it from doing so.
	for _, name := range []string{markDone, markEmptied, newFolder, beforeFolder} {
		if err := removeAll(x.in(name)); err != nil {
			return err
		}
	}
	return removeAll(x.work)
}

// removeAll removes a folder with all that is in it, also folders that forbid
// it.
func removeAll(path string) error {
	if os.RemoveAll(path) == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(name string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700) //nolint:gosec // it is a folder, and about to go
		}
		return nil
	})
	return os.RemoveAll(path)
}

// syncPath brings a file, or the names in a folder, to the disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
