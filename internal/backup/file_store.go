package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// files is a store in a folder.
type files struct {
	address, path string
	root          *os.Root
}

// unfinished begins the name of a file that is being written.
const unfinished = ".unfinished-"

// openFiles opens the store in a folder. The folder stays open, so that what is
// mounted over it, or put in its place, is never written to by mistake.
func openFiles(address, path string) (Store, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, failure(ReasonStoreGone, "create the folder, or mount the disk that belongs there", true,
			"backup store %q: folder %q: %w", address, path, bare(err))
	}
	return &files{address: address, path: path, root: root}, nil
}

// Address implements Store.
func (f *files) Address() string { return f.address }

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// failed says what could not be done, and whether the store is still there.
func (f *files) failed(what, name string, err error) error {
	if info, gone := os.Stat(f.path); gone != nil || !f.same(info) {
		return failure(ReasonStoreGone, "bring the folder back, or mount the disk that belongs there", true,
			"backup store %q: %s: the folder %q has gone", f.address, doing(what, name), f.path)
	}
	return storeFailure(f.address, what, name, err)
}

// same tells whether a folder is still the one that was opened.
func (f *files) same(info fs.FileInfo) bool {
	opened, err := f.root.Stat(".")
	return err == nil && os.SameFile(opened, info)
}

// Put implements Store.
func (f *files) Put(ctx context.Context, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return storeFailure(f.address, "write", name, err)
	}
	if !namePattern.MatchString(name) {
		return failure(ReasonStoreTrouble, "", false, "backup store %q: %q is no name of an object", f.address, name)
	}
	if err := f.put(name, data); err != nil && !errors.Is(err, errExists) {
		return f.failed("write", name, err)
	}
	// A store that says yes and keeps nothing is met now and then.
	info, err := f.root.Stat(name)
	if err != nil {
		return f.failed("write", name, err)
	}
	if info.Size() != int64(len(data)) {
		return failure(ReasonStoreTrouble, "see whether the store is in order", true,
			"backup store %q: %q has %d bytes, although %d were written", f.address, name, info.Size(), len(data))
	}
	return nil
}

// put writes a file under another name, brings it to the disk, and gives it its
// name, which fails when the name is taken.
func (f *files) put(name string, data []byte) (err error) {
	folder := path.Dir(name)
	if err := f.makeFolders(folder); err != nil {
		return err
	}
	temporary, file, err := f.create(folder)
	if err != nil {
		return err
	}
	defer func() {
		if removed := f.root.Remove(temporary); err == nil && !errors.Is(removed, fs.ErrNotExist) {
			err = removed
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := f.giveName(temporary, name); err != nil {
		return err
	}
	return f.sync(folder)
}

// create makes a file of a name that nobody else has.
func (f *files) create(folder string) (string, *os.File, error) {
	for n := 0; ; n++ {
		name := path.Join(folder, unfinished+randomName())
		file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil || !errors.Is(err, fs.ErrExist) || n > 10 {
			return name, file, err
		}
	}
}

// giveName gives a file its name. Without hard links, as on some network disks,
// two writers of the same name at the same time are not told from each other;
// the names of parts hold their digests, so that only manifests could meet.
func (f *files) giveName(temporary, name string) error {
	err := f.root.Link(temporary, name)
	if err == nil {
		return nil
	}
	if _, taken := f.root.Lstat(name); taken == nil {
		return errExists
	}
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EMLINK) {
		return f.root.Rename(temporary, name)
	}
	return err
}

// makeFolders makes the folders of an object durably, but never the store.
func (f *files) makeFolders(folder string) error {
	if folder == "." {
		return nil
	}
	if _, err := f.root.Lstat(folder); err == nil {
		return nil
	}
	if err := f.makeFolders(path.Dir(folder)); err != nil {
		return err
	}
	if err := f.root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.sync(path.Dir(folder))
}

// sync makes the names in a folder durable.
func (f *files) sync(folder string) error {
	d, err := f.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open implements Store. What is read comes from the disk, as far as the system
// lets itself be told so: that a page is still in memory proves nothing.
func (f *files) Open(_ context.Context, name string) (io.ReadCloser, error) {
	file, err := f.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) && f.there() {
		return nil, err
	}
	if err != nil {
		return nil, f.failed("read", name, err)
	}
	forget(file)
	return file, nil
}

// there tells whether the folder of the store is still in its place.
func (f *files) there() bool {
	info, err := os.Stat(f.path)
	return err == nil && f.same(info)
}

// List implements Store.
func (f *files) List(ctx context.Context, prefix string) ([]Object, error) {
	if !f.there() {
		return nil, f.failed("list", prefix, fs.ErrNotExist)
	}
	var out []Object
	folder := path.Dir(prefix + "x") // where names with this prefix can be
	err := fs.WalkDir(f.root.FS(), folder, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed by somebody else meanwhile
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !d.Type().IsRegular() || !strings.HasPrefix(name, prefix) || strings.HasPrefix(d.Name(), unfinished):
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		out = append(out, Object{Name: name, Size: info.Size(), Stored: info.ModTime()})
		return nil
	})
	if err != nil {
		return nil, f.failed("list", prefix, err)
	}
	slices.SortFunc(out, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Remove implements Store. The last object of a folder takes the folder with it.
func (f *files) Remove(_ context.Context, name string) error {
	if err := f.root.Remove(name); err != nil && (!errors.Is(err, fs.ErrNotExist) || !f.there()) {
		return f.failed("remove", name, err)
	}
	folder := path.Dir(name)
	if folder != "." && f.root.Remove(folder) == nil {
		folder = path.Dir(folder)
	}
	if err := f.sync(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.failed("remove", name, err)
	}
	return nil
}
