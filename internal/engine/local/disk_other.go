//go:build !linux

package local

// networkDisk names the kind of network file system that dir is on; it is only
// known on Linux.
func networkDisk(string) string { return "" }
