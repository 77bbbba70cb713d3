package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/refitproject/refit/internal/plan"
)

// CheckSave tells, before anything is observed, whether a plan can be saved to
// a file: the folder is there and can be written to, and what is at the name
// now may be replaced. A mistake of the person who asked is a *UsageError.
// Nothing stays behind.
func (s *Service) CheckSave(file string, replace bool) error {
	name, err := saveName(file)
	if err != nil {
		return err
	}
	if err := s.mayReplace(file, name, "", replace); err != nil {
		return err
	}
	probe, err := os.CreateTemp(filepath.Dir(name), ".refit-*")
	if err != nil {
		return usageErrorf("the folder %q cannot be written to: %v", filepath.Dir(name), plainPathError(err)).
			suggest("give the name of a file in another folder")
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// SavePlan writes p to a file with mode 0600. An existing file is replaced
// only when it holds a plan with the same digest, or any plan with replace,
// even a damaged one; anything else is a *UsageError. Through a symbolic link
// the file is written to which it leads. Of two programs that save to one name
// at once, the second sees what the first wrote. The name of the platform file
// is written relative to the folder of the plan file, so that both can be
// moved together.
func (s *Service) SavePlan(file string, p *plan.Plan, replace bool) error {
	name, err := saveName(file)
	if err != nil {
		return err
	}
	saved := *p
	saved.PlatformFile = relativeTo(filepath.Dir(file), p.PlatformFile)
	publish := func(tmp string) error {
		unlock := lockFolder(filepath.Dir(name))
		defer unlock()
		if err := s.mayReplace(file, name, p.Digest, replace); err != nil {
			return err
		}
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			// Unlike a rename a link fails when somebody without the lock was faster.
			err := os.Link(tmp, name)
			if err == nil {
				return os.Remove(tmp)
			}
			if errors.Is(err, fs.ErrExist) {
				return usageErrorf("%q was made by somebody else in the meantime", file).suggest("give another name")
			}
			// The file system has no links.
		}
		return os.Rename(tmp, name)
	}
	return writeAtomic(name, func(w io.Writer) error { return plan.Write(w, &saved) }, publish)
}

// saveName returns the name that a plan file is written under: for a symbolic
// link the one to which it leads.
func saveName(file string) (string, error) {
	if file == "" || file == "-" {
		return "", usageErrorf("there is no file name to save the plan to").
			suggest("-o json writes it to the standard output")
	}
	info, err := os.Lstat(file)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return file, nil //nolint:nilerr // mayReplace says what is wrong with the name
	}
	name, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", usageErrorf("%q is a symbolic link that leads nowhere", file).
			suggest("give another name, or remove it")
	}
	return name, nil
}

// mayReplace refuses to overwrite a file that is no plan file, and without
// replace one that holds another plan than the one with the digest. Without a
// digest any plan will do: which one is not known yet. file is what the person
// calls name.
func (s *Service) mayReplace(file, name, digest string, replace bool) error {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return folderThere(name)
	}
	if err != nil {
		return usageErrorf("a plan cannot be saved to %q: %v", file, plainPathError(err)).suggest("give another name")
	}
	switch {
	case info.IsDir():
		return usageErrorf("%q is a folder", file).suggest("give the name of a file in it")
	case !info.Mode().IsRegular():
		return usageErrorf("%q is not a regular file", file).suggest("give another name")
	case !looksLikePlan(name, info):
		return usageErrorf("%q exists and is not a plan file", file).
			suggest("give another name; --replace replaces only plan files")
	case replace:
		return nil
	}
	old, err := s.ReadPlan(name)
	if err != nil {
		return usageErrorf("%q exists and is not a plan that can be read", file).
			suggest("give another name, or --replace to replace it")
	}
	if digest != "" && old.Digest != digest {
		return usageErrorf("%q holds another plan, with the digest %s", file, old.Digest).
			suggest("give another name, or --replace to replace it; --diff %s shows what differs", file)
	}
	return nil
}

// folderThere refuses a name in a folder that does not exist.
func folderThere(name string) error {
	dir := filepath.Dir(name)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usageErrorf("there is no folder %q to save the plan to", dir).
			suggest("create the folder, or give another name")
	case err != nil:
		return fmt.Errorf("look at the folder %q: %w", dir, plainPathError(err))
	case !info.IsDir():
		return usageErrorf("%q is not a folder", dir).suggest("give the name of a file in a folder")
	default:
		return nil
	}
}

// looksLikePlan tells whether nothing is lost but a plan when the file is
// replaced: it is empty, or begins like a plan, also one that was cut off or
// edited.
func looksLikePlan(name string, info fs.FileInfo) bool {
	if info.Size() == 0 {
		return true
	}
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read from
	const enough = 512
	head := json.NewDecoder(io.LimitReader(f, enough))
	for _, want := range []json.Token{json.Delim('{'), "apiVersion", plan.APIVersion, "kind", plan.Kind} {
		if token, err := head.Token(); err != nil || token != want {
			return false
		}
	}
	return true
}

// relativeTo returns name relative to dir, or name itself when there is no way
// from one to the other. Both are relative to the working directory.
func relativeTo(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	absDir, err := filepath.Abs(dir)
	if err != nil {
		return name
	}
	absName, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	rel, err := filepath.Rel(absDir, absName)
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}
