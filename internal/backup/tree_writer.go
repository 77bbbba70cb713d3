package backup

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// treeWriter writes a folder as tar. The same folder always gives the same bytes.
type treeWriter struct {
	ctx      context.Context //nolint:containedctx // it lives for one call
	root     string
	excluded []string
	tar      *tar.Writer
	counts   Counts
	// links are the files with several names that were written, by identity.
	links map[inode]string
	// seen is a digest of what was seen of all entries: when it differs after
	// all was read, something was changed meanwhile.
	seen   uint64
	buffer []byte
	report func(done int64)
}

// writeTree writes the folder root, without what is excluded, as tar to w.
func writeTree(
	ctx context.Context, w io.Writer, root string, excluded []string, report func(done int64),
) (Counts, error) {
	t := &treeWriter{
		ctx: ctx, root: root, excluded: excluded, tar: tar.NewWriter(w), links: map[inode]string{},
		buffer: make([]byte, 256<<10), report: report,
	}
	if info, err := os.Stat(root); err == nil && !info.IsDir() {
		return Counts{}, failure(ReasonSourceNotFound, "name a folder", false,
			"read %q: it is not a folder", printable(root))
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return Counts{}, sourceFailure(root, err)
	}
	defer func() { _ = dir.Close() }() // it was only read
	info, err := dir.Stat(".")
	if err != nil {
		return Counts{}, sourceFailure(root, err)
	}
	if err := t.folder(dir, ".", info); err != nil {
		return Counts{}, err
	}
	if err := t.tar.Close(); err != nil {
		return Counts{}, err
	}
	return t.counts, t.unchanged(dir, info)
}

// sourceFailure says why something cannot be read.
func sourceFailure(name string, err error) error {
	if ended := interrupted("read", err); ended != nil {
		return ended
	}
	if action.ReasonOf(err) != "" {
		return err
	}
	err, name = bare(err), printable(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failure(ReasonSourceNotFound, "correct the path", false, "read %q: %w", name, err)
	default:
		return failure(ReasonSourceNotReadable, "let Refit read it, or exclude it", true, "read %q: %w", name, err)
	}
}

// changedSource is the error of a source that is written to while it is read.
func changedSource(name, how string) *action.Error {
	return failure(ReasonSourceChanged, "stop what writes to it, or exclude it", true,
		"read %q: it %s while it was read", printable(name), how)
}

// name returns the path of an entry for messages.
func (t *treeWriter) name(rel string) string { return path.Join(t.root, rel) }

// excludes tells whether an entry is left out.
func (t *treeWriter) excludes(rel string) bool {
	return slices.ContainsFunc(t.excluded, func(pattern string) bool {
		ok, _ := path.Match(pattern, rel) // checkPatterns has seen it
		return ok
	})
}

// each visits what a folder holds but for what is excluded, by name.
func (t *treeWriter) each(dir *os.Root, rel string, visit func(base, child string) error) error {
	entries, err := entriesOf(dir)
	if err != nil {
		return t.failed(rel, err)
	}
	for _, base := range entries {
		child := path.Join(rel, base)
		if t.excludes(child) {
			continue
		}
		if err := visit(base, child); err != nil {
			return err
		}
	}
	return nil
}

// folder writes a folder and everything below it, in the order of the names.
func (t *treeWriter) folder(dir *os.Root, rel string, info fs.FileInfo) error {
	if err := t.header(rel, info, ""); err != nil {
		return err
	}
	t.counts.Folders++
	return t.each(dir, rel, func(base, child string) error { return t.entry(dir, base, child) })
}

// entriesOf returns the names in a folder, sorted.
func entriesOf(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// failed turns an error about an entry into one that says so. What was there a
// moment ago has been removed by somebody.
func (t *treeWriter) failed(rel string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return changedSource(t.name(rel), "was removed")
	}
	return sourceFailure(t.name(rel), err)
}

func (t *treeWriter) entry(dir *os.Root, base, rel string) error {
	if err := t.ctx.Err(); err != nil {
		return interrupted("read", err)
	}
	info, err := dir.Lstat(base)
	if err != nil {
		return t.failed(rel, err)
	}
	t.see(rel, info)
	switch info.Mode().Type() {
	case 0:
		return t.file(dir, base, rel, info)
	case fs.ModeDir:
		below, err := dir.OpenRoot(base)
		if err != nil {
			return t.failed(rel, err)
		}
		defer func() { _ = below.Close() }() // it was only read
		return t.folder(below, rel, info)
	case fs.ModeSymlink:
		to, err := dir.Readlink(base)
		if err != nil {
			return t.failed(rel, err)
		}
		t.counts.Links++
		return t.header(rel, info, to)
	case fs.ModeNamedPipe:
		t.counts.Others++
		return t.header(rel, info, "")
	case fs.ModeSocket: // whoever listens makes it anew
		return nil
	default:
		return failure(ReasonSourceNotReadable, "exclude it", false,
			"read %q: it is a device, whose content is not in the folder", t.name(rel))
	}
}

// header writes what is known of an entry beside its content.
func (t *treeWriter) header(rel string, info fs.FileInfo, link string) error {
	h := &tar.Header{
		Name: "./" + rel, Linkname: link, Mode: int64(info.Mode().Perm()) | specialBits(info.Mode()),
		ModTime: info.ModTime(), Format: tar.FormatPAX,
	}
	if rel == "." {
		h.Name = "./"
	}
	h.Uid, h.Gid = owner(info)
	switch info.Mode().Type() {
	case 0:
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
	case fs.ModeDir:
		h.Typeflag = tar.TypeDir
		h.Name = strings.TrimSuffix(h.Name, "/") + "/"
	case fs.ModeSymlink:
		h.Typeflag = tar.TypeSymlink
	default:
		h.Typeflag = tar.TypeFifo
	}
	return t.put(h)
}

