// Command guestbook-2.0.0 is release 2.0.0 of the guestbook.
package main

import (
	"os"

	"github.com/refitproject/refit/examples/guestbook/release2"
)

func main() {
	os.Exit(release2.Release().Main(os.Args[1:], os.Stdout, os.Stderr))
}
