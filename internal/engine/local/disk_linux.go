package local

import "golang.org/x/sys/unix"

// networkDisk names the kind of network file system that dir is on, "" for a
// local one. Source of the numbers: statfs(2).
func networkDisk(dir string) string {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return "" // Using the folder will say what is wrong.
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
