package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

// maxNames is how many names of objects an output holds.
const maxNames = 100

// subject is what a step looks at: an object by its name, or all that a selector
// matches.
type subject struct {
	id       id
	selector string
}

func (s subject) check() error {
	if (s.id.name == "") == (s.selector == "") {
		return errors.New("give one of the fields \"name\" and \"selector\"")
	}
	if s.id.name != "" {
		return s.id.check()
	}
	if _, err := labels.Parse(s.selector); err != nil {
		return fmt.Errorf("field \"selector\" is no selector of labels such as \"app=hub\": %w", err)
	}
	return s.id.checkKind()
}

// String returns the subject as messages name it.
func (s subject) String() string {
	if s.id.name != "" {
		return s.id.String()
	}
	text := fmt.Sprintf("objects of the kind %s with labels %q", s.id.kind, s.selector)
	if s.id.namespace != "" {
		text += " in namespace " + s.id.namespace
	}
	return text
}

// look reads the objects. Of a kind that the cluster does not have there are none;
// missing says so.
func (s subject) look(
	ctx context.Context, connector *kube.Connector, env action.Env,
) (p place, objects []*unstructured.Unstructured, missing string, err error) {
	p, err = find(ctx, connector, env, s.id)
	if action.ReasonOf(err) == kube.ReasonNotFound {
		return p, nil, err.Error(), nil
	}
	if err != nil {
		return p, nil, "", err
	}
	if s.id.name != "" {
		object, err := p.get(ctx)
		if object == nil || err != nil {
			return p, nil, "it is not there", err
		}
		return p, []*unstructured.Unstructured{object}, "", nil
	}
	err = p.each(ctx, s.selector, func(o *unstructured.Unstructured) error {
		objects = append(objects, o)
		return nil
	})
	return p, objects, "there is none", err
}

// namesOf returns the names of objects, the first ones only.
func namesOf(objects []*unstructured.Unstructured) []string {
	names := []string{}
	for _, o := range objects[:min(len(objects), maxNames)] {
		names = append(names, o.GetName())
	}
	return names
}

// polling asks again and again.
type polling struct {
	what  string
	limit time.Duration // 0 asks once
	every time.Duration
}

// poll asks until there is nothing to say any more. why is what was said last when
// the time was over, or when final told that nothing will change. That a cluster could
// not be asked is not what it would have answered: when that was the last thing, it is
// the error.
func (p polling) poll(
	ctx context.Context, env action.Env, ask func(ctx context.Context) (why string, final bool, err error),
) (tries int, why string, err error) {
	window, cancel := ctx, context.CancelFunc(func() {})
	if p.limit > 0 {
		window, cancel = context.WithTimeout(ctx, p.limit)
	}
	defer cancel()
	for tries = 1; ; tries++ {
		var final bool
		why, final, err = ask(ctx)
		if err == nil && why == "" {
			return tries, "", nil
		}
		if err != nil && (p.limit == 0 || !transient(err)) {
			return tries, "", err
		}
		note := why
		if err != nil {
			note = err.Error()
		}
		env.Report(action.Progress{Done: int64(tries), Unit: "tries", Note: note})
		if !final && p.limit > 0 && wait.For(window, p.every) == nil {
			continue
		}
		if ctx.Err() != nil { // whether it would have come to be so, nobody knows
			return tries, "", &action.Error{
				Reason: reasonInterrupted, Retryable: true, Effect: action.ExtentNone,
				Err: fmt.Errorf("%s: %w, the last of %d tries: %s", p.what, context.Cause(ctx), tries, note),
			}
		}
		return tries, why, err
	}
}
