package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

const reasonCannotChange = "CannotChange"

// endingWait is how long a restore waits for an object of the same name that is being
// deleted.
const endingWait = 2 * time.Minute

// schemaKind returns a kind as the libraries name it.
func schemaKind(k NamespacedKind) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(k.APIVersion, k.Kind)
}

// untouched tells of kinds of which what is there is never changed: a claim is data, and
// a pod cannot be changed without ending it.
func (s saved) untouched() bool {
	kind := s.groupKind()
	return kind == schema.GroupKind{Kind: "PersistentVolumeClaim"} || kind == schema.GroupKind{Kind: "Pod"}
}

// replaceable tells of kinds that can be deleted and made again without anything ending
// or being lost: what uses them holds a copy, or asks again.
func (s saved) replaceable() bool {
	switch s.groupKind() {
	case schema.GroupKind{Kind: "ConfigMap"}, schema.GroupKind{Kind: kindSecret},
		schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:
		return true
	}
	return false
}

// owners returns the owners that an object shall have: those that are there, by the UIDs
// that they have now. With one that is gone, the cluster would delete the object.
func (r *restoring) owners(ctx context.Context, s saved) ([]metav1.OwnerReference, error) {
	var found []metav1.OwnerReference
	for _, owner := range s.Owners {
		uid, err := r.uidOf(ctx, owner)
		if err != nil {
			return nil, err
		}
		if uid != "" {
			owner.UID = uid
			found = append(found, owner)
		}
	}
	return found, nil
}

// uidOf returns the UID that an owner has now, "" when it is not there.
func (r *restoring) uidOf(ctx context.Context, owner metav1.OwnerReference) (types.UID, error) {
	i := id{owner.APIVersion, owner.Kind, r.namespace, owner.Name}
	if live := r.live[i.key()]; live != nil {
		return live.GetUID(), nil
	}
	mapping, err := r.cluster.Resource(schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind))
	if action.ReasonOf(err) == kube.ReasonNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	live, err := listOf(r.cluster, mapping, r.namespace).at(owner.Name).get(ctx)
	if live == nil || err != nil {
		return "", err
	}
	return live.GetUID(), nil
}

// next returns live as it shall be, and whether it differs in that from what it is.
func (r *restoring) next(
	ctx context.Context, s saved, live *unstructured.Unstructured,
) (next *unstructured.Unstructured, differs bool, err error) {
	owners, err := r.owners(ctx, s)
	if err != nil {
		return nil, false, err
	}
	next = onto(live, s.Object)
	next.SetOwnerReferences(owners)
	same := action.Equal(cleaned(live), s.Object) &&
		slices.EqualFunc(live.GetOwnerReferences(), owners, func(a, b metav1.OwnerReference) bool {
			return a.UID == b.UID
		})
	return next, !same, nil
}

// asSaved tells whether an object is as it was saved. What a newer server, or a webhook,
// adds to what was saved is no difference: the server is asked in a dry run.
func (r *restoring) asSaved(ctx context.Context, s saved, live *unstructured.Unstructured) (bool, error) {
	if live == nil || live.GetDeletionTimestamp() != nil {
		return false, nil
	}
	if s.untouched() {
		return true, nil
	}
	if ours(live) {
		return false, nil
	}
	next, differs, err := r.next(ctx, s, live)
	if err != nil || !differs {
		return err == nil, err
	}
	p, err := r.place(s)
	if err != nil {
		return false, err
	}
	would, err := p.client.Update(ctx, next, dryUpdate())
	if err != nil {
		return false, s.refused(ctx, "try to change", err, action.ExtentNone)
	}
	return action.Equal(content(live), content(would)), nil
}

// bring makes one object what was saved. It tells whether it has changed something, or
// may have.
func (r *restoring) bring(ctx context.Context, s saved) (changed bool, err error) {
	p, err := r.place(s)
	if err != nil {
		return false, err
	}
	live := r.live[s.id.key()]
	for try := 1; ; try++ {
		same, err := r.asSaved(ctx, s, live)
		if !r.mayReplace(s, err) {
			err = s.immutable(err)
		}
		switch {
		case same:
			return changed, nil
		case err == nil || r.mayReplace(s, err):
			err = r.step(ctx, p, s, live, err)
			changed = changed || happened(err)
		}
		if err == nil {
			return changed, r.settle(ctx, p, s)
		}
		if !isRaced(err) || try == maxTries {
			return changed, err
		}
		if live, err = p.get(ctx); err != nil {
			return changed, err
		}
	}
}

// happened tells whether what ended with err has changed something, or may have.
func happened(err error) bool {
	failure, ok := errors.AsType[*action.Error](err)
	return err == nil || !ok || failure.Effect != action.ExtentNone
}

// isRaced tells that somebody else was faster.
func isRaced(err error) bool { return action.ReasonOf(err) == kube.ReasonConflict }

// mayReplace tells whether an object that cannot be changed is made again.
func (r *restoring) mayReplace(s saved, err error) bool {
	return s.replaceable() && action.ReasonOf(err) == kube.ReasonInvalid
}

// immutable says what to do about an object that cannot be changed to what was saved.
func (s saved) immutable(err error) error {
	if action.ReasonOf(err) != kube.ReasonInvalid {
		return err
	}
	return &action.Error{
		Reason: reasonCannotChange, Effect: action.ExtentNone,
		Remedy: "delete it when nobody needs it, then refit retry: it is made as it was saved",
		Err:    fmt.Errorf("restore %s: it is there, and cannot be changed to what was saved: %w", s.id, err),
	}
}

