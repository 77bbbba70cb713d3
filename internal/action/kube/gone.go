package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

const (
	reasonNotGone     = "NotGone"
	reasonHoldsOthers = "HoldsOthers"
)

// Times of waiting until objects are gone.
const (
	defaultGone = 5 * time.Minute
	goneEvery   = 500 * time.Millisecond
)

// remove asks the server to delete the object with uid, and no other one that has
// its name. That it is gone already is fine.
func (p place) remove(ctx context.Context, uid types.UID, propagation metav1.DeletionPropagation) error {
	err := p.client.Delete(ctx, p.id.name, metav1.DeleteOptions{
		Preconditions: wanted(uid), PropagationPolicy: &propagation,
	})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // a conflict: another one has its name
		return nil
	}
	return failed(ctx, "delete "+p.id.String(), err, action.ExtentUnknown)
}

// waitGone waits until the object with uid is not there any more.
func (p place) waitGone(ctx context.Context, uid types.UID, limit time.Duration) error {
	window, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		live, err := p.get(ctx)
		if err == nil && (live == nil || live.GetUID() != uid) {
			return nil
		}
		if err != nil && !transient(err) {
			return action.WithExtent(err, action.ExtentPartial)
		}
		if wait.For(window, goneEvery) == nil {
			continue
		}
		if err != nil {
			return action.WithExtent(err, action.ExtentPartial)
		}
		out := &action.Error{
			Reason: reasonNotGone, Retryable: true, Effect: action.ExtentPartial, Remedy: remedyGone(live),
			Err: fmt.Errorf("delete %s: it is still there after %s: %s", p.id, limit, whyThere(live)),
		}
		if ctx.Err() != nil {
			out.Reason = reasonInterrupted
			out.Err = fmt.Errorf("delete %s: %w: %s", p.id, context.Cause(ctx), whyThere(live))
		}
		return out
	}
}

// transient tells whether an error may be over a moment later, such as an API server
// that is restarted.
func transient(err error) bool {
	failure, ok := errors.AsType[*action.Error](err)
	return ok && failure.Retryable && failure.Reason != reasonInterrupted
}

// whyThere says what holds an object that was to be deleted.
func whyThere(live *unstructured.Unstructured) string {
	if live.GetDeletionTimestamp() == nil {
		return "nobody has asked to delete it"
	}
	since := "it is Terminating since " + live.GetDeletionTimestamp().UTC().Format(time.RFC3339)
	var held []string
	if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
		held = append(held, "its finalizers "+listed(finalizers)+" were not removed by their controllers")
	}
	if live.GetKind() == "Namespace" {
		held = append(held, namespaceConditions(live)...)
	}
	if seconds := live.GetDeletionGracePeriodSeconds(); seconds != nil && *seconds > 0 {
		held = append(held, fmt.Sprintf("it has %d s to end by itself", *seconds))
	}
	if len(held) == 0 {
		return since
	}
	return since + ": " + strings.Join(held, "; ")
}

// namespaceConditions are what a namespace says of its own end.
func namespaceConditions(live *unstructured.Unstructured) []string {
	conditions, _, err := unstructured.NestedSlice(live.Object, "status", "conditions")
	if err != nil {
		return nil
	}
	var held []string
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		message, _ := condition["message"].(string)
		if condition["status"] == "True" && message != "" {
			held = append(held, message)
		}
	}
	return held
}

func remedyGone(live *unstructured.Unstructured) string {
	switch {
	case live.GetDeletionTimestamp() == nil:
		return "look who keeps it"
	case len(live.GetFinalizers()) > 0:
		return "look why the controller of the finalizer does not do its work; take the finalizer away only when " +
			"you know what it protects"
	case live.GetKind() == "Namespace":
		return "delete what is left in it, or mend the API that it cannot ask"
	}
	return "wait, then refit retry"
}

