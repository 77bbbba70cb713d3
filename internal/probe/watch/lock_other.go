//go:build !unix

package watch

import (
	"os"
	"path/filepath"
)

// lock opens the file; there are no locks of this kind here.
func lock(name string) (*os.File, error) {
	return os.OpenFile(filepath.Clean(name), os.O_RDWR|os.O_CREATE, 0o600)
}
