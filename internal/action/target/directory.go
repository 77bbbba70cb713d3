package target

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/schema"
)

// KindDirectory is the kind of target that is a folder of this machine. Its
// entry in the platform file has a path.
const KindDirectory = "directory"

type directory struct{}

// Directory returns the kind directory. The identity is the real path of the
// folder with its device and inode, so that a folder that was replaced by
// another one, or a file system that is not mounted, is noticed.
func Directory() action.TargetKind { return directory{} }

// Kind implements action.TargetKind.
func (directory) Kind() string { return KindDirectory }

// Config implements action.Configured.
func (directory) Config() schema.Type {
	return pathConfig("Folder of this machine, absolute or relative to the platform file.")
}

// Identify implements action.TargetKind.
func (directory) Identify(_ context.Context, env action.Env) (string, error) {
	path, err := folder(env)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = errors.New("is not a folder")
	}
	if err != nil {
		return "", missing(env.Target, path, err)
	}
	return path + inode(info), nil
}

// describeInode returns device and inode as the identity carries them.
func describeInode(device, inode uint64) string {
	return fmt.Sprintf(" (device %d, inode %d)", device, inode)
}
