package archive

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncDisk brings everything of the file system that holds path to the disk.
func syncDisk(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}
