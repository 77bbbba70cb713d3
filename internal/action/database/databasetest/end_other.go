//go:build !linux

package databasetest

import "os/exec"

// endsWithUs can do nothing here: tests that are killed leave the program.
func endsWithUs(*exec.Cmd) {}

func give(string) error { return nil }
