package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// reasonNotDeleted: a file or its folder may not be written.
const reasonNotDeleted = "NotDeleted"

// DeleteInput is the input of file.delete.
type DeleteInput struct {
	Folder    string        `json:"folder" doc:"Folder whose files are deleted, relative to the platform file; folders in it are left alone."`
	Names     string        `json:"names" doc:"Regular expression (RE2) that the whole name of a file must match."`
	Never     []string      `json:"never,omitempty" doc:"Regular expressions of names that are never deleted."`
	OlderThan time.Duration `json:"olderThan,omitempty" doc:"How long ago a file must have been changed last; default any time."`
}

// DeleteOutput is the output of file.delete.
type DeleteOutput struct {
	Deleted []string `json:"deleted" doc:"Names of the files that are gone, in alphabetical order."`
}

// Delete returns the action file.delete, which deletes from system.
func Delete(system System) action.Action {
	d := deleter{system}
	return action.Define(action.Definition[DeleteInput, DeleteOutput]{
		Name:      "file.delete",
		Version:   1,
		Summary:   "Delete the files of a folder whose names match a pattern.",
		Effect:    action.Mutating,
		Selects:   true,
		Resumable: true,
		NoUndo:    "what is deleted is gone",
		Check:     checkDelete,
		Preview: func(_ context.Context, env action.Env, in DeleteInput) (action.Preview, error) {
			what := fmt.Sprintf("delete files of %q that match %q", in.Folder, in.Names)
			if found, err := pick(env, in); err == nil {
				what += fmt.Sprintf("; now %d", len(found))
			}
			return action.Preview{Summary: what}, nil
		},
		Observe: observeDelete,
		Run:     d.run,
	})
}

func checkDelete(in DeleteInput) error {
	if in.Folder == "" || strings.ContainsRune(in.Folder, 0) {
		return errors.New("field \"folder\" must be the path of a folder")
	}
	if in.OlderThan < 0 {
		return errors.New("field \"olderThan\" must not be negative")
	}
	_, err := in.matcher()
	return err
}

// matcher tells which names are meant.
func (in DeleteInput) matcher() (func(name string) bool, error) {
	names, err := whole("names", in.Names)
	if err != nil {
		return nil, err
	}
	var never []*regexp.Regexp
	for i, text := range in.Never {
		r, err := whole(fmt.Sprintf("never[%d]", i), text)
		if err != nil {
			return nil, err
		}
		never = append(never, r)
	}
	return func(name string) bool {
		return names.MatchString(name) &&
			!slices.ContainsFunc(never, func(r *regexp.Regexp) bool { return r.MatchString(name) })
	}, nil
}

// whole compiles a pattern for a whole name.
func whole(field, text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, fmt.Errorf("field %q must be a regular expression, such as dump-.*", field)
	}
	r, err := regexp.Compile(`^(?:` + text + `)$`)
	if err != nil {
		return nil, fmt.Errorf("field %q is no regular expression: %w", field, err)
	}
	return r, nil
}

// deleter carries out file.delete.
type deleter struct{ system System }

// pick lists the files that are meant. The note tells a file from a later one
// that has its name.
func pick(env action.Env, in DeleteInput) ([]action.Member, error) {
	matches, err := in.matcher()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(absolute(env, in.Folder))
	if err != nil {
		return nil, notListed(in.Folder, err)
	}
	var found []action.Member
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !matches(entry.Name()) {
			continue
		}
		info, err := entry.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist): // It went away meanwhile.
			continue
		case err != nil:
			return nil, notListed(in.Folder, err)
		case in.OlderThan > 0 && env.Now().Sub(info.ModTime()) < in.OlderThan:
			continue
		}
		found = append(found, action.Member{Key: entry.Name(), Note: noteOf(info)})
	}
	return found, nil
}

func noteOf(info fs.FileInfo) string {
	return fmt.Sprintf("%d bytes, changed %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano))
}

// left lists those of members that are still there, unchanged.
func left(env action.Env, in DeleteInput, members []action.Member) ([]action.Member, error) {
	var still []action.Member
	for _, m := range members {
		info, err := os.Lstat(filepath.Join(absolute(env, in.Folder), m.Key))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, notListed(in.Folder, err)
		case info.Mode().IsRegular() && noteOf(info) == m.Note:
			still = append(still, m)
		}
	}
	return still, nil
}

func observeDelete(
	ctx context.Context, env action.Env, in DeleteInput,
) (action.Observed[DeleteOutput], error) {
	var seen action.Observed[DeleteOutput]
	if err := ctx.Err(); err != nil {
		return seen, interrupted("list", in.Folder, err)
	}
	var err error
	if !env.Attempted {
		seen.Status = action.NotStarted
		seen.Members, err = pick(env, in)
		seen.Reason = fmt.Sprintf("%d files match", len(seen.Members))
		return seen, err
	}
	if seen.Members, err = left(env, in, env.Members); err != nil {
		return seen, err
	}
	seen.Reason = fmt.Sprintf("%d of %d files are there", len(seen.Members), len(env.Members))
	switch len(seen.Members) {
	case 0:
		out := deleted(env.Members)
		seen.Status, seen.Output = action.Done, &out
	case len(env.Members):
		seen.Status = action.NotStarted
	default:
		seen.Status = action.Partial
	}
	return seen, nil
}

func (d deleter) run(
	ctx context.Context, env action.Env, in DeleteInput, _ map[string]any,
) (DeleteOutput, error) {
	if err := ctx.Err(); err != nil {
		return DeleteOutput{}, notDeleted(in.Folder, action.ExtentNone, err)
	}
	still, err := left(env, in, env.Members)
	if err != nil {
		return DeleteOutput{}, err
	}
	extent := action.ExtentNone
	for i, m := range still {
		if err := ctx.Err(); err != nil {
			return DeleteOutput{}, notDeleted(m.Key, extent, err)
		}
		env.Report(action.Progress{Done: int64(i), Total: int64(len(still)), Unit: "files", Note: m.Key})
		if err := d.system.remove(filepath.Join(absolute(env, in.Folder), m.Key)); err != nil {
			return DeleteOutput{}, notDeleted(m.Key, action.ExtentUnknown, err)
		}
		extent = action.ExtentPartial
	}
	return deleted(env.Members), nil
}

func deleted(members []action.Member) DeleteOutput {
	out := DeleteOutput{Deleted: make([]string, len(members))}
	for i, m := range members {
		out.Deleted[i] = m.Key
	}
	slices.Sort(out.Deleted)
	return out
}

// notListed says why the files of a folder are not known.
func notListed(folder string, err error) error {
	failed := failure(folder, err)
	if failure, ok := errors.AsType[*action.Error](failed); ok && failure.Reason == reasonFileNotFound {
		failure.Remedy = "create the folder, or correct folder"
	}
	return failed
}

// notDeleted says which file could not be deleted.
func notDeleted(name string, extent action.Extent, err error) error {
	out := &action.Error{
		Reason: reasonNotDeleted, Retryable: true, Effect: extent,
		Remedy: "check the permissions of the folder",
		Err:    fmt.Errorf("delete file %q: %w", name, cause(err)),
	}
	if isInterruption(err) {
		out.Reason, out.Remedy = reasonInterrupted, ""
	}
	return out
}
