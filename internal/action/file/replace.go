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
	"syscall"

	"github.com/refitproject/refit/internal/action"
)

// The reasons of errors of actions that write files.
const (
	reasonNotWritten    = "NotWritten"
	reasonDiskFull      = "DiskFull"
	reasonFileChanged   = "FileChanged"
	reasonDigestDiffers = "DigestDiffers"
	reasonBeforeLost    = "BeforeLost"
)

// replacement is a file that a step puts in the place of another, or of none.
// All files that it makes on the way stand next to it and have the key of the
// effect in their names, so that another owner of the run finds them.
type replacement struct {
	system System
	// name is the file as the author calls it, path where it is.
	name, path string
	// kept and temporary are the names of the file that was there, and of the
	// one that is being written.
	kept, temporary string
}

func replace(s System, env action.Env, name string) replacement {
	path := absolute(env, name)
	sum := sha256.Sum256([]byte(env.Key))
	mark := ".refit-" + hex.EncodeToString(sum[:6])
	folder, base := filepath.Split(path)
	return replacement{
		system: s, name: name, path: path,
		kept:      filepath.Join(folder, "."+base+mark+".before"),
		temporary: filepath.Join(folder, "."+base+mark+".tmp"),
	}
}

// look reads what is there now.
func (r replacement) look(ctx context.Context) (version, error) {
	v, err := look(ctx, r.path)
	if err != nil {
		return v, failure(r.name, err)
	}
	return v, nil
}

// keptFile returns the path of the file that was there, "" when there was none.
func (r replacement) keptFile() string {
	if info, err := os.Lstat(r.kept); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return r.kept
}

// run puts content, of which want is known, in the place of the file. The file
// must still be what it was when it was observed.
func (r replacement) run(ctx context.Context, content io.Reader, want version, before map[string]any) error {
	now, err := r.look(ctx)
	if err != nil || now.same(want) {
		return err
	}
	if before != nil && !now.same(versionOf(before)) {
		return &action.Error{
			Reason: reasonFileChanged, Effect: action.ExtentNone, Remedy: "find out who writes it",
			Err: fmt.Errorf("write file %q: %s, which differs from what was observed", r.name, now.describe()),
		}
	}
	if err := r.keep(ctx, now); err != nil {
		return r.failed("keep a copy of", err, action.ExtentNone)
	}
	digest, err := r.system.write(r.temporary, content, want.mode)
	if err == nil && digest != want.sha256 {
		err = errDigest
	}
	if err != nil {
		return r.failed("write", errors.Join(err, r.system.remove(r.temporary)), action.ExtentNone)
	}
	if err := r.system.rename(r.temporary, r.path); err != nil {
		return r.failed("write", err, action.ExtentUnknown)
	}
	return nil
}

// keep gives the file that is there another name, under which undo finds it. A
// copy that an attempt made of something else is of no use any more.
func (r replacement) keep(ctx context.Context, now version) error {
	kept, err := look(ctx, r.kept)
	if err != nil || kept.same(now) {
		return err
	}
	if err := r.system.remove(r.kept); err != nil || !now.exists {
		return err
	}
	return r.system.link(r.path, r.kept, r.temporary, now.mode)
}

// errDigest is returned when what was written is not what was announced.
var errDigest = errors.New("its content differs from the digest that was given")

// undo brings back what was there before, from any state that run can leave.
func (r replacement) undo(ctx context.Context, before map[string]any) error {
	was := versionOf(before)
	now, err := r.look(ctx)
	if err != nil {
		return err
	}
	switch {
	case now.same(was):
		err = r.system.remove(r.kept)
	case !was.exists:
		err = r.system.remove(r.path)
	default:
		err = r.bringBack(ctx, was)
	}
	if err == nil {
		err = r.system.remove(r.temporary)
	}
	if _, isFailure := errors.AsType[*action.Error](err); err == nil || isFailure {
		return err
	}
	return r.failed("bring back", err, action.ExtentUnknown)
}

func (r replacement) bringBack(ctx context.Context, was version) error {
	kept, err := look(ctx, r.kept)
	if err != nil {
		return err
	}
	if !kept.same(was) {
		return &action.Error{
			Reason: reasonBeforeLost, Effect: action.ExtentNone,
			Remedy: "bring the file back from elsewhere",
			Err: fmt.Errorf("bring back file %q with the digest %s: of its copy %q: %s",
				r.name, short(was.sha256), r.kept, kept.describe()),
		}
	}
	return r.system.rename(r.kept, r.path)
}

// failed says what could not be done.
func (r replacement) failed(what string, err error, effect action.Extent) error {
	out := &action.Error{
		Reason: reasonNotWritten, Retryable: true, Effect: effect,
		Remedy: "check the permissions of the file and of its folder",
		Err:    fmt.Errorf("%s file %q: %w", what, r.name, cause(err)),
	}
	switch {
	case isInterruption(err):
		return interrupted(what, r.name, err)
	case errors.Is(err, errDigest):
		out.Reason, out.Retryable = reasonDigestDiffers, false
		out.Remedy = "correct sha256, or bring the file that it belongs to"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		out.Reason, out.Remedy = reasonDiskFull, "make room on the disk"
	case errors.Is(err, fs.ErrNotExist):
		out.Remedy = "create its folder"
	}
	return out
}
