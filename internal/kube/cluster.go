package kube

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/refitproject/refit/internal/action"
)

// Cluster is a connection to a cluster. It is safe for concurrent use.
type Cluster struct {
	// Rest must not be changed: take a copy.
	Rest      *rest.Config
	Typed     kubernetes.Interface
	Dynamic   dynamic.Interface
	Discovery discovery.CachedDiscoveryInterface
	Mapper    meta.ResettableRESTMapper
	// Name is the context and the address of the server, for messages.
	Name string

	raw     *clientcmdapi.Config
	context string
}

// Identity returns the UID of the namespace kube-system: it is made with a cluster,
// stays over upgrades, and goes with it. (sig-architecture calls it the cluster's id
// since KEP-2149.)
func (c *Cluster) Identity(ctx context.Context) (string, error) {
	namespace, err := c.Typed.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", Failure("read the namespace kube-system of "+c.Name, err, action.ExtentNone)
	}
	return "kube-system:" + string(namespace.UID), nil
}

// Resource returns how objects of a kind are asked for. A kind that is not known is
// looked for once more, because it may have been made since. The error is an
// *action.Error; of a kind that the cluster has not its reason is NotFound.
func (c *Cluster) Resource(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := c.Mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		c.Mapper.Reset()
		mapping, err = c.Mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	switch {
	case meta.IsNoMatchError(err):
		return nil, &action.Error{
			Reason: ReasonNotFound, Effect: action.ExtentNone,
			Remedy: "install what defines it, or correct apiVersion and kind",
			Err:    fmt.Errorf("%s knows no kind %s of %s", c.Name, kind.Kind, kind.GroupVersion()),
		}
	case err != nil:
		return nil, Failure("ask "+c.Name+" what kinds it has", err, action.ExtentNone)
	}
	return mapping, nil
}

// For returns the client for the objects of a kind, in a namespace where the kind
// has namespaces.
func (c *Cluster) For(mapping *meta.RESTMapping, namespace string) dynamic.ResourceInterface {
	client := c.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return client.Namespace(namespace)
	}
	return client
}

// Getter hands the connection to libraries that want to make their clients
// themselves, such as Helm's; namespace is the one that they use when none is given.
func (c *Cluster) Getter(namespace string) *Getter { return &Getter{cluster: c, namespace: namespace} }

// Getter is what the libraries of kubectl call a RESTClientGetter.
type Getter struct {
	cluster   *Cluster
	namespace string
}

// ToRESTConfig returns a copy that may be changed.
func (g *Getter) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(g.cluster.Rest), nil }

// ToDiscoveryClient returns the shared discovery client.
func (g *Getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.cluster.Discovery, nil
}

// ToRESTMapper returns the shared mapper.
func (g *Getter) ToRESTMapper() (meta.RESTMapper, error) { return g.cluster.Mapper, nil }

// ToRawKubeConfigLoader returns what tells the namespace, and the kubeconfig that the
// connection was made from.
func (g *Getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.namespace}}
	raw := clientcmdapi.NewConfig()
	if g.cluster.raw != nil {
		raw = g.cluster.raw
	}
	return clientcmd.NewNonInteractiveClientConfig(*raw, g.cluster.context, overrides, nil)
}
