//go:build unix

package exec

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup makes cmd the leader of a process group and lets the end of the
// context ask the whole group to end. After WaitDelay the leader is killed,
// the rest by endGroup.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

// endGroup kills what is left of the group of cmd. That the group is gone
// already is the normal case.
func endGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}

// killGroup kills cmd and its whole group.
func killGroup(cmd *exec.Cmd) { endGroup(cmd) }

// exitCode returns the exit code as shells count it: 128 and the number of the
// signal for programs that a signal ended.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
