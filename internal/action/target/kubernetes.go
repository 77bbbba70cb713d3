package target

import (
	"context"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/schema"
)

// KindKubernetes is the kind of target that is a cluster.
const KindKubernetes = kube.KindTarget

type kubernetes struct{ connector *kube.Connector }

// Kubernetes returns the kind kubernetes. The identity is the UID of the namespace
// kube-system, so that another cluster behind the same name of a context is seen.
func Kubernetes(connector *kube.Connector) action.TargetKind { return kubernetes{connector} }

// Kind implements action.TargetKind.
func (kubernetes) Kind() string { return KindKubernetes }

// Config implements action.Configured.
func (kubernetes) Config() schema.Type {
	text := func(doc string) schema.Field { return schema.Field{Type: schema.Of(schema.String), Doc: doc} }
	return schema.ObjectOf(map[string]schema.Field{
		"context": text("Context of the kubeconfig. By default the current one."),
		"kubeconfig": text("Kubeconfig file, absolute or relative to the platform file. " +
			"By default what KUBECONFIG names, or `~/.kube/config`."),
		lockNamespace: text("Namespace of the lock that a run holds, the same for all who change the cluster. " +
			"By default kube-system."),
	})
}

// Identify implements action.TargetKind.
func (k kubernetes) Identify(ctx context.Context, env action.Env) (string, error) {
	keys := []string{"context", "kubeconfig", lockNamespace}
	if err := checkKeys(env.Target, keys...); err != nil {
		return "", err
	}
	texts := map[string]string{}
	for _, key := range keys {
		if value, exists := env.Target.Config[key]; exists {
			if texts[key], _ = value.(string); texts[key] == "" {
				return "", configError(env.Target, "needs a text as "+key,
					"write "+key+": and its name, or leave it out")
			}
		}
	}
	cluster, err := k.connector.Open(texts["kubeconfig"], texts["context"], env.Dir)
	if err != nil {
		return "", err
	}
	return cluster.Identity(ctx)
}
