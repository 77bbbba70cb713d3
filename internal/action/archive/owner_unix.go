//go:build unix

package archive

import (
	"io/fs"
	"syscall"
)

// ownerOf returns the numbers of the user and the group.
func ownerOf(info fs.FileInfo) (uid, gid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

// sameDisk tells whether names can be moved between two folders.
func sameDisk(a, b fs.FileInfo) bool {
	x, isX := a.Sys().(*syscall.Stat_t)
	y, isY := b.Sys().(*syscall.Stat_t)
	return !isX || !isY || x.Dev == y.Dev
}