func (t *treeWriter) put(h *tar.Header) error {
	if err := t.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("write the entry %q: %w", h.Name, err)
	}
	return nil
}

// specialBits returns the bits of set user, set group and sticky as tar has them.
func specialBits(mode fs.FileMode) int64 {
	var bits int64
	for bit, of := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&bit != 0 {
			bits |= of
		}
	}
	return bits
}

// file writes a regular file, or a link to it when it has been written under
// another name.
func (t *treeWriter) file(dir *os.Root, base, rel string, info fs.FileInfo) error {
	id, several := identity(info)
	if first, written := t.links[id]; several && written {
		t.counts.Links++
		h := &tar.Header{
			Name: "./" + rel, Linkname: "./" + first, Typeflag: tar.TypeLink,
			Mode: int64(info.Mode().Perm()), ModTime: info.ModTime(), Format: tar.FormatPAX,
		}
		return t.put(h)
	}
	f, err := dir.OpenFile(base, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that takes its place is not waited for
	if err != nil {
		return t.failed(rel, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	opened, err := f.Stat()
	if err != nil {
		return t.failed(rel, err)
	}
	if !sameState(info, opened) {
		return changedSource(t.name(rel), "was changed")
	}
	if err := t.header(rel, info, ""); err != nil {
		return err
	}
	if err := t.content(f, rel, info.Size()); err != nil {
		return err
	}
	if after, err := f.Stat(); err != nil || !sameState(info, after) {
		return changedSource(t.name(rel), "was changed")
	}
	if several {
		t.links[id] = rel
	}
	t.counts.Files++
	t.counts.Bytes += info.Size()
	return nil
}

// content copies exactly as much as the header has announced.
func (t *treeWriter) content(f io.Reader, rel string, size int64) error {
	for left := size; left > 0; {
		if err := t.ctx.Err(); err != nil {
			return interrupted("read", err)
		}
		n, err := f.Read(t.buffer[:min(left, int64(len(t.buffer)))])
		if n > 0 {
			if _, err := t.tar.Write(t.buffer[:n]); err != nil {
				return err
			}
			left -= int64(n)
			if t.report != nil {
				t.report(t.counts.Bytes + size - left)
			}
		}
		if errors.Is(err, io.EOF) && left > 0 {
			return changedSource(t.name(rel), "became shorter")
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return t.failed(rel, err)
		}
	}
	return nil
}

// sameState tells whether a file is as it was: what cannot be seen here was not
// changed by any program that keeps to the rules.
func sameState(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) &&
		changeTime(a).Equal(changeTime(b)) && a.Mode() == b.Mode()
}

// see adds an entry to the digest of what was seen.
func (t *treeWriter) see(rel string, info fs.FileInfo) { t.seen += stateOf(rel, info) }

// stateOf returns a number that differs when an entry differs.
func stateOf(rel string, info fs.FileInfo) uint64 {
	sum := fnv.New64a()
	id, _ := identity(info)
	_, _ = fmt.Fprintf(sum, "%s\x00%v\x00%d\x00%d\x00%s\x00%d", rel, id, info.Size(), info.ModTime().UnixNano(),
		info.Mode(), changeTime(info).UnixNano())
	return sum.Sum64()
}

// unchanged looks at everything once more, without reading content, when all
// was read: a file that was changed after its turn, or a name that came or
// went, makes a backup of a state that never was.
func (t *treeWriter) unchanged(dir *os.Root, before fs.FileInfo) error {
	was := t.seen
	t.seen = 0
	latest := &latestChange{}
	if err := t.look(dir, ".", latest); err != nil {
		return err
	}
	after, err := os.Stat(t.root)
	if err != nil || !os.SameFile(before, after) {
		return changedSource(t.root, "was replaced")
	}
	if t.seen != was || !sameState(before, after) {
		return changedSource(t.name(latest.rel), "or something near it was changed")
	}
	return nil
}

// latestChange is the entry that was changed last.
type latestChange struct {
	rel string
	at  time.Time
}

func (t *treeWriter) look(dir *os.Root, rel string, latest *latestChange) error {
	if err := t.ctx.Err(); err != nil {
		return interrupted("read", err)
	}
	return t.each(dir, rel, func(base, child string) error {
		info, err := dir.Lstat(base)
		if err != nil {
			return t.failed(child, err)
		}
		t.see(child, info)
		if at := changeTime(info); at.After(latest.at) {
			latest.rel, latest.at = child, at
		}
		if info.IsDir() {
			return t.lookBelow(dir, base, child, latest)
		}
		return nil
	})
}

func (t *treeWriter) lookBelow(dir *os.Root, base, child string, latest *latestChange) error {
	below, err := dir.OpenRoot(base)
	if err != nil {
		return t.failed(child, err)
	}
	defer func() { _ = below.Close() }() // it was only read
	return t.look(below, child, latest)
}

// checkPatterns refuses patterns of exclusions that can never match.
func checkPatterns(patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, "x"); err != nil || p == "" || path.IsAbs(p) || path.Clean(p) != p {
			return fmt.Errorf("%q is no pattern of a path below the folder, such as cache or logs/*.gz", p)
		}
	}
	return nil
}
