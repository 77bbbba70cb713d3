package secret

import (
	"context"
	"strings"
	"sync"

	"github.com/refitproject/refit/internal/action"
)

// Recorder remembers the values that were resolved through it, so that they can
// be removed from what the world answers. It is safe for concurrent use.
type Recorder struct {
	from action.Secrets

	mu       sync.Mutex
	values   []string
	redactor *Redactor
}

var _ action.Secrets = (*Recorder)(nil)

// Recording returns env with a Recorder in the place of its secrets. An env
// without secrets stays as it is: nothing can be resolved there.
func Recording(env action.Env) (action.Env, *Recorder) {
	r := &Recorder{from: env.Secrets}
	if env.Secrets != nil {
		env.Secrets = r
	}
	return env, r
}

// Resolve implements action.Secrets.
func (r *Recorder) Resolve(ctx context.Context, reference map[string]any) (string, error) {
	value, err := r.from.Resolve(ctx, reference)
	if err != nil {
		return "", err
	}
	// The world may repeat the secret without what Refit put before it.
	prefix, _ := reference["prefix"].(string)
	r.Add(value, strings.TrimPrefix(value, prefix))
	return value, nil
}

// Add remembers more values.
func (r *Recorder) Add(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values, r.redactor = append(r.values, values...), nil
}

// Values returns all values that were resolved so far.
func (r *Recorder) Values() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.values...)
}

// Redactor returns what removes all values that were resolved so far.
func (r *Recorder) Redactor() *Redactor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.redactor == nil {
		r.redactor = NewRedactor(r.values...)
	}
	return r.redactor
}
