package action

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// SecretRef is a reference to a secret in the input of an action, as plain
// values: {"env": "TOKEN"}. Fields of this type, and of lists and maps of it,
// have the tag refit:"secret".
type SecretRef map[string]any

// Secrets gives the values of secrets. It is safe for concurrent use.
type Secrets interface {
	// Resolve returns the value that a reference names. The error is an *Error
	// with reason ReasonSecretUnavailable; it names the reference and never
	// holds a value.
	Resolve(ctx context.Context, reference map[string]any) (string, error)
}

// TargetSecrets is implemented by Secrets whose references may lead to a target of the
// platform.
type TargetSecrets interface {
	Secrets
	// At returns what resolves references of a step on the target called own, in a
	// platform with these targets. own may be empty.
	At(targets []Target, own string) Secrets
}

// ResolveSecrets returns the values of the references in the field of an input
// that is called field, by their keys. It is called from Observe, Run and Undo
// only. The error is an *Error with ExtentNone.
func (e Env) ResolveSecrets(ctx context.Context, field string, refs map[string]SecretRef) (map[string]string, error) {
	values := make(map[string]string, len(refs))
	for _, key := range slices.Sorted(maps.Keys(refs)) {
		value, err := e.resolve(ctx, refs[key])
		if err != nil {
			return nil, secretUnavailable(fmt.Sprintf("%s %q", field, key), err)
		}
		values[key] = value
	}
	return values, nil
}

func (e Env) resolve(ctx context.Context, ref SecretRef) (string, error) {
	if e.Secrets == nil {
		return "", errors.New("secrets are not resolved here")
	}
	return e.Secrets.Resolve(ctx, ref)
}

// secretUnavailable says where the secret was needed.
func secretUnavailable(where string, err error) error {
	out := &Error{Reason: ReasonSecretUnavailable, Effect: ExtentNone, Err: fmt.Errorf("%s: %w", where, err)}
	if cause, ok := errors.AsType[*Error](err); ok {
		out.Retryable, out.Remedy, out.Err = cause.Retryable, cause.Remedy, fmt.Errorf("%s: %w", where, cause.Err)
	}
	return out
}
