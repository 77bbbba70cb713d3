//go:build !linux

package hubtest

import "os/exec"

// endsWithUs can do nothing here: tests that are killed leave the program.
func endsWithUs(*exec.Cmd) {}
