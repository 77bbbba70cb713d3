package miniotest

import (
	"os/exec"
	"syscall"
)

// endsWithUs lets the kernel end the program when the tests are killed.
func endsWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
