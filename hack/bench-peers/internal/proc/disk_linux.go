package proc

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// tmpfs and ramfs are file systems in memory, where a sync costs nothing.
const (
	tmpfs = 0x01021994
	ramfs = 0x858458f6
)

// OnDisk fails if a folder is on a file system in memory.
func OnDisk(dir string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("ask for the file system of %s: %w", dir, err)
	}
	if kind := uint32(fs.Type); kind == tmpfs || kind == ramfs { //nolint:gosec // Only the low half has a meaning.
		return fmt.Errorf("%s is in memory, where a sync costs nothing: set TMPDIR to a folder on a disk", dir)
	}
	return nil
}

// blocks is the size of the file that SyncRate writes, in blocks of 4 KiB: about
// that of a write-ahead log before SQLite starts it again.
const blocks = 1000

// SyncRate says how often a second the disk of a folder takes 4 KiB in the middle
// of a file and syncs them: what a commit to a write-ahead log needs at least.
// Appending would cost more, since the size of the file is synced, too. It
// measures several times as long as during; the fastest counts, since other work
// on the machine only makes it slower.
func SyncRate(dir string, during time.Duration, times int) (float64, error) {
	path := filepath.Join(dir, "disk")
	f, err := os.Create(path)
	if err != nil {
		return 0, fmt.Errorf("measure the disk: %w", err)
	}
	defer os.Remove(path)
	defer f.Close()
	block := make([]byte, 4096)
	for n := range blocks {
		if _, err := f.WriteAt(block, int64(n*len(block))); err != nil {
			return 0, fmt.Errorf("measure the disk: %w", err)
		}
	}
	if err := f.Sync(); err != nil {
		return 0, fmt.Errorf("measure the disk: %w", err)
	}
	fastest, n := 0.0, 0
	for range times {
		start, first := time.Now(), n
		for time.Since(start) < during {
			block[0] = byte(n) // Never what stands there.
			n++
			if _, err := f.WriteAt(block, int64(n%blocks*len(block))); err != nil {
				return 0, fmt.Errorf("measure the disk: %w", err)
			}
			if err := syscall.Fdatasync(int(f.Fd())); err != nil {
				return 0, fmt.Errorf("measure the disk: sync %s: %w", path, err)
			}
		}
		fastest = max(fastest, float64(n-first)/time.Since(start).Seconds())
	}
	return fastest, nil
}

// FreePort finds a port of the loopback address that nobody listens on.
func FreePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find a free port: the address is %v", l.Addr())
	}
	return addr.Port, nil
}
