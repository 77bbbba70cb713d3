//go:build !linux

package exec

import (
	"os"
	"path/filepath"
	"strconv"
)

// handOver keeps contents in files of a folder of their own that only this user can
// enter. They are removed with it; a process that is killed leaves them.
func handOver(contents map[string]string) (paths map[string]string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "refit-secret-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // It is in nobody's way.
	paths = make(map[string]string, len(contents))
	for name, content := range contents {
		path := filepath.Join(dir, strconv.Itoa(len(paths)))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			remove()
			return nil, nil, err
		}
		paths[name] = path
	}
	return paths, remove, nil
}
