package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/refitproject/refit/internal/action"
)

// System is the file system that actions change. The zero System is that of
// this machine.
type System struct {
	// Before is called before each operation that changes something; after an
	// error the operation is not done. Tests break effects off with it, as the
	// end of the process would. It may be nil.
	Before func(operation, path string) error
}

func (s System) before(operation, path string) error {
	if s.Before == nil {
		return nil
	}
	return s.Before(operation, path)
}

// write makes the file path anew with the content of r and the permissions of
// mode, and returns when it is on the disk. The digest of what was written is
// returned as hexadecimal digits.
func (s System) write(path string, r io.Reader, mode fs.FileMode) (digest string, err error) {
	if err := s.before("create", path); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	if err := s.before("write", path); err != nil {
		return "", err
	}
	if _, err := io.Copy(io.MultiWriter(f, sum), r); err != nil {
		return "", err
	}
	if err := s.before("chmod", path); err != nil {
		return "", err
	}
	if err := f.Chmod(mode); err != nil { // not on creation, where the umask takes its part
		return "", err
	}
	if err := s.before("sync", path); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), f.Sync()
}

// rename gives the file from the name to, in the same folder, durably.
func (s System) rename(from, to string) error {
	if err := s.before("rename", to); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return s.syncFolder(to)
}

// remove removes a file durably. One that is not there is no error.
func (s System) remove(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := s.before("remove", path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.syncFolder(path)
}

// link gives a file a second name, or copies it where the file system knows no
// such thing. Half a copy is never seen under the new name.
func (s System) link(from, to, temporary string, mode fs.FileMode) error {
	if err := s.before("link", to); err != nil {
		return err
	}
	if err := os.Link(from, to); err == nil {
		return s.syncFolder(to)
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	if _, err := s.write(temporary, f, mode); err != nil {
		return err
	}
	return s.rename(temporary, to)
}

// syncFolder makes a change of names in the folder of path durable.
func (s System) syncFolder(path string) error {
	if err := s.before("sync folder", path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// version is what is known of one file: whether it is there, and what it holds.
type version struct {
	exists bool
	sha256 string
	size   int64
	mode   fs.FileMode
}

// look reads the version of the file path, which must be a regular file or not
// be there. Links are not followed: replacing one would not change what it
// points to.
func look(ctx context.Context, path string) (version, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return version{}, nil
	}
	if err != nil {
		return version{}, err
	}
	if !info.Mode().IsRegular() {
		return version{}, errNotAFile
	}
	f, err := os.Open(path)
	if err != nil {
		return version{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	sum := sha256.New()
	size, err := io.Copy(sum, &interruptible{end: ctx.Err, next: f})
	if err != nil {
		return version{}, err
	}
	return version{exists: true, sha256: hex.EncodeToString(sum.Sum(nil)), size: size, mode: info.Mode().Perm()}, nil
}

// plain returns v as the before of an observation.
func (v version) plain() map[string]any {
	if !v.exists {
		return map[string]any{"exists": false}
	}
	return map[string]any{"exists": true, "sha256": v.sha256, "size": v.size, "mode": octal(v.mode)}
}

// versionOf reads what plain has written, maybe in another process.
func versionOf(before map[string]any) version {
	v := version{}
	v.exists, _ = before["exists"].(bool)
	v.sha256, _ = before["sha256"].(string)
	mode, _ := before["mode"].(string)
	v.mode = parseMode(mode)
	return v
}

// same tells whether two versions hold the same for the same people.
func (v version) same(w version) bool {
	return v.exists == w.exists && v.sha256 == w.sha256 && v.mode == w.mode
}

// describe says in a few words what a version is.
func (v version) describe() string {
	if !v.exists {
		return "it is not there"
	}
	return fmt.Sprintf("it has the digest %s and the permissions %s", short(v.sha256), octal(v.mode))
}

func short(digest string) string { return digest[:min(len(digest), 12)] }

func octal(mode fs.FileMode) string { return fmt.Sprintf("%04o", mode.Perm()) }

// parseMode reads what octal has written; what it cannot read is 0.
func parseMode(text string) fs.FileMode {
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil {
		return 0
	}
	return fs.FileMode(mode)
}

// absolute returns the path that the author calls name.
func absolute(env action.Env, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(env.Dir, name)
}

// digestOf returns the digest of a content as hexadecimal digits.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
