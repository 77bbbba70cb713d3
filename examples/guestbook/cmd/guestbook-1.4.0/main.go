// Command guestbook-1.4.0 is release 1.4.0 of the guestbook.
package main

import (
	"os"

	"github.com/refitproject/refit/examples/guestbook/release1"
)

func main() {
	os.Exit(release1.Release().Main(os.Args[1:], os.Stdout, os.Stderr))
}
