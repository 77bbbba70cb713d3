//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench-peers: needs Linux: memory and syncs are read from its kernel")
	os.Exit(1)
}