// step makes, changes or replaces the object; refusal is why it cannot be changed.
func (r *restoring) step(
	ctx context.Context, p place, s saved, live *unstructured.Unstructured, refusal error,
) error {
	switch {
	case live == nil:
		return r.create(ctx, p, s)
	case live.GetDeletionTimestamp() != nil:
		if err := p.waitGone(ctx, live.GetUID(), endingWait); err != nil {
			return err
		}
		return r.create(ctx, p, s)
	case refusal != nil:
		return r.replace(ctx, p, s, live)
	}
	next, differs, err := r.next(ctx, s, live)
	if err != nil || !differs {
		return err // only its fields have to be given back
	}
	if err := r.before("change " + s.id.String()); err != nil {
		return err
	}
	_, err = p.client.Update(ctx, next, metav1.UpdateOptions{FieldManager: kube.FieldOwner})
	if err != nil {
		return s.refused(ctx, "change", err, action.ExtentUnknown)
	}
	r.tellf("%s was changed to what was saved\n", s.id)
	return nil
}

func (r *restoring) tellf(format string, args ...any) {
	_, _ = fmt.Fprintf(r.env.LogWriter(), format, args...) // whoever reads it or not
}

// create makes an object that is not there.
func (r *restoring) create(ctx context.Context, p place, s saved) error {
	body := s.body()
	owners, err := r.owners(ctx, s)
	if err != nil {
		return err
	}
	body.SetOwnerReferences(owners)
	if isClaim(body) && s.Volume != "" && r.namespace == r.head.Namespace {
		if err := r.bind(ctx, s, body); err != nil {
			return err
		}
	}
	if err := r.before("make " + s.id.String()); err != nil {
		return err
	}
	if _, err = p.client.Create(ctx, body, metav1.CreateOptions{FieldManager: kube.FieldOwner}); err != nil {
		return s.refused(ctx, "make", err, action.ExtentUnknown)
	}
	r.tellf("%s was made\n", s.id)
	return nil
}

// replace deletes an object and makes it again. Before, the server has to accept what is
// made, under a name that nobody has.
func (r *restoring) replace(ctx context.Context, p place, s saved, live *unstructured.Unstructured) error {
	trial := s.body()
	trial.SetName("refit-try-" + kube.LabelValue(s.id.key()))
	if _, err := p.client.Create(ctx, trial, dryCreate()); err != nil {
		return s.refused(ctx, "try to make", err, action.ExtentNone)
	}
	if err := r.before("delete " + s.id.String()); err != nil {
		return err
	}
	if err := p.remove(ctx, live.GetUID(), metav1.DeletePropagationBackground); err != nil {
		return err
	}
	if err := p.waitGone(ctx, live.GetUID(), endingWait); err != nil {
		return err
	}
	return action.WithExtent(r.create(ctx, p, s), action.ExtentPartial)
}

// settle gives the fields of an object back to those who owned them when it was saved,
// so that their tools go on with it, and remembers what is there now.
func (r *restoring) settle(ctx context.Context, p place, s saved) error {
	for try := 1; ; try++ {
		live, err := p.get(ctx)
		if err != nil || live == nil {
			return err
		}
		r.live[s.id.key()] = live
		if !ours(live) {
			return nil
		}
		if err := r.before("give back the fields of " + s.id.String()); err != nil {
			return err
		}
		live.SetManagedFields(s.ownersNow(live))
		is, err := p.client.Update(ctx, live, metav1.UpdateOptions{FieldManager: kube.FieldOwner})
		if err == nil {
			r.live[s.id.key()] = is
			return nil
		}
		if !apierrors.IsConflict(err) || try == maxTries {
			return s.refused(ctx, "give back the fields of", err, action.ExtentPartial)
		}
	}
}

// ownersNow returns who shall own the fields of live: those of the backup, and those who
// own parts of it that are not restored.
func (s saved) ownersNow(live *unstructured.Unstructured) []metav1.ManagedFieldsEntry {
	kept := slices.Clone(s.Fields)
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource != "" && !isOurs(entry) {
			kept = append(kept, entry)
		}
	}
	if len(kept) == 0 {
		kept = []metav1.ManagedFieldsEntry{{}} // what the server takes for none at all
	}
	return kept
}

// bind lets a claim that is made again have the volume that it had, if that is still
// there and of nobody else: kept by its policy, and released by the claim that was saved.
// Without one the claim gets a new volume, which is empty.
func (r *restoring) bind(ctx context.Context, s saved, body *unstructured.Unstructured) error {
	volumes := r.cluster.Typed.CoreV1().PersistentVolumes()
	volume, err := volumes.Get(ctx, s.Volume, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return failed(ctx, "read volume "+s.Volume, err, action.ExtentNone)
	}
	claim := volume.Spec.ClaimRef
	kept := volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRetain
	if volume.DeletionTimestamp != nil || !kept || claim == nil ||
		claim.Namespace != r.namespace || claim.Name != s.id.name ||
		claim.UID != s.UID && claim.UID != "" {
		r.tellf("%s gets a new volume: %s is kept for somebody else, or goes\n", s.id, s.Volume)
		return nil
	}
	if claim.UID != "" {
		if err := r.before("release volume " + s.Volume); err != nil {
			return err
		}
		// The name stays: until the claim is made, nobody else gets the volume.
		claim.UID, claim.ResourceVersion = "", ""
		if _, err := volumes.Update(ctx, volume, metav1.UpdateOptions{FieldManager: kube.FieldOwner}); err != nil {
			return failed(ctx, "release volume "+s.Volume, err, action.ExtentUnknown)
		}
	}
	return unstructured.SetNestedField(body.Object, s.Volume, "spec", "volumeName")
}
