package exec

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/secret"
)

var _ secret.Programs = (*Runner)(nil)

// Reveal implements secret.Programs. The program gets all of the environment: it
// may need one secret to get at another.
func (r *Runner) Reveal(ctx context.Context, dir string, args []string, limit int) (string, error) {
	return r.output(ctx, Program{Args: args, Dir: dir, KeepStdout: limit, whole: true})
}

// Output returns what a program prints, at most limit bytes. The program counts as failed when it does
// not end with exit code 0. What it printed to standard error is not shown: it
// may hold the secret as well.
func (r *Runner) Output(ctx context.Context, dir string, args []string, limit int) (string, error) {
	return r.output(ctx, Program{Args: args, Dir: dir, KeepStdout: limit})
}

func (r *Runner) output(ctx context.Context, c Program) (string, error) {
	res, err := r.Run(ctx, c)
	switch {
	case err != nil:
		if failure, ok := errors.AsType[*action.Error](err); ok {
			return "", failure.Err
		}
		return "", err
	case res.ExitCode != 0:
		return "", fmt.Errorf("it ended with exit code %d", res.ExitCode)
	case res.Truncated:
		return "", fmt.Errorf("it printed more than %d bytes", c.KeepStdout)
	case strings.ContainsRune(res.Stdout, '\uFFFD'):
		return "", errors.New("it printed something that is not UTF-8 text")
	default:
		return res.Stdout, nil
	}
}
