package backup

import (
	"os"

	"golang.org/x/sys/unix"
)

// forget lets the system drop what it has in memory of a file, so that reading
// asks the disk. It is a request; nothing depends on whether it is heard.
func forget(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
