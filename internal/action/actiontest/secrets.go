package actiontest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/schema"
)

// Secrets is a source of secrets for tests: every reference has a value of its
// own, which stands in no other text.
type Secrets struct{}

var _ action.Secrets = Secrets{}

// Resolve implements action.Secrets.
func (Secrets) Resolve(_ context.Context, reference map[string]any) (string, error) {
	if problems := schema.Check(schema.Of(schema.Secret), reference); len(problems) > 0 {
		return "", &action.Error{
			Reason: action.ReasonSecretUnavailable, Effect: action.ExtentNone, Err: errors.New(problems[0].String()),
		}
	}
	prefix, _ := reference["prefix"].(string)
	return prefix + planted(reference), nil
}

// planted is the value of a reference without its prefix.
func planted(reference map[string]any) string {
	return fmt.Sprintf("planted-%d-hunter2", len(fmt.Sprint(reference)))
}

// noSecrets refuses to resolve: nothing that only looks at an input needs a
// value.
type noSecrets struct{ asked *bool }

func (s noSecrets) Resolve(context.Context, map[string]any) (string, error) {
	*s.asked = true
	return "", errors.New("a secret was asked for")
}

// valuesOf returns the values of all references in an input.
func valuesOf(t schema.Type, in any) []string {
	switch v := in.(type) {
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, valuesOf(t.ElemType(), item)...)
		}
		return all
	case map[string]any:
		if t.Kind == schema.Secret {
			return []string{planted(v)}
		}
		var all []string
		for key, item := range v {
			elem := t.ElemType()
			if t.Kind == schema.Object {
				elem = t.Fields[key].Type
			}
			all = append(all, valuesOf(elem, item)...)
		}
		return all
	default:
		return nil
	}
}

// telling keeps what an action tells while it works.
type telling struct {
	mu   sync.Mutex
	said strings.Builder
}

// Write implements io.Writer.
func (t *telling) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.said.Write(p)
}

func (t *telling) progress(p action.Progress) { _, _ = fmt.Fprintf(t, "%+v\n", p) } // it never fails

func (t *telling) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.said.String()
}
