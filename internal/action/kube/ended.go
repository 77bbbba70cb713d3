package kube

import (
	"context"
	"errors"
	"fmt"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

const reasonInterrupted = "Interrupted"

// failed says what could not be done. That the step was ended is said as such: the
// cluster did nothing wrong.
func failed(ctx context.Context, doing string, err error, unclear action.Extent) error {
	if ctx.Err() == nil {
		return kube.Failure(doing, err, unclear)
	}
	if _, ours := errors.AsType[*action.Error](err); ours {
		return kube.Failure(doing, err, unclear)
	}
	return &action.Error{
		Reason: reasonInterrupted, Retryable: true, Effect: unclear,
		Err: fmt.Errorf("%s: %w", doing, context.Cause(ctx)),
	}
}