// unmake deletes an object that the step has made and that is as it made it.
func unmake(ctx context.Context, env action.Env, t trial) error {
	switch {
	case t.live.GetAnnotations()[kube.KeyAnnotation] != env.Key:
		return notOurs(t.place.id, "this step has not made it")
	case !t.unchanged() && t.live.GetDeletionTimestamp() == nil:
		return notOurs(t.place.id, "it was changed by somebody else: "+changedFields(t.changes()))
	}
	if err := t.place.empty(ctx, t.live); err != nil {
		return err
	}
	if err := t.place.remove(ctx, t.live.GetUID(), metav1.DeletePropagationForeground); err != nil {
		return err
	}
	return t.place.waitGone(ctx, t.live.GetUID(), defaultGone)
}

func changedFields(changes []change) string {
	paths := make([]string, len(changes))
	for i, c := range changes {
		paths[i] = c.path.String()
	}
	return listed(paths)
}

// empty refuses to take back what others have put things into meanwhile: with a
// namespace or a kind goes everything that is in it.
func (p place) empty(ctx context.Context, live *unstructured.Unstructured) error {
	var held string
	var err error
	switch p.id.group() + "/" + p.id.kind {
	case "/Namespace":
		held, err = p.inNamespace(ctx)
	case "apiextensions.k8s.io/CustomResourceDefinition":
		held, err = p.ofKind(ctx, live)
	}
	if err != nil || held == "" {
		return err
	}
	return &action.Error{
		Reason: reasonHoldsOthers, Effect: action.ExtentNone, Remedy: "move or delete them first, if nobody needs them",
		Err: fmt.Errorf("delete %s: it holds %s, which this step has not made", p.id, held),
	}
}

// inNamespace names an object in a namespace that nobody of the cluster itself has
// put there.
func (p place) inNamespace(ctx context.Context) (string, error) {
	lists, err := discovery.ServerPreferredNamespacedResources(p.cluster.Discovery)
	if err != nil {
		return "", failed(ctx, "ask what "+p.id.String()+" may hold", err, action.ExtentNone)
	}
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, resource := range list.APIResources {
			passing := resource.Name == "events" || !slices.Contains(resource.Verbs, "delete")
			if passing || !slices.Contains(resource.Verbs, "list") {
				continue
			}
			held, err := p.ofResource(ctx, version.WithResource(resource.Name))
			if err != nil || held != "" {
				return held, err
			}
		}
	}
	return "", nil
}

// ofResource names an object of one kind in a namespace, as inNamespace does.
func (p place) ofResource(ctx context.Context, resource schema.GroupVersionResource) (string, error) {
	found, err := p.cluster.Dynamic.Resource(resource).Namespace(p.id.name).List(ctx, metav1.ListOptions{Limit: 10})
	if apierrors.IsNotFound(err) { // a kind that has gone meanwhile
		return "", nil
	}
	if err != nil {
		return "", failed(ctx, "list "+resource.Resource+" in "+p.id.String(), err, action.ExtentNone)
	}
	for i := range found.Items {
		if o := &found.Items[i]; !ofEveryNamespace(o) {
			return idOf(o).String(), nil
		}
	}
	return "", nil
}

// ofEveryNamespace tells of what the cluster puts into each namespace by itself.
func ofEveryNamespace(o *unstructured.Unstructured) bool {
	switch o.GetKind() {
	case "ServiceAccount":
		return o.GetName() == "default"
	case "ConfigMap":
		return o.GetName() == "kube-root-ca.crt"
	}
	return o.GetDeletionTimestamp() != nil
}

// ofKind names an object of a kind that a definition has made.
func (p place) ofKind(ctx context.Context, definition *unstructured.Unstructured) (string, error) {
	text := func(path ...string) string {
		s, _, _ := unstructured.NestedString(definition.Object, path...)
		return s
	}
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	if len(versions) == 0 {
		return "", nil
	}
	first, _ := versions[0].(map[string]any)
	version, _ := first["name"].(string)
	resource := schema.GroupVersionResource{
		Group: text("spec", "group"), Version: version, Resource: text("spec", "names", "plural"),
	}
	found, err := p.cluster.Dynamic.Resource(resource).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil && !apierrors.IsNotFound(err) {
		return "", failed(ctx, "list objects of "+p.id.String(), err, action.ExtentNone)
	}
	if found == nil || len(found.Items) == 0 {
		return "", nil
	}
	return idOf(&found.Items[0]).String(), nil
}
