package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/wait"
)

// LockName is the name of the Lease that the run holds which changes a cluster.
const LockName = "refit"

// The annotations of the Lease: who holds it.
const (
	lockRun    = "refit.dev/run"
	lockOrigin = "refit.dev/origin"
	lockBy     = "refit.dev/by"
	lockHost   = "refit.dev/host"
)

// lockLook is for how long a lock of another run is looked at that should be renewed:
// longer than its holder leaves it.
const lockLook = action.LockEvery + action.LockEvery/2

// Lock is the lock of a cluster: a Lease in a namespace.
type Lock struct {
	Cluster   *Cluster
	Namespace string
	// Now gives the time; others' clocks are not believed.
	Now func() time.Time
	// Look is for how long a lock that seems to have run out is looked at; 0 for
	// what is usual.
	Look time.Duration
}

func (l Lock) leases() coordination.LeaseInterface {
	return l.Cluster.Typed.CoordinationV1().Leases(l.Namespace)
}

// Take takes the lock. One of another run that has run out by our clock is looked at
// for a while first: clocks may differ, a holder that renews it lives.
func (l Lock) Take(ctx context.Context, h action.Holder) error {
	const tries = 3 // Somebody else may take it or give it back meanwhile.
	var err error
	for range tries {
		err = l.try(ctx, h)
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			break
		}
		if status := apierrors.APIStatus(nil); errors.As(err, &status) && missingNamespace(status) {
			break
		}
	}
	if err == nil {
		return nil
	}
	return Failure(fmt.Sprintf("take the lock %s/%s of %s", l.Namespace, LockName, l.Cluster.Name), err,
		action.ExtentUnknown)
}

// missingNamespace tells whether it is the namespace that is not there.
func missingNamespace(s apierrors.APIStatus) bool {
	return s.Status().Details != nil && s.Status().Details.Kind == "namespaces"
}

func (l Lock) try(ctx context.Context, h action.Holder) error {
	found, err := l.leases().Get(ctx, LockName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = l.leases().Create(ctx, l.lease(h), metav1.CreateOptions{FieldManager: FieldOwner})
		return err
	case err != nil:
		return err
	case !holderOf(found).Same(h):
		if err := l.runOut(ctx, found); err != nil {
			return err
		}
	}
	return l.update(ctx, found, h)
}

// update writes the holder into a Lease, unless somebody has changed it meanwhile.
func (l Lock) update(ctx context.Context, found *coordinationv1.Lease, h action.Holder) error {
	mine := l.lease(h)
	next := found.DeepCopy()
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	maps.Copy(next.Annotations, mine.Annotations)
	if same := holderOf(found).Same(h); same && found.Spec.AcquireTime != nil {
		mine.Spec.AcquireTime = found.Spec.AcquireTime
	}
	transitions := int32(0)
	if found.Spec.LeaseTransitions != nil {
		transitions = *found.Spec.LeaseTransitions
	}
	if !holderOf(found).Same(h) {
		transitions++
	}
	mine.Spec.LeaseTransitions = &transitions
	next.Spec = mine.Spec
	_, err := l.leases().Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldOwner})
	return err
}

// runOut makes sure that the holder of a Lease is gone; the error says who holds it.
func (l Lock) runOut(ctx context.Context, found *coordinationv1.Lease) error {
	now := l.Now()
	if renewed := renewTime(found); !renewed.After(now) && now.Before(renewed.Add(action.LockTime)) {
		return l.locked(found)
	}
	look := l.Look
	if look == 0 {
		look = lockLook
	}
	if err := wait.For(ctx, look); err != nil {
		return err
	}
	after, err := l.leases().Get(ctx, LockName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if after.ResourceVersion != found.ResourceVersion {
		if holderOf(after).Run == "" {
			return apierrors.NewConflict(coordinationv1.Resource("leases"), LockName, errors.New("it was given back"))
		}
		return l.locked(after)
	}
	return nil
}

// locked says who holds the lock, and since when.
func (l Lock) locked(found *coordinationv1.Lease) error {
	h, now := holderOf(found), l.Now()
	who := fmt.Sprintf("run %q", h.Run)
	if h.Run == "" {
		who = fmt.Sprintf("%q", holderText(found))
	}
	if h.By != "" {
		who += " of " + h.By
	}
	if h.Host != "" {
		who += " on " + h.Host
	}
	since := ""
	if found.Spec.AcquireTime != nil {
		since = " for " + age(now.Sub(found.Spec.AcquireTime.Time))
	}
	return &action.Error{
		Reason: action.ReasonTargetLocked, Retryable: true, Effect: action.ExtentNone,
		Remedy: "let that run end or stop whoever drives it; a lock runs out by itself",
		Err: fmt.Errorf("%s is held by %s%s, and was renewed %s ago (lease %s/%s)",
			l.Cluster.Name, who, since, age(now.Sub(renewTime(found))), l.Namespace, LockName),
	}
}

func age(d time.Duration) string { return max(d, 0).Round(time.Second).String() }

// Renew says that the holder is still there.
func (l Lock) Renew(ctx context.Context, h action.Holder) error {
	doing := fmt.Sprintf("renew the lock %s/%s of %s", l.Namespace, LockName, l.Cluster.Name)
	found, err := l.leases().Get(ctx, LockName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = l.leases().Create(ctx, l.lease(h), metav1.CreateOptions{FieldManager: FieldOwner})
	case err == nil && !holderOf(found).Same(h):
		return l.locked(found)
	case err == nil:
		err = l.update(ctx, found, h)
	}
	if err != nil {
		return Failure(doing, err, action.ExtentUnknown)
	}
	return nil
}

// GiveBack removes the lock, if it is the holder's.
func (l Lock) GiveBack(ctx context.Context, h action.Holder) error {
	doing := fmt.Sprintf("give back the lock %s/%s of %s", l.Namespace, LockName, l.Cluster.Name)
	found, err := l.leases().Get(ctx, LockName, metav1.GetOptions{})
	if err == nil && holderOf(found).Same(h) {
		err = l.leases().Delete(ctx, LockName, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{
			UID: &found.UID, ResourceVersion: &found.ResourceVersion,
		}})
	}
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return Failure(doing, err, action.ExtentUnknown)
	}
	return nil
}

// lease is the Lease of a holder that takes it now.
func (l Lock) lease(h action.Holder) *coordinationv1.Lease {
	now := metav1.NewMicroTime(l.Now())
	seconds, holder := int32(action.LockTime/time.Second), fmt.Sprintf("run %s of %s on %s", h.Run, h.By, h.Host)
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Name: LockName, Namespace: l.Namespace,
			Annotations: map[string]string{lockRun: h.Run, lockOrigin: h.Origin, lockBy: h.By, lockHost: h.Host},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: &holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now,
		},
	}
}

func holderOf(found *coordinationv1.Lease) action.Holder {
	a := found.Annotations
	return action.Holder{Run: a[lockRun], Origin: a[lockOrigin], By: a[lockBy], Host: a[lockHost]}
}

func holderText(found *coordinationv1.Lease) string {
	if found.Spec.HolderIdentity == nil {
		return ""
	}
	return *found.Spec.HolderIdentity
}

func renewTime(found *coordinationv1.Lease) time.Time {
	if found.Spec.RenewTime == nil {
		return time.Time{}
	}
	return found.Spec.RenewTime.Time
}
