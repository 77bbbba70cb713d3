package service

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Save writes the platform file when nothing is wrong with it. A file that is
// there is only replaced when replace is set.
func (iv *Interview) Save(replace bool) error {
	if err := iv.Missing(); err != nil {
		return err
	}
	text, err := iv.Text()
	if err != nil {
		return err
	}
	name, err := saveName(iv.file)
	if err != nil {
		return err
	}
	return writeText(name, iv.file, text, replace)
}

// MayWrite refuses a name at which nothing can be written, before anybody has
// answered anything.
func (iv *Interview) MayWrite(replace bool) error {
	info, err := os.Stat(iv.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		probe, err := os.CreateTemp(iv.dir, ".refit-*")
		if err != nil {
			return usageErrorf("the folder %q cannot be written to: %v", iv.dir, plainPathError(err)).
				suggest("give the name of a file in another folder")
		}
		return errors.Join(probe.Close(), os.Remove(probe.Name()))
	case err != nil:
		return usageErrorf("a platform file cannot be written to %q: %v", iv.file, plainPathError(err))
	case !info.Mode().IsRegular():
		return usageErrorf("%q is not a regular file", iv.file).suggest("give another name")
	case !replace:
		return existsError(iv.file)
	default:
		return nil
	}
}

func existsError(file string) error {
	return usageErrorf("%q exists", file).suggest("give another name with --save, or --replace to replace it")
}

// writeText writes a platform file under a name; file is what the person calls it.
// Others may read it: it holds no secret, only where secrets are.
func writeText(name, file string, text []byte, replace bool) error {
	const mode = 0o644
	write := func(w io.Writer) error { _, err := w.Write(text); return err }
	return writeAtomic(name, write, func(tmp string) error {
		unlock := lockFolder(filepath.Dir(name))
		defer unlock()
		if err := os.Chmod(tmp, mode); err != nil {
			return err
		}
		if replace {
			return os.Rename(tmp, name)
		}
		// Unlike a rename a link fails when there is something already.
		err := os.Link(tmp, name)
		switch {
		case err == nil:
			return os.Remove(tmp)
		case errors.Is(err, fs.ErrExist):
			return existsError(file)
		}
		if _, err := os.Lstat(name); err == nil {
			return existsError(file)
		}
		return os.Rename(tmp, name) // The file system has no links.
	})
}
