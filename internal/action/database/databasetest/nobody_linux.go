package databasetest

import (
	"os"
	"os/exec"
	"syscall"
)

// nobody is the user that servers run as when the tests run as root: they refuse that.
const nobody = 65534

// asNobody lets a program run as that user. It has its attributes already.
func asNobody(cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
}

// give makes a folder that of the user who the servers run as.
func give(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(dir, nobody, nobody)
}
