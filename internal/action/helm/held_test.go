package helm

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/yaml"
)

func objectOf(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	out := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &out.Object); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestConforms tells whether an object is what a manifest says, whatever the cluster and
// its controllers have added.
func TestConforms(t *testing.T) {
	t.Parallel()
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2, template: {spec: " +
		"{containers: [{name: c, image: x}]}}}\n"
	cases := map[string]struct {
		manifest, live string
		want           bool
	}{
		"Defaults": {
			deployment, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, uid: u, labels: {x: y}}\nspec: {replicas: 2, " +
				"paused: false, template: {spec: {dnsPolicy: ClusterFirst, containers: [{name: c, image: x, imagePullPolicy: Always}, " +
				"{name: sidecar, image: z}]}}}\nstatus: {replicas: 2}\n", true,
		},
		"Scaled": {
			deployment, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 1, template: {spec: " +
				"{containers: [{name: c, image: x}]}}}\n", false,
		},
		"Image": {
			deployment, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2, template: {spec: " +
				"{containers: [{name: c, image: y}]}}}\n", false,
		},
		"Secret": {
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: first}\n",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: Zmlyc3Q=}\ntype: Opaque\n", true,
		},
		"OtherSecret": {
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: first}\n",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: c2Vjb25k}\ntype: Opaque\n", false,
		},
		"Custom": {
			"apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: t}\nspec: {a: 1}\n",
			"apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: t}\nspec: {a: 1, b: 2}\n", true,
		},
		"OtherCustom": {
			"apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: t}\nspec: {a: 1}\n",
			"apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: t}\nspec: {a: 2}\n", false,
		},
	}
	for name, tc := range cases {
		want, live := objectOf(t, tc.manifest), objectOf(t, tc.live)
		info := &resource.Info{Object: want, Mapping: &meta.RESTMapping{GroupVersionKind: want.GroupVersionKind()}}
		if got := conforms(info, live); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// TestRuns tells jobs and pods that have ended from those that have not.
func TestRuns(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"kind: Job\nstatus: {active: 1}\n": true,
		"kind: Job\n":                      true,
		"kind: Job\nstatus: {conditions: [{type: Complete, status: \"True\"}]}\n":           false,
		"kind: Job\nstatus: {conditions: [{type: Failed, status: \"True\"}]}\n":             false,
		"kind: Job\nstatus: {conditions: [{type: SuccessCriteriaMet, status: \"True\"}]}\n": true,
		"kind: Pod\nstatus: {phase: Running}\n":                                             true,
		"kind: Pod\nstatus: {phase: Succeeded}\n":                                           false,
		"kind: ConfigMap\n": false,
	} {
		if got := runs(objectOf(t, "apiVersion: v1\n"+text)); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
