//go:build !unix

package exec

import (
	"os"
	"os/exec"
)

// ownGroup does nothing: without process groups only the program itself is
// ended.
func ownGroup(*exec.Cmd) {}

// endGroup does nothing; see ownGroup.
func endGroup(*exec.Cmd) {}

// killGroup kills cmd alone; see ownGroup.
func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func exitCode(state *os.ProcessState) int { return state.ExitCode() }
