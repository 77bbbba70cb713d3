package disk_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/refitproject/refit/internal/disk"
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
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size=1m"); err != nil {
		if os.Getenv("REFIT_TEST") == "all" {
			t.Fatal(err)
		}
		t.Skip("mounting a file system is not permitted: " + err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
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
