package exec

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// handOver keeps contents in files that stand in no folder and never on a disk: in
// memory, as files of this process. Whatever the program starts can open them too.
// They are gone when they are removed, and when this process ends, however it does.
func handOver(contents map[string]string) (paths map[string]string, remove func(), err error) {
	var files []*os.File
	remove = func() {
		for _, f := range files {
			_ = f.Close() // It held nothing that has to be kept.
		}
	}
	paths = make(map[string]string, len(contents))
	for name, content := range contents {
		fd, err := unix.MemfdCreate("refit-secret", unix.MFD_CLOEXEC)
		if err != nil {
			remove()
			return nil, nil, fmt.Errorf("make a file in memory: %w", err)
		}
		f := os.NewFile(uintptr(fd), name)
		files = append(files, f)
		_, written := f.WriteString(content)
		// Programs such as psql refuse a file that others could read.
		if err := errors.Join(written, f.Chmod(0o600)); err != nil {
			remove()
			return nil, nil, err
		}
		paths[name] = "/proc/" + strconv.Itoa(os.Getpid()) + "/fd/" + strconv.Itoa(fd)
	}
	return paths, remove, nil
}
