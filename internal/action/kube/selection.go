package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// secretsSkip leaves Secrets out of a backup.
const secretsSkip = "skip"

// selection says which objects of a namespace are saved. It stands in the backup: what
// it would not have saved is not missing there.
type selection struct {
	Kinds    []NamespacedKind `json:"kinds,omitempty"`
	Selector string           `json:"selector,omitempty"`
	Secrets  bool             `json:"secrets"`
}

func (in BackupInput) selection() selection {
	return selection{Kinds: in.Kinds, Selector: in.Selector, Secrets: in.Secrets != secretsSkip}
}

// holdsSecrets tells whether Secrets are among what is saved.
func (s selection) holdsSecrets() bool {
	return s.Secrets && (len(s.Kinds) == 0 || slices.ContainsFunc(s.Kinds, func(k NamespacedKind) bool {
		return k.Kind == kindSecret && !strings.Contains(k.APIVersion, "/")
	}))
}

// takes tells whether objects of a kind are meant, whatever version they are served in.
func (s selection) takes(kind schema.GroupVersionKind) bool {
	if !s.Secrets && kind.Group == "" && kind.Kind == kindSecret {
		return false
	}
	return len(s.Kinds) == 0 || slices.ContainsFunc(s.Kinds, func(k NamespacedKind) bool {
		return schema.FromAPIVersionAndKind(k.APIVersion, k.Kind).GroupKind() == kind.GroupKind()
	})
}

// madeByCluster are the kinds that nobody but the cluster itself makes: what passed by,
// what nodes and drivers report, who holds a lock at the moment, and what controllers
// keep to go back to.
func madeByCluster(resource schema.GroupResource) bool {
	switch resource.Group + "/" + resource.Resource {
	case "/events", "events.k8s.io/events", "coordination.k8s.io/leases", "apps/controllerrevisions",
		"storage.k8s.io/csistoragecapacities":
		return true
	}
	return measuring(resource.Group)
}

// measuring tells of groups that hold numbers of the moment and no objects.
func measuring(group string) bool {
	return group == "metrics.k8s.io" || strings.HasSuffix(group, ".metrics.k8s.io")
}

// kindsOf returns the kinds of a selection that the cluster has, in the order in which
// their objects are restored. A kind that was named and is not there is an error.
func (s selection) kindsOf(ctx context.Context, cluster *kube.Cluster) ([]*meta.RESTMapping, error) {
	if err := ctx.Err(); err != nil {
		return nil, failed(ctx, "ask "+cluster.Name+" what kinds it has", err, action.ExtentNone)
	}
	if len(s.Kinds) > 0 {
		return s.namedKinds(cluster)
	}
	cluster.Mapper.Reset() // an earlier step may have made a kind
	lists, err := discovery.ServerPreferredNamespacedResources(cluster.Discovery)
	if err = withoutMeasuring(err); err != nil {
		return nil, failed(ctx, "ask "+cluster.Name+" what kinds it has", err, action.ExtentNone)
	}
	var found []*meta.RESTMapping
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for i := range list.APIResources {
			r := &list.APIResources[i]
			kind, resource := version.WithKind(r.Kind), version.WithResource(r.Name)
			kept := slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "create")
			if !kept || madeByCluster(resource.GroupResource()) || !s.takes(kind) {
				continue
			}
			found = append(found, &meta.RESTMapping{
				Resource: resource, GroupVersionKind: kind, Scope: meta.RESTScopeNamespace,
			})
		}
	}
	return inOrder(found), nil
}

// withoutMeasuring forgets that groups do not answer of which nothing is saved.
func withoutMeasuring(err error) error {
	groups, ok := errors.AsType[*discovery.ErrGroupDiscoveryFailed](err)
	if !ok {
		return err
	}
	for version := range groups.Groups {
		if !measuring(version.Group) {
			return err
		}
	}
	return nil
}

