//go:build !unix

package filelock

import (
	"errors"
	"os"
)

// Try refuses: runs are driven on systems with locks of the kernel only.
func Try(string) (*os.File, error) {
	return nil, errors.New("this needs a system with file locks such as Linux or macOS")
}
