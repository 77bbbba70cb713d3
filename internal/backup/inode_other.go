//go:build !unix

package backup

import (
	"errors"
	"io/fs"
)

// inode is not known on this system.
type inode struct{}

func identity(fs.FileInfo) (id inode, several bool) { return inode{}, false }

func owner(fs.FileInfo) (uid, gid int) { return 0, 0 }

func makePipe(string) error { return errors.ErrUnsupported }
