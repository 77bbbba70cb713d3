package file

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"

	"github.com/refitproject/refit/internal/action"
)

// Place is where a step of another family puts a file of which it knows the
// content, in the way of this family: in one go, with what was there kept next to
// it, and observed by its digest. Errors are *action.Errors with the reasons of
// file.copy.
type Place struct {
	r       replacement
	content []byte
	want    version
}

// NewPlace returns the place that the author calls name, for a content with the
// permissions mode.
func NewPlace(system System, env action.Env, name string, content []byte, mode fs.FileMode) Place {
	return Place{
		r: replace(system, env, name), content: content,
		want: version{exists: true, sha256: digestOf(content), size: int64(len(content)), mode: mode.Perm()},
	}
}

// Found is what is at a place.
type Found struct {
	// Exists tells that a file is there, Wanted that it is the wanted one.
	Exists, Wanted bool
	// Before is for Run and Undo; Reason describes the file in a few words.
	Before map[string]any
	Reason string
}

// Look reads what is there.
func (p Place) Look(ctx context.Context) (Found, error) {
	now, err := p.r.look(ctx)
	if err != nil {
		return Found{}, err
	}
	return Found{Exists: now.exists, Wanted: now.same(p.want), Before: now.plain(), Reason: now.describe()}, nil
}

// Run puts the content there. What was there must still be what before says.
func (p Place) Run(ctx context.Context, before map[string]any) error {
	return p.r.run(ctx, &interruptible{end: ctx.Err, next: bytes.NewReader(p.content)}, p.want, before)
}

// Undo brings back what was there before. A file that is neither that nor the
// one whose digest is ours belongs to somebody else and is left, with an error.
func (p Place) Undo(ctx context.Context, before map[string]any, ours string) error {
	now, err := p.r.look(ctx)
	if err != nil {
		return err
	}
	if now.exists && !now.same(versionOf(before)) && now.sha256 != ours {
		return &action.Error{
			Reason: reasonFileChanged, Effect: action.ExtentNone,
			Remedy: "keep what is needed of it elsewhere and remove it",
			Err:    fmt.Errorf("take back file %q: it was changed since this step wrote it", p.r.name),
		}
	}
	return p.r.undo(ctx, before)
}

// Path returns where the file is.
func (p Place) Path() string { return p.r.path }

// SHA256 returns the digest of the content as hexadecimal digits.
func (p Place) SHA256() string { return p.want.sha256 }

// Kept returns the path of the file that was there before, "" when there was none.
func (p Place) Kept() string { return p.r.keptFile() }

// Content reads a regular file of at most 1 MiB that the author calls name, and
// its permissions. The error is an *action.Error with the reasons of file.read.
func Content(env action.Env, name string) ([]byte, fs.FileMode, error) {
	data, info, err := content(absolute(env, name))
	if err != nil {
		return nil, 0, failure(name, err)
	}
	return data, info.Mode().Perm(), nil
}
