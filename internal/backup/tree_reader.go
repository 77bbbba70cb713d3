package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// treeReader makes the files of a tar stream below a folder that is empty.
type treeReader struct {
	ctx    context.Context //nolint:containedctx // it lives for one call
	root   *os.Root
	shown  string
	counts Counts
	// sized is how much the files had that were written; with emptied they are
	// emptied once that is known, so that a proof needs no room for all of them and
	// does not wait for the disk.
	sized   int64
	emptied bool
	// asRoot tells that owners can be given.
	asRoot bool
	// folders get their permissions and times when all is in them.
	folders []*tar.Header
	// dir is the folder of the entry before, which most of the time is also
	// that of the next one.
	dir     *os.Root
	dirName string
	buffer  []byte
	zeros   []byte
}

// countTree parses a tar stream and counts what is in it.
func countTree(ctx context.Context, r io.Reader) (Counts, error) {
	var counts Counts
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return counts, rest(r)
		}
		if err != nil {
			return counts, notTar(err)
		}
		if err := ctx.Err(); err != nil {
			return counts, err
		}
		if _, err := entryName(h); err != nil {
			return counts, err
		}
		if err := countEntry(&counts, h); err != nil {
			return counts, err
		}
	}
}

// rest reads what is behind the end of an archive, so that all of the stream
// was read and nothing is hidden there.
func rest(r io.Reader) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		if len(bytes.TrimLeft(buffer[:n], "\x00")) > 0 {
			return errors.New("there is something behind the end of the archive")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// notTar says that a stream is no archive, unless err is about something else.
func notTar(err error) error {
	if errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrFieldTooLong) {
		return fmt.Errorf("the archive is broken off or is none: %w", err)
	}
	return err
}

// countEntry counts an entry of an archive.
func countEntry(c *Counts, h *tar.Header) error {
	switch h.Typeflag {
	case tar.TypeReg:
		c.Files++
		c.Bytes += h.Size
	case tar.TypeDir:
		c.Folders++
	case tar.TypeSymlink, tar.TypeLink:
		c.Links++
	case tar.TypeFifo:
		c.Others++
	default:
		return fmt.Errorf("the archive has an entry %q of the kind %q, which Refit does not write", h.Name, h.Typeflag)
	}
	return nil
}

// entryName returns the path of an entry below the folder, "." for the folder.
func entryName(h *tar.Header) (string, error) {
	name, ok := strings.CutPrefix(h.Name, "./")
	name = strings.TrimSuffix(name, "/")
	if name == "" && ok {
		return ".", nil
	}
	if !ok || name != path.Clean(name) || !filepath.IsLocal(name) || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("the archive has an entry %q, which is not below its folder", h.Name)
	}
	return name, nil
}

// readTree makes everything in a tar stream below root. shown is how messages
// call the folder.
func readTree(ctx context.Context, r io.Reader, root *os.Root, shown string) (Counts, error) {
	t := newTreeReader(ctx, root, shown)
	return t.read(r)
}

// tryTree makes everything in a tar stream below root, and counts what it finds
// there then. Files are empty in the end: each was counted when it was whole.
func tryTree(ctx context.Context, r io.Reader, root *os.Root, shown string) (written, found Counts, err error) {
	t := newTreeReader(ctx, root, shown)
	t.emptied = true
	if written, err = t.read(r); err != nil {
		return written, found, err
	}
	if found, err = countFolder(ctx, root); err != nil {
		return written, found, err
	}
	found.Bytes += t.sized
	return written, found, nil
}

func newTreeReader(ctx context.Context, root *os.Root, shown string) *treeReader {
	return &treeReader{
		ctx: ctx, root: root, shown: shown, asRoot: os.Geteuid() == 0,
		buffer: make([]byte, 256<<10), zeros: make([]byte, 256<<10),
	}
}

func (t *treeReader) read(r io.Reader) (Counts, error) {
	defer t.leave()
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.counts, notTar(err)
		}
		if err := t.ctx.Err(); err != nil {
			return t.counts, err
		}
		if err := t.entry(h, archive); err != nil {
			return t.counts, err
		}
	}
	if err := rest(r); err != nil {
		return t.counts, err
	}
	t.leave()
	// From the inside to the outside: a folder that may not be written to is
	// finished last.
	for _, h := range slices.Backward(t.folders) {
		name, _ := entryName(h)
		if err := t.finish(t.root, name, h); err != nil {
			return t.counts, t.failed(name, err)
		}
	}
	return t.counts, nil
}

// leave closes the folder of the entry before.
func (t *treeReader) leave() {
	if t.dir != nil {
		_ = t.dir.Close() // nothing was written through it that would be lost
	}
	t.dir, t.dirName = nil, ""
}

