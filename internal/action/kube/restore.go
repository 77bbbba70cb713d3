package kube

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

const reasonBeforeLost = "BeforeLost"

// trial is an object as it is, and as it would be: what the server answered to a dry
// run.
type trial struct {
	place place
	// live is nil when the object is not there. next is nil when the server could
	// not be asked, because the same step makes the namespace or the kind first.
	live, next *unstructured.Unstructured
}

func (t trial) changes() []change { return differences(content(t.live), content(t.next)) }

// unchanged tells that the object is as it is wanted.
func (t trial) unchanged() bool { return t.live != nil && t.next != nil && len(t.changes()) == 0 }

func (t trial) isSecret() bool { return t.place.id.kind == kindSecret && t.place.id.group() == "" }

// record returns what has to be known later of the object as it is. An object that is
// not there has no uid. Of a Secret no values are recorded: Run keeps a copy of it in
// its namespace.
func (t trial) record() map[string]any {
	out := map[string]any{"object": t.place.id.key()}
	if t.live == nil {
		return out
	}
	out["uid"] = string(t.live.GetUID())
	if !t.isSecret() {
		out["changes"] = plainChanges(t.changes())
	}
	for _, entry := range t.live.GetManagedFields() {
		if entry.Manager == kube.FieldOwner && entry.Operation == metav1.ManagedFieldsOperationApply {
			out["applied"] = true // by an earlier step, whose fields stay owned
		}
	}
	return out
}

// restore takes the fields of an object back to what a record says. The fields that
// nobody else owned before are nobody's again, so that their owners can apply them
// without a conflict.
func (p place) restore(ctx context.Context, env action.Env, record map[string]any) error {
	changes, err := changesOf(record["changes"])
	if err != nil {
		return lost(p.id, err)
	}
	for try := 1; ; try++ {
		live, err := p.get(ctx)
		switch {
		case err != nil:
			return err
		case live == nil:
			return notOurs(p.id, "it is no longer there")
		case string(live.GetUID()) != record["uid"]:
			return notOurs(p.id, "it was deleted, and another one has its name")
		}
		count, err := takeBack(live.Object, changes)
		if err != nil {
			return notOurs(p.id, err.Error())
		}
		if unmark(live, env.Key) || count > 0 {
			disown(live, record["applied"] != true)
			err = p.update(ctx, live)
		}
		if err == nil {
			err = p.release(ctx, record["applied"] != true)
		}
		if err == nil || !apierrors.IsConflict(err) || try == maxTries {
			return err
		}
	}
}

// update writes an object; the resourceVersion in it lets nobody's change be lost.
func (p place) update(ctx context.Context, object *unstructured.Unstructured) error {
	_, err := p.client.Update(ctx, object, metav1.UpdateOptions{FieldManager: kube.FieldOwner})
	if err != nil {
		return failed(ctx, "bring back "+p.id.String(), err, action.ExtentUnknown)
	}
	return nil
}

// release gives up the fields of an object that Refit owns by having changed them,
// and those that it has applied if applied says so.
func (p place) release(ctx context.Context, applied bool) error {
	live, err := p.get(ctx)
	if err != nil || live == nil || !disown(live, applied) {
		return err
	}
	return p.update(ctx, live)
}

// disown takes Refit out of the managers of an object and tells whether it was one.
func disown(object *unstructured.Unstructured, applied bool) bool {
	var kept []metav1.ManagedFieldsEntry
	all := object.GetManagedFields()
	for _, entry := range all {
		ours := entry.Manager == kube.FieldOwner &&
			(applied || entry.Operation == metav1.ManagedFieldsOperationUpdate)
		if !ours {
			kept = append(kept, entry)
		}
	}
	if len(kept) == len(all) {
		return false
	}
	if len(kept) == 0 {
		kept = []metav1.ManagedFieldsEntry{{}} // what the server takes for none at all
	}
	object.SetManagedFields(kept)
	return true
}

// unmark removes the mark of a step and tells whether it was there.
func unmark(object *unstructured.Unstructured, key string) bool {
	annotations := object.GetAnnotations()
	if mark, there := annotations[kube.KeyAnnotation]; !there || mark != key {
		return false
	}
	delete(annotations, kube.KeyAnnotation)
	if len(annotations) == 0 {
		annotations = nil
	}
	object.SetAnnotations(annotations)
	return true
}

