package secret_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
	"github.com/refitproject/refit/internal/secret"
)

// inCluster is a reference to a Secret of a cluster.
func inCluster(target string) map[string]any {
	members := map[string]any{"namespace": "jhub", "name": "hub", "key": "token"}
	if target != "" {
		members["target"] = target
	}
	return map[string]any{"kubernetes": members}
}

// TestSecretIsOfOneCluster has references that do not say of which cluster.
func TestSecretIsOfOneCluster(t *testing.T) {
	t.Parallel()
	cluster := func(name string) action.Target {
		return action.Target{Name: name, Kind: kube.KindTarget, Config: map[string]any{"kubeconfig": "no-" + name}}
	}
	bucket := action.Target{Name: "bucket", Kind: "s3"}
	cases := map[string]struct {
		reason  string
		target  string
		targets []action.Target
		own     string
		want    string // the kubeconfig that is looked for, or the message
	}{
		"Own":     {"That of the step.", "", []action.Target{cluster("a"), cluster("b")}, "b", "no-b"},
		"Only":    {"The only one.", "", []action.Target{bucket, cluster("a")}, "bucket", "no-a"},
		"Named":   {"The one that is named.", "a", []action.Target{cluster("a"), cluster("b")}, "b", "no-a"},
		"Several": {"None by chance.", "", []action.Target{cluster("a"), cluster("b"), bucket}, "bucket", "it can be in any of the targets a, b: add target: and the name of the one that is meant"},
		"Unknown": {"A name with a mistake.", "clusterr", []action.Target{cluster("cluster")}, "", `the platform has no target "clusterr": did you mean "cluster"?`},
		"Kind":    {"A name of something else.", "bucket", []action.Target{cluster("a"), bucket}, "", `target "bucket" is of kind s3: name a target of kind kubernetes`},
		"None":    {"No cluster at all.", "", []action.Target{bucket}, "bucket", "the platform has no target of kind kubernetes: declare the cluster as a target, or use env, file or command"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := secret.Resolver{Clusters: kube.NewConnector(nil), Dir: t.TempDir()}
			value, err := r.At(tc.targets, tc.own).Resolve(t.Context(), inCluster(tc.target))
			failed, ok := errors.AsType[*action.Error](err)
			if !ok || failed.Reason != action.ReasonSecretUnavailable || value != "" {
				t.Fatalf("%s: got %q, %v", tc.reason, value, err)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %s", tc.reason, err, tc.want)
			}
		})
	}
}

func TestClusterSecret(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(`
apiVersion: v1
kind: Secret
metadata: {name: hub}
stringData: {token: "` + planted + `", lined: "` + planted + `\n", empty: ""}
`)
	target := space.Env().Target
	r := secret.Resolver{Clusters: space.Connector, Dir: t.TempDir()}.At([]action.Target{target}, "")
	ref := func(name, key string) map[string]any {
		return map[string]any{"kubernetes": map[string]any{"namespace": space.Name, "name": name, "key": key}}
	}
	for _, key := range []string{"token", "lined"} {
		if got, err := r.Resolve(t.Context(), ref("hub", key)); err != nil || got != planted {
			t.Errorf("%s: got %q, %v", key, got, err)
		}
	}
	where := `secret from key "KEY" of Kubernetes secret "NAME" in namespace "` + space.Name + `": `
	for _, tc := range []struct{ name, key, want string }{
		{"hub", "tokens", "the secret in " + space.Cluster.Name + ` has no such key: did you mean "token"?`},
		{"hub", "empty", "it is empty"},
		{"hubb", "token", "read it from " + space.Cluster.Name + `: secrets "hubb" not found: create it, or correct namespace and name`},
	} {
		_, err := r.Resolve(t.Context(), ref(tc.name, tc.key))
		want := strings.NewReplacer("KEY", tc.key, "NAME", tc.name).Replace(where) + tc.want
		if action.ReasonOf(err) != action.ReasonSecretUnavailable || strings.Contains(err.Error(), planted) {
			t.Errorf("got %v", err)
			continue
		}
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
