package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// kindRights are verbs for objects of kinds in a namespace, "" for all of them.
func kindRights(kinds []*meta.RESTMapping, namespace string, verbs ...string) []action.Access {
	var list []action.Access
	for _, m := range kinds {
		list = append(list, action.Access{
			Group: m.Resource.Group, Resource: m.Resource.Resource, Namespace: namespace, Verbs: verbs,
		})
	}
	return list
}

// identityRight is what telling the cluster from others takes.
func identityRight() action.Access {
	return action.Access{Resource: "namespaces", Names: []string{"kube-system"}, Verbs: []string{"get"}}
}

// roleRights permit to hand out rights that the account of Refit need not have itself,
// where roles are among the kinds.
func roleRights(kinds []*meta.RESTMapping, namespace string) []action.Access {
	const group = "rbac.authorization.k8s.io"
	for _, m := range kinds {
		if m.Resource.Group == group {
			return []action.Access{
				{Group: group, Resource: "roles", Namespace: namespace, Verbs: []string{"escalate", "bind"}},
				{Group: group, Resource: "clusterroles", Verbs: []string{"bind"}},
			}
		}
	}
	return nil
}

func (w World) accessBackup(ctx context.Context, env action.Env, in BackupInput) ([]action.Access, error) {
	cluster, err := w.Kube.Connect(env)
	if err != nil {
		return nil, err
	}
	kinds, err := in.selection().kindsOf(ctx, cluster)
	if err != nil {
		return nil, err
	}
	list := append(kindRights(kinds, in.Namespace, "list"), identityRight(),
		action.Access{Resource: "namespaces", Names: []string{in.Namespace}, Verbs: []string{"get"}})
	for _, m := range kinds {
		if m.Resource.Resource == "endpoints" {
			list = append(list, action.Access{Resource: "services", Namespace: in.Namespace, Verbs: []string{"list"}})
		}
	}
	if backupLevel(env) >= backup.Restored {
		list = append(list, scratchRights(kinds)...)
	}
	return list, nil
}

// scratchRights are what a proof in a namespace takes that has no name yet.
func scratchRights(kinds []*meta.RESTMapping) []action.Access {
	list := append(kindRights(kinds, "", "create", "get"), roleRights(kinds, "")...)
	return append(list,
		action.Access{Resource: "namespaces", Verbs: []string{"get", "list", "create", "delete"}},
		action.Access{Resource: "serviceaccounts", Verbs: []string{"get", "update"}})
}

func (w World) accessVerify(ctx context.Context, env action.Env, in VerifyInput) ([]action.Access, error) {
	if in.level() < backup.Restored {
		return nil, nil
	}
	kinds, _, err := w.kindsIn(ctx, env, in.Store, in.Backup, nil)
	if err != nil {
		return nil, err
	}
	return scratchRights(kinds), nil
}

func (w World) accessRestore(ctx context.Context, env action.Env, in RestoreInput) ([]action.Access, error) {
	kinds, all, err := w.kindsIn(ctx, env, in.Store, in.Backup, in.Kinds)
	if err != nil {
		return nil, err
	}
	list := append(kindRights(all, in.Namespace, "list"),
		kindRights(kinds, in.Namespace, "get", "list", "create", "update")...)
	list = append(list, roleRights(kinds, in.Namespace)...)
	list = append(list, identityRight(), action.Access{Resource: "namespaces", Verbs: []string{"get", "create"}})
	for _, m := range kinds {
		kind := m.GroupVersionKind.GroupKind()
		s := saved{id: id{apiVersion: m.GroupVersionKind.GroupVersion().String(), kind: kind.Kind}}
		if s.replaceable() {
			list = append(list, kindRights([]*meta.RESTMapping{m}, in.Namespace, "delete")...)
		}
		if kind == (schema.GroupKind{Kind: "PersistentVolumeClaim"}) {
			list = append(list, action.Access{Resource: "persistentvolumes", Verbs: []string{"get", "update"}})
		}
	}
	return list, nil
}

// kindsIn returns the kinds of a backup, and all that may be looked at. Of a backup that
// is not there yet these are those that are named, else all that the cluster has.
func (w World) kindsIn(
	ctx context.Context, env action.Env, address, name string, named []NamespacedKind,
) (kinds, all []*meta.RESTMapping, err error) {
	cluster, err := w.Kube.Connect(env)
	if err != nil {
		return nil, nil, err
	}
	wanted := selection{Kinds: named, Secrets: true}
	if all, err = wanted.kindsOf(ctx, cluster); err != nil {
		return nil, nil, err
	}
	s, err := w.openStore(env, address)
	if err != nil {
		return nil, nil, err
	}
	e, err := s.find(ctx, name)
	if err != nil { // an earlier step makes it
		return all, all, nil //nolint:nilerr // what is not known yet is any kind
	}
	for _, c := range countKinds(e.Manifest.Items) {
		kind := schema.FromAPIVersionAndKind(c.APIVersion, c.Kind)
		if !wanted.takes(kind) {
			continue
		}
		mapping, err := cluster.Resource(kind)
		if action.ReasonOf(err) == kube.ReasonNotFound {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		kinds = append(kinds, mapping)
	}
	return kinds, all, nil
}
