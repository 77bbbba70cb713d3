package kube_test

import (
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// TestClusterLock has two runs that want one cluster.
func TestClusterLock(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	shift := time.Duration(0)
	lock := kube.Lock{
		Cluster: space.Cluster, Namespace: space.Name, Look: time.Second,
		Now: func() time.Time { return time.Now().Add(shift) },
	}
	ada := action.Holder{Run: "hub-1", Origin: "one", By: "ada@laptop", Host: "laptop"}
	bob := action.Holder{Run: "hub-1", Origin: "two", By: "bob@desk", Host: "desk"}
	leases := space.Cluster.Typed.CoordinationV1().Leases(space.Name)
	get := func() *coordinationv1.Lease {
		t.Helper()
		found, err := leases.Get(t.Context(), kube.LockName, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := func(err error) {
		t.Helper()
		if action.ReasonOf(err) != action.ReasonTargetLocked || !strings.Contains(err.Error(), `run "hub-1" of ada@laptop on laptop`) {
			t.Fatalf("got %v", err)
		}
	}
	must(lock.Take(t.Context(), ada))
	if text := *get().Spec.HolderIdentity; text != "run hub-1 of ada@laptop on laptop" {
		t.Errorf("the lease is held by %q", text)
	}
	// A live lock of another run is refused, by its name, and not given back by it.
	refused(lock.Take(t.Context(), bob))
	must(lock.GiveBack(t.Context(), bob))
	refused(lock.Renew(t.Context(), bob))
	// The run itself takes it again, as after a crash, and renews it.
	taken := get().Spec.AcquireTime
	must(lock.Take(t.Context(), ada))
	must(lock.Renew(t.Context(), ada))
	if again := get(); !again.Spec.AcquireTime.Equal(taken) || !again.Spec.RenewTime.After(taken.Time) {
		t.Errorf("it was taken at %s, and again at %s", taken, again.Spec.AcquireTime)
	}
	// One that has run out by a clock, but is renewed, is not taken over.
	shift = time.Hour
	renewing := make(chan error, 1)
	go func() {
		time.Sleep(300 * time.Millisecond)
		other := lock
		other.Now = time.Now
		renewing <- other.Renew(t.Context(), ada)
	}()
	refused(lock.Take(t.Context(), bob))
	must(<-renewing)
	// One that nobody renews is, and then its old holder has lost it.
	must(lock.Take(t.Context(), bob))
	if n := get().Spec.LeaseTransitions; n == nil || *n != 1 {
		t.Errorf("it changed hands %v times", n)
	}
	if err := lock.Renew(t.Context(), ada); action.ReasonOf(err) != action.ReasonTargetLocked {
		t.Errorf("a lock that was lost is renewed: %v", err)
	}
	// One that somebody removed is made again by who renews it.
	must(leases.Delete(t.Context(), kube.LockName, metav1.DeleteOptions{}))
	must(lock.Renew(t.Context(), bob))
	must(lock.GiveBack(t.Context(), bob))
	must(lock.GiveBack(t.Context(), bob))
	if _, err := leases.Get(t.Context(), kube.LockName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the lease is still there: %v", err)
	}
}

func TestClusterLockWithoutNamespace(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	lock := kube.Lock{Cluster: space.Cluster, Namespace: space.Name + "-none", Now: time.Now}
	err := lock.Take(t.Context(), action.Holder{Run: "hub-1"})
	if action.ReasonOf(err) != kube.ReasonNotFound || !strings.Contains(err.Error(), space.Name+"-none") {
		t.Errorf("got %v", err)
	}
}