func (s selection) namedKinds(cluster *kube.Cluster) ([]*meta.RESTMapping, error) {
	var found []*meta.RESTMapping
	for _, k := range s.Kinds {
		kind := schema.FromAPIVersionAndKind(k.APIVersion, k.Kind)
		if !s.takes(kind) {
			continue
		}
		mapping, err := cluster.Resource(kind)
		if err != nil {
			return nil, err
		}
		if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
			return nil, &action.Error{
				Reason: action.ReasonInvalidInput, Effect: action.ExtentNone,
				Err: fmt.Errorf("field \"kinds\": objects of the kind %s stand in no namespace", k.Kind),
			}
		}
		same := func(m *meta.RESTMapping) bool { return m.Resource == mapping.Resource }
		if !slices.ContainsFunc(found, same) {
			found = append(found, mapping)
		}
	}
	return inOrder(found), nil
}

// inOrder sorts kinds by the order in which their objects are restored.
func inOrder(kinds []*meta.RESTMapping) []*meta.RESTMapping {
	slices.SortStableFunc(kinds, func(a, b *meta.RESTMapping) int {
		return cmp.Or(
			cmp.Compare(rankOf(a.GroupVersionKind.GroupKind()), rankOf(b.GroupVersionKind.GroupKind())),
			strings.Compare(a.Resource.Group, b.Resource.Group),
			strings.Compare(a.Resource.Resource, b.Resource.Resource),
		)
	})
	return kinds
}

// ranks are the kinds whose order matters: what pods need before what makes pods, and
// what brings traffic to them after. Kinds that are not in it, such as those of
// operators, come before the first workload. Quotas are last: until the server has
// counted, they refuse everything.
func ranks() []schema.GroupKind {
	return []schema.GroupKind{
		{Kind: "ServiceAccount"},
		{Kind: kindSecret},
		{Kind: "ConfigMap"},
		{Group: "rbac.authorization.k8s.io", Kind: "Role"},
		{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"},
		{Kind: "LimitRange"},
		{Group: "networking.k8s.io", Kind: "NetworkPolicy"},
		{Group: "policy", Kind: "PodDisruptionBudget"},
		{Kind: "PersistentVolumeClaim"},
		{Kind: "Service"},
		{Kind: "Endpoints"},
		{Group: "discovery.k8s.io", Kind: "EndpointSlice"},
		{}, // all others
		{Kind: "PodTemplate"},
		{Kind: "Pod"},
		{Kind: "ReplicationController"},
		{Group: "apps", Kind: "ReplicaSet"},
		{Group: "apps", Kind: "StatefulSet"},
		{Group: "apps", Kind: "Deployment"},
		{Group: "apps", Kind: "DaemonSet"},
		{Group: "batch", Kind: "Job"},
		{Group: "batch", Kind: "CronJob"},
		{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"},
		{Group: "networking.k8s.io", Kind: "Ingress"},
		{Kind: "ResourceQuota"},
	}
}

func rankOf(kind schema.GroupKind) int {
	all := ranks()
	if at := slices.Index(all, kind); at >= 0 {
		return at
	}
	return slices.Index(all, schema.GroupKind{})
}

// onlyData tells of kinds that do nothing by being there.
func onlyData(kind schema.GroupKind) bool {
	switch kind.Group + "/" + kind.Kind {
	case "/ConfigMap", "/Secret", "/ServiceAccount", "/ResourceQuota", "/LimitRange",
		"rbac.authorization.k8s.io/Role", "rbac.authorization.k8s.io/RoleBinding",
		"networking.k8s.io/NetworkPolicy", "policy/PodDisruptionBudget":
		return true
	}
	return false
}

// listOf returns the place where the objects of a kind in a namespace are asked for.
func listOf(cluster *kube.Cluster, mapping *meta.RESTMapping, namespace string) place {
	version, kind := mapping.GroupVersionKind.ToAPIVersionAndKind()
	return place{
		cluster: cluster, mapping: mapping, client: cluster.For(mapping, namespace),
		id: id{version, kind, namespace, ""},
	}
}

// at returns the place of one object of a list.
func (p place) at(name string) place {
	p.id.name = name
	return p
}

// hasSelector are the Services whose endpoints the cluster itself keeps.
func hasSelector(ctx context.Context, cluster *kube.Cluster, namespace string) (map[string]bool, error) {
	list, err := cluster.Typed.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, failed(ctx, "list services in namespace "+namespace, err, action.ExtentNone)
	}
	found := map[string]bool{}
	for i := range list.Items {
		found[list.Items[i].Name] = len(list.Items[i].Spec.Selector) > 0
	}
	return found, nil
}
