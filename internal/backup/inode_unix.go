//go:build unix

package backup

import (
	"io/fs"
	"syscall"
)

// inode is what a file is recognised by, whatever its names.
type inode struct{ device, number uint64 }

// identity returns the inode of a file, and whether it has several names.
func identity(info fs.FileInfo) (id inode, several bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}, false
	}
	//nolint:unconvert,nolintlint // the types differ between systems
	return inode{uint64(stat.Dev), uint64(stat.Ino)}, stat.Nlink > 1 && info.Mode().IsRegular()
}

// owner returns the numbers of the user and the group.
func owner(info fs.FileInfo) (uid, gid int) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), int(stat.Gid)
	}
	return 0, 0
}

// makePipe makes a named pipe.
func makePipe(path string) error { return syscall.Mkfifo(path, 0o600) }
