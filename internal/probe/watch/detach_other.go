//go:build !unix

package watch

import "errors"

// Detach is not possible here.
func Detach(string, []string) error {
	return errors.New("probes are not measured on this system")
}
