package kube_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

func TestClusterPrepullSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit:   kubetest.Permit,
		Action:   kube.Prepull(space.Connector),
		Examples: "testdata/prepull/*.yaml",
		World:    kubetest.PodWorld,
		Slow:     map[string]any{"namespace": "-", "images": []any{"localhost/refit/none:1"}},
	})
}

// TestClusterPrepullExplains has an image that no registry has: the step says so by
// node and image, and leaves nothing behind.
func TestClusterPrepullExplains(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Images("busybox")
	pull, env := kube.Prepull(space.Connector), space.Env()
	before := space.State(t)
	_, err := pull.Run(t.Context(), env, map[string]any{
		"namespace": space.Name, "images": []any{box, "localhost/refit/none:1"}, "giveUp": "3s",
	}, nil)
	failed, ok := err.(*action.Error) //nolint:errorlint // actions return nothing else
	if !ok || failed.Reason != "ImageNotPulled" || failed.Effect != action.ExtentNone ||
		!strings.Contains(err.Error(), "image localhost/refit/none:1 on node ") {
		t.Errorf("got %v", err)
	}
	if after := space.State(t); after != before {
		t.Errorf("something was left behind: %s", after)
	}
}

// TestClusterPrepullForgets removes results of steps that are long over.
func TestClusterPrepullForgets(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Images("busybox")
	in := map[string]any{"namespace": space.Name, "images": []any{box}}
	pull, env := kube.Prepull(space.Connector), space.Env()
	if _, err := pull.Run(t.Context(), env, in, nil); err != nil {
		t.Fatal(err)
	}
	later := env
	later.Key = "run-2/step-1"
	later.Now = func() time.Time { return time.Now().Add(8 * 24 * time.Hour) }
	out, err := pull.Run(t.Context(), later, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	nodes, _ := out["nodes"].([]any)
	if len(nodes) == 0 {
		t.Errorf("got %v", out)
	}
	list, err := space.Cluster.Typed.CoreV1().ConfigMaps(space.Name).List(t.Context(), metav1.ListOptions{LabelSelector: "refit.dev/result=prepull"})
	if err != nil || len(list.Items) != 1 {
		t.Errorf("%d results are kept, %v", len(list.Items), err)
	}
}

func TestPrepullInput(t *testing.T) {
	t.Parallel()
	checkInputs(t, kube.Prepull(nil), map[string]any{"namespace": "jhub", "images": []any{box}}, map[string]struct {
		change map[string]any
		want   string
	}{
		"None":       {map[string]any{"images": []any{}}, `field "images" has 0 entries`},
		"Twice":      {map[string]any{"images": []any{box, box}}, "twice"},
		"Space":      {map[string]any{"images": []any{"a b"}}, `"a b" is no image`},
		"Toleration": {map[string]any{"tolerations": []any{map[string]any{"opreator": "Exists"}}}, `field "tolerations": unknown field "opreator"`},
		"Namespace":  {map[string]any{"namespace": "a/b"}, `field "namespace" is "a/b"`},
	})
}
