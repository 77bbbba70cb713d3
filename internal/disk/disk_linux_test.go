package disk_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/refitproject/refit/internal/disk"
	"github.com/refitproject/refit/internal/disk/disktest"
)

func TestRoomAt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, err := disk.RoomAt(dir)
	if err != nil || got.Free <= 0 || got.Total < got.Free || got.ReadOnly {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := disk.RoomAt(filepath.Join(dir, "gone")); err == nil {
		t.Error("a path that is not there has room")
	}
	if name := disk.Network(dir); name != "" {
		t.Errorf("a local folder is on %q", name)
	}
}

// TestRoomOfSmallDisk fills a real file system, and makes it read-only.
func TestRoomOfSmallDisk(t *testing.T) {
	t.Parallel()
	dir := disktest.Small(t, "1m")
	got, err := disk.RoomAt(dir)
	if err != nil || got.Total != 1<<20 || got.Free != 1<<20 {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := disk.RoomAt(dir); err != nil || got.Free != 0 {
		t.Errorf("a full disk: %+v, %v", got, err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "mode=0700"); err != nil {
		t.Fatal(err)
	}
	if got, err := disk.RoomAt(dir); err != nil || !got.ReadOnly {
		t.Errorf("a read-only disk: %+v, %v", got, err)
	}
}
