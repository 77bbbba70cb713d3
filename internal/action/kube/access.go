package kube

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// Access tells what the account of Refit must be permitted, in the words of RBAC, to do
// verbs to objects of a kind: to those with names, or to all of them without names. It
// asks the cluster what the kind's resource is called and whether it has namespaces; a
// kind that comes with an earlier step gets the name that is usual. It changes nothing.
func Access(
	cluster *kube.Cluster, kind schema.GroupVersionKind, namespace string, names []string, verbs ...string,
) ([]action.Access, error) {
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	mapping, err := cluster.Resource(kind)
	switch {
	case err == nil:
		resource = mapping.Resource
		if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
			namespace = ""
		}
	case action.ReasonOf(err) != kube.ReasonNotFound:
		return nil, err
	}
	named, all := splitVerbs(verbs, len(names) > 0)
	var list []action.Access
	for _, a := range []action.Access{{Verbs: named, Names: names}, {Verbs: all}} {
		if len(a.Verbs) > 0 {
			a.Group, a.Resource, a.Namespace = resource.Group, resource.Resource, namespace
			list = append(list, a)
		}
	}
	return list, nil
}

// splitVerbs parts the verbs that RBAC can permit for a named object from those that it
// permits for all or for none: what is created has no name yet when that is decided, and
// a list is of no single object.
func splitVerbs(verbs []string, byName bool) (named, all []string) {
	for _, verb := range verbs {
		if byName && !slices.Contains([]string{"create", "list", "watch", "deletecollection"}, verb) {
			named = append(named, verb)
			continue
		}
		all = append(all, verb)
	}
	return named, all
}

// accessTo is Access for an object of env's target, or for all of its kind where it has
// no name.
func accessTo(connector *kube.Connector, env action.Env, i id, verbs ...string) ([]action.Access, error) {
	cluster, err := connector.Connect(env)
	if err != nil {
		return nil, err
	}
	var names []string
	if i.name != "" {
		names = []string{i.name}
	}
	return Access(cluster, schema.FromAPIVersionAndKind(i.apiVersion, i.kind), i.namespace, names, verbs...)
}

// explaining is what it takes to say why pods are not as they shall be.
func explaining(namespace string) []action.Access {
	return []action.Access{{Resource: "pods", Namespace: namespace, Verbs: []string{"list"}}, {
		Resource: "events", Namespace: namespace, Verbs: []string{"list"},
	}}
}

// access is what looking at a subject takes.
func (s subject) access(connector *kube.Connector, env action.Env) ([]action.Access, error) {
	if s.id.name == "" {
		return accessTo(connector, env, s.id, "list")
	}
	return accessTo(connector, env, s.id, "get")
}

func (c checker) access(_ context.Context, env action.Env, in CheckInput) ([]action.Access, error) {
	return in.subject().access(c.connector, env)
}

func (w waiter) access(_ context.Context, env action.Env, in WaitInput) ([]action.Access, error) {
	list, err := in.subject().access(w.connector, env)
	return append(list, explaining(in.Namespace)...), err
}

func (a applier) access(_ context.Context, env action.Env, in ApplyInput) ([]action.Access, error) {
	objects, err := a.objects(env, in)
	if err != nil {
		return nil, err
	}
	var list []action.Access
	for _, o := range objects {
		i := idOf(o)
		if i.namespace == "" {
			i.namespace = in.Namespace
		}
		// What was there before is changed back by an update, what was not is deleted.
		needs, err := accessTo(a.connector, env, i, "create", "get", "patch", "update", "delete")
		if err != nil {
			return nil, err
		}
		list = append(list, needs...)
		if (trial{place: place{id: i}}).isSecret() { // Its copy beside it has another name.
			list = append(list, action.Access{
				Resource: "secrets", Namespace: i.namespace, Verbs: []string{"create", "get", "patch", "delete"},
			})
		}
	}
	return list, nil
}

func (p patcher) access(_ context.Context, env action.Env, in PatchInput) ([]action.Access, error) {
	return accessTo(p.connector, env, in.id(), "get", "patch", "update")
}

func (s scaler) access(_ context.Context, env action.Env, in ScaleInput) ([]action.Access, error) {
	list, err := accessTo(s.connector, env, in.id(), "get", "update")
	if err != nil {
		return nil, err
	}
	scaled := list[0]
	scaled.Resource, scaled.Verbs = scaled.Resource+"/scale", []string{"get", "patch"}
	list = append(list, scaled, action.Access{
		Group: "autoscaling", Resource: "horizontalpodautoscalers", Namespace: in.Namespace, Verbs: []string{"list"},
	})
	if in.Wait {
		list = append(list, explaining(in.Namespace)...)
	}
	return list, nil
}

func (d deleter) access(_ context.Context, env action.Env, in DeleteInput) ([]action.Access, error) {
	if in.Live != nil {
		return accessTo(d.connector, env, in.Live.id(), "list", "get", "delete")
	}
	var list []action.Access
	for _, f := range in.Fixed {
		needs, err := accessTo(d.connector, env, f.id(), "get", "delete")
		if err != nil {
			return nil, err
		}
		list = append(list, needs...)
	}
	return list, nil
}
