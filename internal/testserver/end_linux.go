package testserver

import (
	"os/exec"
	"syscall"
)

// EndsWithUs lets the kernel send a program a signal when the tests are killed: one
// that starts others is asked to end, and ends these.
func EndsWithUs(cmd *exec.Cmd, signal syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: signal}
}
