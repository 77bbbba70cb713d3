package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/pager"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// The reasons of errors of this package, beside those of internal/kube.
const (
	reasonObjectChanged = "ObjectChanged"
	// reasonTargetChanged is known to the core: what was set is no longer there, and
	// so it is not ours to give back.
	reasonTargetChanged  = "TargetChanged"
	reasonFieldConflict  = "FieldConflict"
	reasonBeforeTooLarge = "BeforeTooLarge"
)

// maxTries is how often a change is made again that somebody else came before.
const maxTries = 5

// maxBefore is how much may be recorded of the state before an effect, in bytes.
const maxBefore = 32 << 10

// id names an object.
type id struct{ apiVersion, kind, namespace, name string }

func idOf(o *unstructured.Unstructured) id {
	return id{o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()}
}

// String returns the object as messages name it: "deployment hub in namespace jhub".
func (i id) String() string {
	text := strings.ToLower(i.kind) + " " + i.name
	if i.namespace != "" {
		text += " in namespace " + i.namespace
	}
	return text
}

// key tells objects apart whatever version they are asked for in.
func (i id) key() string {
	return fmt.Sprintf("%s/%s/%s/%s", i.group(), i.kind, i.namespace, i.name)
}

func (i id) group() string {
	return schema.FromAPIVersionAndKind(i.apiVersion, i.kind).Group
}

// check refuses names that are none; a slash would lead to another object.
func (i id) check() error {
	if i.name == "" || strings.ContainsAny(i.name, "/%?#") || i.name == "." || i.name == ".." {
		return fmt.Errorf("field \"name\" is %q, needs the name of an object", i.name)
	}
	return i.checkKind()
}

func (i id) checkKind() error {
	version, err := schema.ParseGroupVersion(i.apiVersion)
	switch {
	case err != nil || version.Version == "":
		return fmt.Errorf("field \"apiVersion\" is %q, needs a group and a version such as \"apps/v1\"", i.apiVersion)
	case i.kind == "" || strings.ContainsAny(i.kind, "/. "):
		return fmt.Errorf("field \"kind\" is %q, needs a kind such as \"Deployment\"", i.kind)
	case strings.ContainsAny(i.namespace, "/%?# "):
		return fmt.Errorf("field \"namespace\" is %q, needs the name of a namespace", i.namespace)
	}
	return nil
}

// place is where objects of a kind are asked for.
type place struct {
	cluster *kube.Cluster
	mapping *meta.RESTMapping
	client  dynamic.ResourceInterface
	id      id
}

// find connects to the target of env and returns the place of i.
func find(ctx context.Context, connector *kube.Connector, env action.Env, i id) (place, error) {
	if err := ctx.Err(); err != nil {
		return place{}, failed(ctx, "ask for "+i.String(), err, action.ExtentNone)
	}
	cluster, err := connector.Connect(env)
	if err != nil {
		return place{}, err
	}
	return locate(cluster, i)
}

// locate returns the place of i. Whether a kind has namespaces is known to the
// cluster alone.
func locate(cluster *kube.Cluster, i id) (place, error) {
	mapping, err := cluster.Resource(schema.FromAPIVersionAndKind(i.apiVersion, i.kind))
	if err != nil {
		return place{}, err
	}
	namespaced := mapping.Scope.Name() == meta.RESTScopeNameNamespace
	switch {
	case namespaced && i.namespace == "":
		err = fmt.Errorf("objects of the kind %s stand in a namespace: give field \"namespace\"", i.kind)
	case !namespaced && i.namespace != "":
		err = fmt.Errorf("objects of the kind %s stand in no namespace: leave field \"namespace\" out", i.kind)
	}
	if err != nil {
		return place{}, &action.Error{Reason: action.ReasonInvalidInput, Effect: action.ExtentNone, Err: err}
	}
	return place{cluster: cluster, mapping: mapping, client: cluster.For(mapping, i.namespace), id: i}, nil
}

// get reads the object, nil when it is not there.
func (p place) get(ctx context.Context) (*unstructured.Unstructured, error) {
	object, err := p.client.Get(ctx, p.id.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // that it is not there is an answer
	}
	if err != nil {
		return nil, failed(ctx, "read "+p.id.String(), err, action.ExtentNone)
	}
	return object, nil
}

// each calls visit with all objects that a selector matches, page by page.
func (p place) each(ctx context.Context, selector string, visit func(*unstructured.Unstructured) error) error {
	pages := pager.New(func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return p.client.List(ctx, opts)
	})
	err := pages.EachListItem(ctx, metav1.ListOptions{LabelSelector: selector}, func(o runtime.Object) error {
		object, ok := o.(*unstructured.Unstructured)
		if !ok {
			return fmt.Errorf("the cluster answered with a %T", o)
		}
		return visit(object)
	})
	if err == nil {
		return nil
	}
	what := "list objects of the kind " + p.id.kind
	if p.id.namespace != "" {
		what += " in namespace " + p.id.namespace
	}
	return failed(ctx, what, err, action.ExtentNone)
}

// refusal tells whether an error is an answer to what was wanted, which asking again
// does not change, and not trouble on the way to the cluster.
func refusal(err error) bool {
	switch action.ReasonOf(err) {
	case kube.ReasonDenied, kube.ReasonInvalid, kube.ReasonTerminating, kube.ReasonNotFound, kube.ReasonRefused,
		reasonFieldConflict, reasonNotThere, reasonNotScalable, reasonAutoscaled, reasonBeforeTooLarge,
		action.ReasonInvalidInput:
		return true
	}
	return false
}

// changedSince says that an object is not what it was when it was observed.
func changedSince(doing, what string) error {
	return &action.Error{
		Reason: reasonObjectChanged, Effect: action.ExtentNone, Remedy: "find out who changes it, then refit retry",
		Err: fmt.Errorf("%s: %s since", doing, what),
	}
}

// notObserved says that a step cannot be taken back, because nobody knows what was
// there before: what was observed was a refusal, which is over by now.
func notObserved(doing string) error {
	return changedSince(doing, "it could not be tried when it was observed, and can be")
}

// notOurs says that an object no longer shows what the step has set.
func notOurs(i id, what string) error {
	return &action.Error{
		Reason: reasonTargetChanged, Effect: action.ExtentNone, Remedy: "look who changed it, and set what you want",
		Err: fmt.Errorf("take back the change of %s: %s", i, what),
	}
}

// wanted returns a precondition on the object that was seen, and not on another one
// that has taken its name.
func wanted(uid types.UID) *metav1.Preconditions { return &metav1.Preconditions{UID: &uid} }

// fieldConflict makes an error of the fields that belong to other managers; false
// when err is about something else.
func fieldConflict(i id, err error) (error, bool) {
	var status apierrors.APIStatus // which is no error itself
	if !errors.As(err, &status) || !apierrors.IsConflict(err) || status.Status().Details == nil {
		return nil, false
	}
	var owned []string
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			owned = append(owned, fmt.Sprintf("%s (%s)", cause.Field, cause.Message))
		}
	}
	if len(owned) == 0 {
		return nil, false
	}
	const most = 5
	if len(owned) > most {
		owned = append(owned[:most], fmt.Sprintf("%d more", len(owned)-most))
	}
	return &action.Error{
		Reason: reasonFieldConflict, Effect: action.ExtentNone,
		Remedy: "change it where its owner takes it from, or take the fields over with force: true",
		Err:    fmt.Errorf("apply %s: others own %s", i, strings.Join(owned, ", ")),
	}, true
}
