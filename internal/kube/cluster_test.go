package kube_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/target"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

func TestClusterTarget(t *testing.T) {
	space := kubetest.New(t)
	kind := target.Kubernetes(space.Connector)
	env := space.Env()
	identity, err := kind.Identify(t.Context(), env)
	if err != nil || !strings.HasPrefix(identity, "kube-system:") || len(identity) != len("kube-system:")+36 {
		t.Errorf("identity %q, error %v", identity, err)
	}
	env.Target.Config = map[string]any{"kubeconfg": space.Kubeconfig}
	if _, err := kind.Identify(t.Context(), env); err == nil || !strings.Contains(err.Error(), `"kubeconfig"`) {
		t.Errorf("error of a misspelt key: %v", err)
	}
}

// A kind that is made after the connection is found all the same.
func TestClusterNewKind(t *testing.T) {
	space := kubetest.New(t)
	kind := schema.GroupVersionKind{Group: space.Name + ".example.org", Version: "v1", Kind: "Thing"}
	if _, err := space.Cluster.Resource(kind); action.ReasonOf(err) != kube.ReasonNotFound {
		t.Fatalf("error %v", err)
	}
	name := "things." + kind.Group
	t.Cleanup(func() {
		space.Delete(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}, name)
	})
	space.Apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ` + name + `}
spec:
  group: ` + kind.Group + `
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`)
	space.Within(kubetest.Patience, "the new kind", func(context.Context) (bool, string) {
		_, err := space.Cluster.Resource(kind)
		return err == nil, fmt.Sprint(err)
	})
}
