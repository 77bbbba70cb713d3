package target

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// lockNamespace is the key of the namespace of the lock.
const lockNamespace = "lockNamespace"

var (
	_ action.Locker   = kubernetes{}
	_ action.Accessor = kubernetes{}
)

// namespaceOfLock returns the namespace in which the lock of a target is.
func namespaceOfLock(t action.Target) string {
	if namespace, _ := t.Config[lockNamespace].(string); namespace != "" {
		return namespace
	}
	return metav1.NamespaceSystem
}

func (k kubernetes) lock(env action.Env) (kube.Lock, error) {
	cluster, err := k.connector.Connect(env)
	return kube.Lock{Cluster: cluster, Namespace: namespaceOfLock(env.Target), Now: env.Now}, err
}

// Lock implements action.Locker.
func (k kubernetes) Lock(ctx context.Context, env action.Env, h action.Holder) error {
	lock, err := k.lock(env)
	if err != nil {
		return err
	}
	return lock.Take(ctx, h)
}

// Renew implements action.Locker.
func (k kubernetes) Renew(ctx context.Context, env action.Env, h action.Holder) error {
	lock, err := k.lock(env)
	if err != nil {
		return err
	}
	return lock.Renew(ctx, h)
}

// Unlock implements action.Locker.
func (k kubernetes) Unlock(ctx context.Context, env action.Env, h action.Holder) error {
	lock, err := k.lock(env)
	if err != nil {
		return err
	}
	return lock.GiveBack(ctx, h)
}

// Access implements action.Accessor: what the identity and the lock need.
func (kubernetes) Access(_ context.Context, env action.Env, _ map[string]any) ([]action.Access, bool, error) {
	lock := func(names []string, verbs ...string) action.Access {
		return action.Access{
			Group: "coordination.k8s.io", Resource: "leases", Namespace: namespaceOfLock(env.Target),
			Names: names, Verbs: verbs,
		}
	}
	return []action.Access{
		{Resource: "namespaces", Names: []string{metav1.NamespaceSystem}, Verbs: []string{"get"}},
		lock(nil, "create"), // The name of what is created is not known to RBAC.
		lock([]string{kube.LockName}, "get", "update", "delete"),
	}, true, nil
}
