package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// RoomAt returns how much room there is on the file system that holds path.
func RoomAt(path string) (Room, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return Room{}, fmt.Errorf("ask for the room at %q: %w", path, err)
	}
	size := int64(st.Bsize) //nolint:unconvert // It has other types on other processors.
	return Room{
		Free: int64(st.Bavail) * size, Total: int64(st.Blocks) * size, //nolint:gosec // No disk is that large.
		FreeFiles: int64(st.Ffree), TotalFiles: int64(st.Files), //nolint:gosec // Nor has it so many files.
		ReadOnly: st.Flags&unix.ST_RDONLY != 0,
	}, nil
}

// Network names the kind of network file system that path is on, "" for a local
// one. Source of the numbers: statfs(2).
func Network(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return "" // Using the path will say what is wrong.
	}
	switch uint32(st.Type) { //nolint:gosec // The numbers are 32 bits wide.
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "SMB"
	case unix.CEPH_SUPER_MAGIC:
		return "CephFS"
	case unix.AFS_SUPER_MAGIC:
		return "AFS"
	case unix.V9FS_MAGIC:
		return "9P"
	default:
		return ""
	}
}