func lost(i id, err error) error {
	return &action.Error{
		Reason: reasonBeforeLost, Effect: action.ExtentNone, Remedy: "bring it back from elsewhere",
		Err: fmt.Errorf("bring back %s: %w", i, err),
	}
}

// keptKey is where the copy of a Secret holds it.
const keptKey = "object"

// keptName is the name of the copy of a Secret that a step keeps beside it.
func keptName(env action.Env, i id) string {
	return "refit-before-" + kube.LabelValue(env.Key+" "+i.key())
}

// keep makes a copy of a Secret, as another Secret beside it: what a Secret holds goes
// nowhere else.
func (p place) keep(ctx context.Context, env action.Env, live *unstructured.Unstructured) error {
	text, err := json.Marshal(content(live))
	if err != nil {
		return lost(p.id, err)
	}
	kept := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": kindSecret, "type": "Opaque",
		"metadata": map[string]any{
			"name": keptName(env, p.id), "namespace": p.id.namespace,
			"labels":      map[string]any{kube.StepLabel: kube.LabelValue(env.Key)},
			"annotations": map[string]any{kube.KeyAnnotation: env.Key},
		},
		"data": map[string]any{keptKey: base64.StdEncoding.EncodeToString(text)},
	}}
	_, err = p.client.Apply(ctx, kept.GetName(), kept, metav1.ApplyOptions{FieldManager: kube.FieldOwner, Force: true})
	if err != nil {
		// Whatever became of the copy, the Secret itself is as before.
		err = failed(ctx, "keep a copy of "+p.id.String(), err, action.ExtentNone)
		return action.WithExtent(err, action.ExtentNone)
	}
	return nil
}

// kept reads the copy of a Secret, nil when there is none.
func (p place) kept(ctx context.Context, env action.Env) (map[string]any, error) {
	copied, err := place{cluster: p.cluster, client: p.client, id: p.keptID(env)}.get(ctx)
	if err != nil || copied == nil {
		return nil, err
	}
	encoded, _, err := unstructured.NestedString(copied.Object, "data", keptKey)
	if err != nil {
		return nil, lost(p.id, errors.New("its copy cannot be read"))
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, lost(p.id, errors.New("its copy cannot be read"))
	}
	plain, err := action.ParseJSON(text)
	was, ok := plain.(map[string]any)
	if err != nil || !ok {
		return nil, lost(p.id, errors.New("its copy cannot be read"))
	}
	return was, nil
}

func (p place) keptID(env action.Env) id {
	i := p.id
	i.name = keptName(env, p.id)
	return i
}

// restoreSecret brings a Secret back from its copy, and removes the copy. ours tells
// whether it still is what the step has made of it.
func (p place) restoreSecret(ctx context.Context, env action.Env, t trial, record map[string]any) error {
	was, err := p.kept(ctx, env)
	if err != nil {
		return err
	}
	switch {
	case t.live == nil:
		return notOurs(p.id, "it is no longer there")
	case string(t.live.GetUID()) != record["uid"]:
		return notOurs(p.id, "it was deleted, and another one has its name")
	case was == nil && !t.unchanged():
		return nil // nothing was changed: the copy is made before that
	case was == nil:
		return lost(p.id, fmt.Errorf("its copy %s is gone", keptName(env, p.id)))
	case len(differences(content(t.live), was)) == 0: // it was brought back before
	case !t.unchanged():
		return notOurs(p.id, "it was changed by somebody else")
	default:
		if err := p.replaceSecret(ctx, t.live, was, record["applied"] != true); err != nil {
			return err
		}
	}
	err = p.client.Delete(ctx, keptName(env, p.id), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return failed(ctx, "delete the copy of "+p.id.String(), err, action.ExtentPartial)
	}
	return nil
}

func (p place) replaceSecret(
	ctx context.Context, live *unstructured.Unstructured, was map[string]any, applied bool,
) error {
	metadata := live.Object["metadata"]
	back := &unstructured.Unstructured{Object: normal(was)}
	labels, annotations := back.GetLabels(), back.GetAnnotations()
	back.Object["metadata"] = metadata
	back.SetLabels(labels)
	back.SetAnnotations(annotations)
	disown(back, applied)
	if err := p.update(ctx, back); err != nil {
		return err
	}
	return p.release(ctx, applied)
}
