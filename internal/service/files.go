package service

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/procedure"
)

// MaxFileSize is the largest file that is read of what people write. Larger
// ones are refused before they are read.
const MaxFileSize = 4 << 20

// sizeError is returned for a file that is larger than the limit.
type sizeError struct {
	name        string
	size, limit int64
}

// Error implements error.
func (e *sizeError) Error() string {
	return fmt.Sprintf("%s has %s, at most %s are read", e.name, mebibytes(e.size), mebibytes(e.limit))
}

// folder is a procedure.Files over one folder of the disk. Names that lead out
// of it, by dots or by symbolic links, are refused by the operating system's
// root.
type folder struct{ root *os.Root }

var _ procedure.Files = folder{}

// openFolder opens the folder of the file name and returns it with the base
// name of the file. The caller closes the folder.
func openFolder(name string) (folder, string, error) {
	name = resolveLink(name)
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return folder{}, "", fmt.Errorf("open the folder of %q: %w", name, plainPathError(err))
	}
	return folder{root: root}, filepath.Base(name), nil
}

// resolveLink returns where a symbolic link leads in the end, so that the
// folder of a file is the one in which it really is. Anything else, and a link
// that leads nowhere, is returned as it is.
func resolveLink(name string) string {
	info, err := os.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return name
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		return target
	}
	return name
}

// leadsOut tells whether the operating system's root refused a name because it
// leads out of the folder. The error has no name by which it could be told.
func leadsOut(err error) bool {
	return strings.Contains(err.Error(), "path escapes from parent")
}

// ReadFile implements procedure.Files.
func (f folder) ReadFile(name string) ([]byte, error) {
	info, err := f.root.Stat(filepath.FromSlash(name))
	if err != nil && leadsOut(err) {
		return nil, errors.New("it leads out of the folder of the procedure: put the file itself into the folder")
	}
	if err != nil {
		return nil, plainPathError(err)
	}
	if err := readable(name, info, MaxFileSize); err != nil {
		return nil, err
	}
	file, err := f.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, plainPathError(err)
	}
	return readAll(name, file, MaxFileSize)
}

// Close gives the folder back.
func (f folder) Close() error { return f.root.Close() }

// tree is a procedure.Files over a folder of an fs.FS: the procedures that
// Refit ships.
type tree struct{ fsys fs.FS }

var _ procedure.Files = tree{}

// ReadFile implements procedure.Files.
func (t tree) ReadFile(name string) ([]byte, error) {
	data, err := fs.ReadFile(t.fsys, name)
	if err != nil {
		return nil, plainPathError(err)
	}
	return data, nil
}

// readDocument reads a file that a person wrote, at most MaxFileSize of it. What
// is wrong with it comes back as a diagnostic at the file.
func readDocument(name string) ([]byte, diag.Diagnostics) {
	data, err := readFile(name, MaxFileSize)
	if err == nil {
		return data, nil
	}
	var ds diag.Diagnostics
	pos := diag.Position{File: name}
	var tooLarge *sizeError
	switch {
	case errors.As(err, &tooLarge):
		ds.Errorf("FileTooLarge", pos, "the file has %s, at most %s are read", mebibytes(tooLarge.size),
			mebibytes(tooLarge.limit)).Suggest("is this the file that you mean?")
	case errors.Is(err, fs.ErrNotExist):
		ds.Errorf("FileNotFound", pos, "there is no such file")
	default:
		ds.Errorf("FileUnreadable", pos, "the file cannot be read: %v", err)
	}
	return nil, ds
}

// readFile reads the regular file name of at most limit bytes.
func readFile(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, plainPathError(err)
	}
	if err := readable(name, info, limit); err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		return nil, plainPathError(err)
	}
	return readAll(name, file, limit)
}

// readable tells whether a file may be opened: opening a pipe would wait for
// its writer, and a large file is refused before it is read.
func readable(name string, info fs.FileInfo, limit int64) error {
	if info.IsDir() {
		return errors.New("it is a folder, not a file")
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	if info.Size() > limit {
		return &sizeError{name: name, size: info.Size(), limit: limit}
	}
	return nil
}

// readAll reads file to its end and closes it. It stops at the limit although
// readable looked at the size before: the file may have grown since.
func readAll(name string, file io.ReadCloser, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, plainPathError(err)
	}
	if int64(len(data)) > limit {
		return nil, &sizeError{name: name, size: int64(len(data)), limit: limit}
	}
	return data, nil
}

// plainPathError drops the system call and the path from an error: the message
// that it goes into names the file already.
func plainPathError(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// mebibytes writes a size for people.
func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
