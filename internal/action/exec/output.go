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

// Output implements secret.Programs. The program counts as failed when it does
// not end with exit code 0. What it printed to standard error is not shown: it
// may hold the secret as well.
func (r *Runner) Output(ctx context.Context, dir string, args []string, limit int) (string, error) {
	res, err := r.Run(ctx, Program{Args: args, Dir: dir, KeepStdout: limit})
	switch {
	case err != nil:
		if failure, ok := errors.AsType[*action.Error](err); ok {
			return "", failure.Err
		}
		return "", err
	case res.ExitCode != 0:
		return "", fmt.Errorf("it ended with exit code %d", res.ExitCode)
	case res.Truncated:
		return "", fmt.Errorf("it printed more than %d bytes", limit)
	case strings.ContainsRune(res.Stdout, '\uFFFD'):
		return "", errors.New("it printed something that is not UTF-8 text")
	default:
		return res.Stdout, nil
	}
}
