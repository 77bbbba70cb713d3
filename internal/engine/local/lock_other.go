//go:build !unix

package local

import (
	"errors"
	"os"
)

// lockFile refuses: runs are driven on systems with locks of the kernel only.
func lockFile(string) (*os.File, error) {
	return nil, errors.New("driving runs needs a system with file locks such as Linux or macOS")
}