// enter opens the folder of an entry.
func (t *treeReader) enter(folder string) (*os.Root, error) {
	if t.dir != nil && t.dirName == folder {
		return t.dir, nil
	}
	t.leave()
	dir, err := t.root.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	t.dir, t.dirName = dir, folder
	return dir, nil
}

func (t *treeReader) entry(h *tar.Header, content io.Reader) error {
	name, err := entryName(h)
	if err != nil {
		return err
	}
	if err := countEntry(&t.counts, h); err != nil {
		return err
	}
	if name == "." {
		t.folders = append(t.folders, h)
		return nil
	}
	dir, err := t.enter(path.Dir(name))
	if err != nil {
		return t.failed(name, err)
	}
	base := path.Base(name)
	switch h.Typeflag {
	case tar.TypeDir:
		t.folders = append(t.folders, h)
		err = dir.Mkdir(base, 0o700)
	case tar.TypeSymlink:
		if err = dir.Symlink(h.Linkname, base); err == nil && t.asRoot {
			err = dir.Lchown(base, h.Uid, h.Gid)
		}
	case tar.TypeLink:
		var first string
		if first, err = entryName(&tar.Header{Name: h.Linkname}); err == nil {
			err = t.root.Link(first, name)
		}
	case tar.TypeFifo:
		if err = makePipe(filepath.Join(t.root.Name(), name)); err == nil {
			err = t.finish(dir, base, h)
		}
	default:
		if err = t.file(dir, base, h, content); err == nil {
			err = t.finish(dir, base, h)
		}
	}
	if err != nil {
		return t.failed(name, err)
	}
	return nil
}

// failed says what could not be written.
func (t *treeReader) failed(name string, err error) error {
	return writeFailure(path.Join(t.shown, name), err)
}

// writeFailure says why something cannot be written.
func writeFailure(name string, err error) error {
	if ended := interrupted("restore", err); ended != nil {
		return ended
	}
	if action.ReasonOf(err) != "" {
		return err
	}
	err, name = bare(err), printable(name)
	switch {
	case isFull(err):
		return failure(ReasonDiskFull, "make room on the disk", true, "write %q: %w", name, err)
	default:
		return failure(ReasonNotWritten, "let Refit write there", true, "write %q: %w", name, err)
	}
}

// file writes a regular file. Blocks of zeros become holes, so that a file with
// holes needs no more room than before.
func (t *treeReader) file(dir *os.Root, base string, h *tar.Header, content io.Reader) (err error) {
	f, err := dir.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for left := h.Size; left > 0; {
		if err := t.ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(content, t.buffer[:min(left, int64(len(t.buffer)))])
		if err != nil {
			return notTar(err)
		}
		left -= int64(n)
		if bytes.Equal(t.buffer[:n], t.zeros[:n]) {
			if _, err := f.Seek(int64(n), io.SeekCurrent); err != nil {
				return err
			}
			continue
		}
		if _, err := f.Write(t.buffer[:n]); err != nil {
			return err
		}
	}
	if err := f.Truncate(h.Size); err != nil || !t.emptied {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	t.sized += info.Size()
	return f.Truncate(0)
}

// finish gives an entry its owner, permissions and time, in this order: a change
// of the owner takes the special bits away.
func (t *treeReader) finish(dir *os.Root, base string, h *tar.Header) error {
	if t.asRoot {
		if err := dir.Chown(base, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	if err := dir.Chmod(base, modeOf(h.Mode)); err != nil {
		return err
	}
	return dir.Chtimes(base, time.Time{}, h.ModTime)
}

// modeOf returns permissions as Go has them.
func modeOf(bits int64) fs.FileMode {
	mode := fs.FileMode(bits) & fs.ModePerm //nolint:gosec // the permissions are nine bits
	for of, bit := range map[int64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if bits&of != 0 {
			mode |= bit
		}
	}
	return mode
}

// countFolder counts what is below a folder.
func countFolder(ctx context.Context, dir *os.Root) (Counts, error) {
	c := folderCounter{ctx: ctx, links: map[inode]bool{}}
	err := c.folder(dir)
	return c.counts, err
}

type folderCounter struct {
	ctx    context.Context //nolint:containedctx // it lives for one call
	counts Counts
	links  map[inode]bool
}

func (c *folderCounter) folder(dir *os.Root) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	c.counts.Folders++
	names, err := entriesOf(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := dir.Lstat(name)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			c.entry(info)
			continue
		}
		below, err := dir.OpenRoot(name)
		if err != nil {
			return err
		}
		if err := errors.Join(c.folder(below), below.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (c *folderCounter) entry(info fs.FileInfo) {
	id, several := identity(info)
	switch {
	case info.Mode().Type() == fs.ModeSymlink, several && c.links[id]:
		c.counts.Links++
	case !info.Mode().IsRegular():
		c.counts.Others++
	default:
		c.counts.Files++
		c.counts.Bytes += info.Size()
		if several {
			c.links[id] = true
		}
	}
}
