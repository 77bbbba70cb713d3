//go:build !unix

package target

import "io/fs"

// inode returns nothing: this system has no numbers that tell folders apart,
// so the real path alone is the identity.
func inode(fs.FileInfo) string { return "" }
