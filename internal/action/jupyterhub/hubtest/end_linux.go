package hubtest

import (
	"os/exec"
	"syscall"
)

// endsWithUs lets the kernel tell the program to end when the tests are killed; it
// then ends the servers of its users.
func endsWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
