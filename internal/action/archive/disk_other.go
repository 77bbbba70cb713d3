//go:build !linux

package archive

import (
	"io/fs"
	"path/filepath"
)

// syncDisk brings everything below path to the disk, file by file.
func syncDisk(path string) error {
	return filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() && !d.IsDir() {
			return err
		}
		return syncPath(name)
	})
}
