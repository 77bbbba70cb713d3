//go:build !unix

package watch

import (
	"context"
	"errors"
)

// Detach is not possible here.
func Detach(string, []string) error {
	return errors.New("probes are not measured on this system")
}

// TryDetach tells that Detach is not possible here.
func TryDetach(context.Context, string, []string) error { return Detach("", nil) }
