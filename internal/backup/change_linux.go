package backup

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when a file or what is known of it was changed last, which
// no program can set back.
func changeTime(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return info.ModTime()
}
