//go:build unix

package target

import (
	"io/fs"
	"syscall"
)

// inode returns what tells the folder from another one at the same path.
func inode(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return describeInode(uint64(stat.Dev), stat.Ino) //nolint:unconvert // the type differs between systems
}
