//go:build !unix

package book

import (
	"errors"
	"os"
	"syscall"
)

var errSystem = errors.New("the guestbook needs a system with file locks such as Linux or macOS")

func tryLock(string, bool) (*os.File, error) { return nil, errSystem }

func detached() *syscall.SysProcAttr { return nil }

func terminate(int) error { return errSystem }
