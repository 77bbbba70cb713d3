package helm

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	helmaction "helm.sh/helm/v4/pkg/action"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/refitproject/refit/internal/action"
	kubeaction "github.com/refitproject/refit/internal/action/kube"
)

// records is what it takes to use what Helm has on record of a release.
func (p place) records(verbs ...string) action.Access {
	return action.Access{Resource: cmp.Or(p.storage, storageSecrets), Namespace: p.namespace, Verbs: verbs}
}

func (w World) accessRelease(_ context.Context, _ action.Env, in ReleaseInput) ([]action.Access, error) {
	return []action.Access{place{in.Release, in.Namespace, in.Storage}.records("list")}, nil
}

// accessUpgrade is what it takes to change the objects of the release and those of the
// chart, as far as the values are known, and to take that back.
func (w World) accessUpgrade(ctx context.Context, env action.Env, in UpgradeInput) ([]action.Access, error) {
	return w.accessChange(ctx, env, in.place(), func(last *release.Release) (*release.Release, error) {
		chart, err := in.wanted().load(ctx, env)
		if err != nil {
			return nil, err
		}
		values, err := in.sources().values(ctx, env, last.Config, false)
		if err != nil {
			return nil, err
		}
		return renderAny(ctx, in.place(), chart, values)
	})
}

func (w World) accessUninstall(ctx context.Context, env action.Env, in UninstallInput) ([]action.Access, error) {
	list, err := w.accessChange(ctx, env, in.place(), nil)
	if action.ReasonOf(err) == reasonReleaseNotFound {
		return []action.Access{in.place().records("list")}, nil // there is nothing to do
	}
	// Claims that stateful sets have made stand in no manifest.
	return append(list,
		action.Access{Resource: "persistentvolumeclaims", Namespace: in.Namespace, Verbs: []string{"get", "list"}},
		action.Access{Resource: "persistentvolumes", Verbs: []string{"get"}},
	), err
}

func (w World) accessRollback(ctx context.Context, env action.Env, in RollbackInput) ([]action.Access, error) {
	return w.accessChange(ctx, env, in.place(), nil)
}

// renderAny renders a chart to see what kinds of objects it has. Values that are for
// another version, as those of a release before its values are migrated, are left out
// when the chart does not take them.
func renderAny(
	ctx context.Context, p place, chart *chartv2.Chart, values map[string]any,
) (*release.Release, error) {
	var err error
	for _, given := range []map[string]any{values, {}} {
		install := helmaction.NewInstall(helmaction.NewConfiguration())
		install.DryRunStrategy = helmaction.DryRunClient
		install.ReleaseName, install.Namespace = p.release, p.namespace
		install.SkipSchemaValidation = true
		made, failed := install.RunWithContext(ctx, chart, given)
		if rel, ok := made.(*release.Release); ok && failed == nil {
			return rel, nil
		}
		err = cmp.Or(err, failed)
	}
	doing := fmt.Sprintf("render %s-%s", chart.Name(), chart.Metadata.Version)
	if said := rendering(doing, err); said != nil {
		return nil, said
	}
	return nil, refused(reasonChartInvalid, "correct the values or the chart", fmt.Errorf("%s: %w", doing, err))
}

// accessChange is what it takes to make the objects of all revisions into those of next,
// and to go back. next may be nil.
func (w World) accessChange(
	ctx context.Context, env action.Env, p place, next func(last *release.Release) (*release.Release, error),
) ([]action.Access, error) {
	list := []action.Access{p.records("create", "delete", "get", "list", "update")}
	err := w.named(ctx, env, p, func(s *session, st standing) error {
		all := slices.Clone(st.revisions)
		if next != nil {
			rel, err := next(st.last())
			if err != nil {
				return err
			}
			all = append(all, rel)
		}
		for _, rel := range all {
			needs, err := s.accessTo(rel)
			if err != nil {
				return err
			}
			list = append(list, needs...)
		}
		return nil
	})
	return append(list,
		// What Helm waits for is looked into: what a workload has made, and what is said of it.
		action.Access{Group: "apps", Resource: "replicasets", Namespace: p.namespace, Verbs: []string{"list"}},
		action.Access{Resource: "pods", Namespace: p.namespace, Verbs: []string{"list"}},
		action.Access{Resource: "events", Namespace: p.namespace, Verbs: []string{"list"}},
	), err
}

// ruled is an object, with what makes it a role or the binding of one.
type ruled struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Rules   []rbacv1.PolicyRule `json:"rules"`
	RoleRef rbacv1.RoleRef      `json:"roleRef"`
}

// ruledOf reads the objects of a revision and of its hooks.
func (s *session) ruledOf(rel *release.Release) ([]ruled, error) {
	texts := slices.Collect(maps.Values(releaseutil.SplitManifests(rel.Manifest)))
	for _, hook := range rel.Hooks {
		texts = append(texts, hook.Manifest)
	}
	var list []ruled
	for _, text := range texts {
		var object ruled
		if err := yaml.Unmarshal([]byte(text), &object); err != nil {
			return nil, refused(reasonChartInvalid, "correct the chart",
				fmt.Errorf("read the objects of %s: %w", s, err))
		}
		if object.Kind != "" {
			object.Metadata.Namespace = cmp.Or(object.Metadata.Namespace, s.namespace)
			list = append(list, object)
		}
	}
	return list, nil
}

// accessTo is what it takes to change the objects of a revision. A cluster lets nobody
// make a role that permits more than the account itself may do, or bind one.
func (s *session) accessTo(rel *release.Release) ([]action.Access, error) {
	objects, err := s.ruledOf(rel)
	if err != nil {
		return nil, err
	}
	var list []action.Access
	own := map[string]bool{} // roles of the chart itself, whose rules the account has
	for _, o := range objects {
		kind := schema.FromAPIVersionAndKind(o.APIVersion, o.Kind)
		needs, err := kubeaction.Access(s.cluster, kind, o.Metadata.Namespace, nil,
			"create", "delete", "get", "list", "patch", "watch")
		if err != nil {
			return nil, err
		}
		list = append(list, needs...)
		if kind.Group == rbacv1.GroupName {
			own[kind.Kind+" "+o.Metadata.Name] = true
			for _, rule := range o.Rules {
				list = append(list, granted(rule, needs[0].Namespace)...)
			}
		}
	}
	for _, o := range objects {
		ref := o.RoleRef
		if ref.Name == "" || own[ref.Kind+" "+ref.Name] {
			continue
		}
		kind := schema.GroupVersionKind{Group: rbacv1.GroupName, Version: "v1", Kind: ref.Kind}
		needs, err := kubeaction.Access(s.cluster, kind, o.Metadata.Namespace, []string{ref.Name}, "bind")
		if err != nil {
			return nil, err
		}
		list = append(list, needs...)
	}
	return list, nil
}

// granted is a rule of a role as what an account may ask for. Rules about paths that are
// no objects are left out: action.Access does not know them.
func granted(rule rbacv1.PolicyRule, namespace string) []action.Access {
	var list []action.Access
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			list = append(list, action.Access{
				Group: group, Resource: resource, Namespace: namespace, Names: rule.ResourceNames, Verbs: rule.Verbs,
			})
		}
	}
	return list
}
