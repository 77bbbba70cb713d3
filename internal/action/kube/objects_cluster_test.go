package kube_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// settings are objects to change: a deployment without pods, and configurations.
const settings = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: hub, labels: {app: hub}}
spec:
  replicas: 0
  selector: {matchLabels: {app: hub}}
  template:
    metadata: {labels: {app: hub}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: hub, image: "localhost/refit/pause:1"}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hub-config, labels: {app: hub}}
data: {logins: "on", theme: dark}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hub-cache-1, labels: {app: hub, cache: "true"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hub-cache-2, labels: {app: hub, cache: "true"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hub-cache-keep, labels: {app: hub, cache: "true"}}
`

// settingsWorld has them in a namespace of its own.
func settingsWorld(t *testing.T) actiontest.World {
	t.Helper()
	space := kubetest.New(t)
	space.Apply(settings)
	return worldOf(space)
}

func worldOf(space *kubetest.Space) actiontest.World {
	state := func(t *testing.T) string { // the same in every namespace
		t.Helper()
		return strings.ReplaceAll(space.State(t), space.Name, "NAMESPACE")
	}
	return actiontest.World{Env: space.Env(), State: state, Adapt: func(in map[string]any) {
		if live, ok := in["live"].(map[string]any); ok {
			live["namespace"] = space.Name
		} else if fixed, ok := in["fixed"].([]any); ok {
			for _, f := range fixed {
				f.(map[string]any)["namespace"] = space.Name
			}
		} else {
			in["namespace"] = space.Name
		}
	}}
}

// foreign patches an object as somebody else would.
func foreign(t *testing.T, space *kubetest.Space, kind schema.GroupVersionKind, name, patch string) {
	t.Helper()
	mapping, err := space.Cluster.Resource(kind)
	if err != nil {
		t.Fatal(err)
	}
	_, err = space.Cluster.For(mapping, space.Name).Patch(t.Context(), name, types.MergePatchType, []byte(patch),
		metav1.PatchOptions{FieldManager: "somebody"})
	if err != nil {
		t.Fatal(err)
	}
}

func deploymentKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
}

func configMapKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
}

// spaceOf opens the namespace that an input names, for functions that get a world.
func foreignIn(t *testing.T, w actiontest.World, in map[string]any, kind schema.GroupVersionKind, patch string) {
	t.Helper()
	connector := connectorOf()
	cluster, err := connector.Connect(w.Env)
	if err != nil {
		t.Fatal(err)
	}
	space := &kubetest.Space{Name: in["namespace"].(string), Cluster: cluster, Connector: connector}
	foreign(t, space, kind, in["name"].(string), patch)
}

func TestClusterApplySuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: kube.Apply(space.Connector), Examples: "testdata/apply/*.yaml",
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			w := settingsWorld(t)
			text := "apiVersion: v1\nkind: Secret\nmetadata: {name: hub}\nstringData: {token: new}\n"
			if err := os.WriteFile(filepath.Join(w.Env.Dir, "secret.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return w
		},
	})
}

func TestClusterPatchSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: kube.Patch(space.Connector), Examples: "testdata/patch/*.yaml", World: settingsWorld,
		Foreign: func(t *testing.T, w actiontest.World, in map[string]any) {
			t.Helper()
			if in["kind"] == "ConfigMap" {
				foreignIn(t, w, in, configMapKind(), `{"data":{"logins":"maybe"}}`)
			} else {
				foreignIn(t, w, in, deploymentKind(), `{"spec":{"paused":false,"minReadySeconds":7},"metadata":{"labels":{"app":"other"}}}`)
			}
		},
	})
}

func TestClusterScaleSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: kube.Scale(space.Connector), Examples: "testdata/scale/*.yaml", World: settingsWorld,
		Foreign: func(t *testing.T, w actiontest.World, in map[string]any) {
			t.Helper()
			foreignIn(t, w, in, deploymentKind(), `{"spec":{"replicas":5}}`)
		},
	})
}

func TestClusterDeleteSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: kube.Delete(space.Connector), Examples: "testdata/delete/*.yaml", World: settingsWorld,
	})
}

func TestClusterWaitSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: kube.Wait(space.Connector), Examples: "testdata/wait/*.yaml", World: settingsWorld,
		Slow: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": "nothing", "for": "5m"},
	})
}

func TestClusterCheckSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: kube.Check(space.Connector), Examples: "testdata/check/*.yaml", World: settingsWorld,
		Slow: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "name": "nothing", "for": "5m",
			"conditions": []any{map[string]any{"that": "has(object.data)"}},
		},
	})
}

// reads an object; nil when it is not there.
func read(t *testing.T, space *kubetest.Space, kind schema.GroupVersionKind, name string) *unstructured.Unstructured {
	t.Helper()
	mapping, err := space.Cluster.Resource(kind)
	if err != nil {
		t.Fatal(err)
	}
	o, err := space.Cluster.For(mapping, space.Name).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// observed observes and fails the test when it cannot ask.
func observed(t *testing.T, a action.Action, env action.Env, in map[string]any, want action.Status) action.Observation {
	t.Helper()
	obs, err := a.Observe(t.Context(), env, in)
	if err != nil || obs.Status != want {
		t.Fatalf("Observe: got %s (%s), %v, want %s", obs.Status, obs.Reason, err, want)
	}
	return obs
}

// owners returns who owns fields of an object.
func owners(o *unstructured.Unstructured) string {
	var found []string
	for _, entry := range o.GetManagedFields() {
		found = append(found, entry.Manager)
	}
	return strings.Join(found, ",")
}

func reasonIs(t *testing.T, err error, reason string, extent action.Extent, parts ...string) {
	t.Helper()
	failure, ok := errors.AsType[*action.Error](err)
	if !ok || failure.Reason != reason || failure.Effect != extent || strings.Contains(failure.Error(), "\n") {
		t.Fatalf("got %v (%+v), want %s, %s", err, failure, reason, extent)
	}
	for _, part := range parts {
		if !strings.Contains(failure.Error(), part) {
			t.Errorf("%q is not in: %s", part, failure)
		}
	}
}

func configMap(name string, data map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": data,
	}
}

// TestClusterApplyOwners changes what others own: not without being told to, and
// afterwards it is nobody's again.
func TestClusterApplyOwners(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	a, env := kube.Apply(space.Connector), space.Env()
	in := map[string]any{"namespace": space.Name, "objects": []any{
		configMap("new", map[string]any{"a": "1"}), configMap("hub-config", map[string]any{"logins": "off"}),
	}}
	preview, err := a.Preview(t.Context(), env, in)
	if err != nil || !strings.Contains(preview.Summary, `conflict with "kubetest"`) {
		t.Errorf("preview: %v, %v", preview, err)
	}
	before := observed(t, a, env, in, action.NotStarted).Before
	_, err = a.Run(t.Context(), env, in, before)
	reasonIs(t, err, "FieldConflict", action.ExtentNone, "configmap hub-config", `.data.logins (conflict with "kubetest"`, "force: true")
	if read(t, space, configMapKind(), "new") != nil {
		t.Error("something was changed before all of it was tried")
	}
	in["force"] = true
	preview, err = a.Preview(t.Context(), env, in)
	if err != nil || !strings.Contains(preview.Diff, "-  logins: \"on\"\n+  logins: \"off\"") || !strings.Contains(preview.Summary, "1 are made, 1 changed") {
		t.Errorf("preview: %v, %v", preview, err)
	}
	if _, err = a.Run(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	o := read(t, space, configMapKind(), "hub-config")
	if o.GetAnnotations()["refit.dev/step"] != env.Key || !strings.Contains(owners(o), "refit") {
		t.Errorf("it does not carry the step: %v", o)
	}
	if err := a.Undo(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	if o = read(t, space, configMapKind(), "hub-config"); strings.Contains(owners(o), "refit") {
		t.Errorf("refit still owns fields: %s", owners(o))
	}
}

// TestClusterApplyChangedByOthers has somebody else change things before, during and
// after the step.
func TestClusterApplyChangedByOthers(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	a, env := kube.Apply(space.Connector), space.Env()
	in := map[string]any{"namespace": space.Name, "force": true, "objects": []any{
		configMap("hub-config", map[string]any{"logins": "off"}), configMap("new", map[string]any{"a": "1"}),
	}}
	before := observed(t, a, env, in, action.NotStarted).Before
	foreign(t, space, configMapKind(), "hub-config", `{"data":{"theme":"light"}}`) // beside it
	foreign(t, space, configMapKind(), "hub-config", `{"data":{"logins":"maybe"}}`)
	_, err := a.Run(t.Context(), env, in, before)
	reasonIs(t, err, "ObjectChanged", action.ExtentNone, "configmap hub-config")
	before = observed(t, a, env, in, action.NotStarted).Before
	if _, err := a.Run(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	env.Attempted = true
	foreign(t, space, configMapKind(), "hub-config", `{"data":{"theme":"blue"}}`)
	observed(t, a, env, in, action.Done) // what it has set is there
	foreign(t, space, configMapKind(), "new", `{"data":{"a":"2"}}`)
	reasonIs(t, a.Undo(t.Context(), env, in, before), "TargetChanged", action.ExtentNone, "configmap new", "data.a")
	foreign(t, space, configMapKind(), "new", `{"data":{"a":"1"}}`)
	foreign(t, space, configMapKind(), "hub-config", `{"data":{"logins":"x"}}`)
	reasonIs(t, a.Undo(t.Context(), env, in, before), "TargetChanged", action.ExtentNone, "data.logins was changed by somebody else")
	foreign(t, space, configMapKind(), "hub-config", `{"data":{"logins":"off"}}`)
	if err := a.Undo(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	data, _, _ := unstructured.NestedStringMap(read(t, space, configMapKind(), "hub-config").Object, "data")
	if data["logins"] != "maybe" || data["theme"] != "blue" {
		t.Errorf("it is %v: what others set beside it stays", data)
	}
}

// TestClusterApplySecret changes a Secret and brings it back; its values are in
// nothing that is shown or recorded.
func TestClusterApplySecret(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply("apiVersion: v1\nkind: Secret\nmetadata: {name: hub, labels: {app: hub}}\nstringData: {token: hunter2, user: admin}\n")
	a, env := kube.Apply(space.Connector), space.Env()
	text := "apiVersion: v1\nkind: Secret\nmetadata: {name: hub, labels: {app: proxy}}\nstringData: {token: hunter3}\n"
	if err := os.WriteFile(filepath.Join(env.Dir, "secret.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in := map[string]any{"file": "secret.yaml", "namespace": space.Name, "force": true}
	start := space.State(t)
	preview, err := a.Preview(t.Context(), env, in)
	if err != nil || !strings.Contains(preview.Diff, "token: '***") {
		t.Errorf("preview: %v, %v", preview, err)
	}
	before := observed(t, a, env, in, action.NotStarted).Before
	if _, err := a.Run(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	env.Attempted = true
	obs := observed(t, a, env, in, action.Done)
	all := fmt.Sprint(preview, before, obs)
	for _, secret := range []string{"hunter", "aHVudGVy"} {
		if strings.Contains(all, secret) {
			t.Errorf("a value is recorded or shown: %s", all)
		}
	}
	foreign(t, space, schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, "hub", `{"stringData":{"token":"other"}}`)
	reasonIs(t, a.Undo(t.Context(), env, in, before), "TargetChanged", action.ExtentNone, "changed by somebody else")
	foreign(t, space, schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, "hub", `{"stringData":{"token":"hunter3"}}`)
	for range 2 {
		if err := a.Undo(t.Context(), env, in, before); err != nil {
			t.Fatal(err)
		}
		if now := space.State(t); now != start {
			t.Errorf("it was\n%s\nand is\n%s", start, now)
		}
	}
}

// TestClusterApplyKinds makes a namespace, a kind, and objects in them, in one step.
func TestClusterApplyKinds(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	a, env := kube.Apply(space.Connector), space.Env()
	group, inner := space.Name+".example.org", space.Name+"-inner"
	text := strings.NewReplacer("GROUP", group, "INNER", inner).Replace(`
apiVersion: v1
kind: Namespace
metadata: {name: INNER}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: GROUP/v1
kind: Thing
metadata: {name: one, namespace: INNER}
spec: {size: 3}
`)
	if err := os.WriteFile(filepath.Join(env.Dir, "m.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	definitions := schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
	t.Cleanup(func() {
		space.Delete(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, inner)
		space.Delete(definitions, "things."+group)
	})
	in := map[string]any{"file": "m.yaml"}
	before := observed(t, a, env, in, action.NotStarted).Before
	out, err := a.Run(t.Context(), env, in, before)
	if err != nil {
		t.Fatal(err)
	}
	env.Attempted = true
	if again := observed(t, a, env, in, action.Done); fmt.Sprint(again.Output) != fmt.Sprint(out) {
		t.Errorf("Run says %v, Observe %v", out, again.Output)
	}
	inside := &kubetest.Space{Name: inner, Cluster: space.Cluster}
	mapping, err := space.Cluster.Resource(configMapKind())
	if err != nil {
		t.Fatal(err)
	}
	other := &unstructured.Unstructured{Object: configMap("users", nil)}
	if _, err := space.Cluster.For(mapping, inner).Create(t.Context(), other, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	reasonIs(t, a.Undo(t.Context(), env, in, before), "HoldsOthers", action.ExtentNone, "namespace "+inner, "configmap users")
	if err := space.Cluster.For(mapping, inner).Delete(t.Context(), "users", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := a.Undo(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	if o := read(t, inside, schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, inner); o != nil {
		t.Errorf("the namespace is still there: %v", o)
	}
}

// TestClusterRefusals asks a server that refuses in several ways: nothing is changed,
// and the message says what to do.
func TestClusterRefusals(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	a := kube.Apply(space.Connector)
	_, err := space.Cluster.Typed.CoreV1().ResourceQuotas(space.Name).Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "none"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/jobs.batch": quantity("0")}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	space.Within(kubetest.Patience, "the quota", func(ctx context.Context) (bool, string) {
		q, err := space.Cluster.Typed.CoreV1().ResourceQuotas(space.Name).Get(ctx, "none", metav1.GetOptions{})
		return err == nil && len(q.Status.Hard) > 0, fmt.Sprint(err)
	})
	policy(t, space)
	job := map[string]any{"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"name": "j"}, "spec": map[string]any{
		"template": map[string]any{"spec": map[string]any{"restartPolicy": "Never", "containers": []any{map[string]any{"name": "a", "image": "x"}}}},
	}}
	cases := map[string]struct {
		object map[string]any
		reason string
		part   string
	}{
		"Quota":     {job, "Denied", "exceeded quota"},
		"Invalid":   {map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "s"}, "spec": map[string]any{"ports": []any{map[string]any{"port": int64(0)}}}}, "Invalid", "spec.ports"},
		"Kind":      {map[string]any{"apiVersion": "no.such.org/v1", "kind": "Thing", "metadata": map[string]any{"name": "s"}}, "NotFound", "knows no kind Thing"},
		"Namespace": {map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "s", "namespace": space.Name + "-none"}}, "NotFound", "namespaces"},
		"Policy":    {configMap("forbidden", nil), "Denied", "nobody may do that"},
		"Large":     {configMap("hub-config", map[string]any{"large": strings.Repeat("x", 40<<10)}), "BeforeTooLarge", "apply fewer objects"},
		"Scope":     {map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "s", "namespace": "x"}}, "InvalidInput", "stand in no namespace"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := space.Env()
			in := map[string]any{"namespace": space.Name, "objects": []any{configMap("fine", nil), tc.object}}
			preview, err := a.Preview(t.Context(), env, in)
			if err != nil || !strings.Contains(preview.Summary, tc.part) && name != "Large" {
				t.Errorf("preview: %v, %v", preview, err)
			}
			obs := observed(t, a, env, in, action.NotStarted)
			_, err = a.Run(t.Context(), env, in, obs.Before)
			reasonIs(t, err, tc.reason, action.ExtentNone, tc.part)
			if read(t, space, configMapKind(), "fine") != nil {
				t.Error("the first object was applied all the same")
			}
		})
	}
}

// policy denies a configuration by its name, as a webhook would.
func policy(t *testing.T, space *kubetest.Space) {
	t.Helper()
	name := space.Name + ".example.org"
	for _, kind := range []string{"ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"} {
		gvk := schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: kind}
		t.Cleanup(func() { space.Delete(gvk, name) })
	}
	space.Apply(strings.NewReplacer("NAME", name, "SPACE", space.Name).Replace(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NAME}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]
  validations: [{expression: "object.metadata.name != 'forbidden'", message: nobody may do that}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NAME}
spec:
  policyName: NAME
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: SPACE}}}
`))
	mapping, err := space.Cluster.Resource(configMapKind())
	if err != nil {
		t.Fatal(err)
	}
	space.Within(kubetest.Patience, "the policy", func(ctx context.Context) (bool, string) {
		object := &unstructured.Unstructured{Object: configMap("forbidden", nil)}
		_, err := space.Cluster.For(mapping, space.Name).Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil, "it is not denied"
	})
}

// TestClusterAway asks an API server that is not there: it could not be asked, and
// nothing was changed.
func TestClusterAway(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	env := space.Env()
	file := filepath.Join(env.Dir, "away")
	text := `{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}], users: [{name: u, user: {token: hunter2}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env.Target.Config = map[string]any{"kubeconfig": file}
	object := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "jhub", "name": "hub"}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{object, more} {
			maps.Copy(out, m)
		}
		return out
	}
	for a, in := range map[action.Action]map[string]any{
		kube.Apply(space.Connector):  {"objects": []any{configMap("a", nil)}, "namespace": "jhub"},
		kube.Patch(space.Connector):  with(map[string]any{"patch": map[string]any{"spec": map[string]any{"paused": true}}}),
		kube.Scale(space.Connector):  with(map[string]any{"replicas": int64(0)}),
		kube.Delete(space.Connector): {"fixed": []any{object}},
		kube.Wait(space.Connector):   with(map[string]any{"for": "1s", "every": "200ms"}),
		kube.Check(space.Connector):  with(map[string]any{"conditions": []any{map[string]any{"that": "has(object.spec)"}}}),
	} {
		for _, attempted := range []bool{false, true} {
			env.Attempted, env.Members = attempted, []action.Member{{Key: "apps/v1 Deployment jhub/hub", Note: "uid x"}}
			_, err := a.Observe(t.Context(), env, in)
			reasonIs(t, err, "Unreachable", action.ExtentNone)
			if failure, _ := errors.AsType[*action.Error](err); !failure.Retryable {
				t.Errorf("%s: asking again may help: %v", a.Spec().Name, err)
			}
		}
		if a.Spec().Effect == action.Mutating {
			_, err := a.Run(t.Context(), env, in, nil)
			reasonIs(t, err, "Unreachable", action.ExtentNone)
		}
	}
}

// TestClusterForbidden asks as somebody who may do nothing.
func TestClusterForbidden(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	env := space.Env()
	env.Target.Config = map[string]any{"kubeconfig": nobody(t, space, env.Dir)}
	object := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "namespace": space.Name, "name": "hub-config"}
	_, err := kube.Check(space.Connector).Observe(t.Context(), env, map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "namespace": space.Name, "name": "hub-config",
		"conditions": []any{map[string]any{"that": "has(object.data)"}},
	})
	reasonIs(t, err, "AccessRefused", action.ExtentNone, `cannot get resource "configmaps"`, "ask for this right")
	_, err = kube.Apply(space.Connector).Observe(t.Context(), env, map[string]any{"namespace": space.Name, "objects": []any{configMap("a", nil)}})
	reasonIs(t, err, "AccessRefused", action.ExtentNone)
	_, err = kube.Delete(space.Connector).Observe(t.Context(), env, map[string]any{"fixed": []any{object}})
	reasonIs(t, err, "AccessRefused", action.ExtentNone)
}

// nobody makes an account without rights, and returns a kubeconfig for it.
func nobody(t *testing.T, space *kubetest.Space, dir string) string {
	t.Helper()
	ca := string(space.Cluster.Rest.CAData)
	if ca == "" {
		data, err := os.ReadFile(space.Cluster.Rest.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		ca = string(data)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca"), []byte(ca), 0o600); err != nil {
		t.Fatal(err)
	}
	token, err := space.Cluster.Typed.CoreV1().ServiceAccounts(space.Name).CreateToken(t.Context(), "default", tokenRequest(), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}], users: [{name: u, user: {token: %q}}]}`,
		space.Cluster.Rest.Host, filepath.Join(dir, "ca"), token.Status.Token)
	file := filepath.Join(dir, "nobody")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestClusterPatchKeeps proves that a lease of a patch gives back its fields alone.
func TestClusterPatchKeeps(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	a, env := kube.Patch(space.Connector), space.Env()
	in := map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "namespace": space.Name, "name": "hub", "type": "strategic",
		"patch": map[string]any{"spec": map[string]any{"paused": true, "template": map[string]any{"spec": map[string]any{
			"containers": []any{map[string]any{"name": "hub", "image": "localhost/refit/pause:2"}},
		}}}},
	}
	preview, err := a.Preview(t.Context(), env, in)
	if err != nil || !strings.Contains(preview.Summary, "spec.template.spec.containers[hub].image") || !strings.Contains(preview.Diff, "+  paused: true") {
		t.Errorf("preview: %v, %v", preview, err)
	}
	before := observed(t, a, env, in, action.NotStarted).Before
	if _, err := a.Run(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	env.Attempted = true
	observed(t, a, env, in, action.Done)
	foreign(t, space, deploymentKind(), "hub", `{"spec":{"minReadySeconds":3,"template":{"metadata":{"labels":{"new":"yes"}}}}}`)
	if err := a.Undo(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	o := read(t, space, deploymentKind(), "hub")
	if _, paused, _ := unstructured.NestedBool(o.Object, "spec", "paused"); paused {
		t.Error("it is still paused")
	}
	ready, _, _ := unstructured.NestedInt64(o.Object, "spec", "minReadySeconds")
	if ready != 3 || strings.Contains(owners(o), "refit") || o.GetAnnotations()["refit.dev/step"] != "" {
		t.Errorf("minReadySeconds %d, owners %s, annotations %v", ready, owners(o), o.GetAnnotations())
	}
}

// TestClusterScaleWaits scales up and down with real pods, and says what is awaited.
func TestClusterScaleWaits(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	a, env := kube.Scale(space.Connector), space.Env()
	in := map[string]any{"namespace": space.Name, "name": "hub", "replicas": int64(2), "wait": true, "within": "2m"}
	before := observed(t, a, env, in, action.NotStarted).Before
	if _, err := a.Run(t.Context(), env, in, before); err != nil {
		t.Fatal(err)
	}
	env.Attempted = true
	observed(t, a, env, in, action.Done)
	down := map[string]any{"namespace": space.Name, "name": "hub", "replicas": int64(0), "wait": true}
	was := observed(t, a, space.Env(), down, action.NotStarted).Before
	if _, err := a.Run(t.Context(), env, down, was); err != nil {
		t.Fatal(err)
	}
	pods, err := space.Cluster.Typed.CoreV1().Pods(space.Name).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 0 {
		t.Errorf("%d pods are there, %v", len(pods.Items), err)
	}
	if err := a.Undo(t.Context(), env, down, was); err != nil {
		t.Fatal(err)
	}
	if n, _, _ := unstructured.NestedInt64(read(t, space, deploymentKind(), "hub").Object, "spec", "replicas"); n != 2 {
		t.Errorf("it shall have %d pods again", n)
	}
}

// TestClusterScaleRefuses meets an autoscaler, an image that is not there, and an
// object that cannot be scaled.
func TestClusterScaleRefuses(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	a, env := kube.Scale(space.Connector), space.Env()
	missing := map[string]any{"namespace": space.Name, "name": "nothing", "replicas": int64(1)}
	obs := observed(t, a, env, missing, action.NotStarted)
	_, err := a.Run(t.Context(), env, missing, obs.Before)
	reasonIs(t, err, "NotThere", action.ExtentNone, "deployment nothing")
	config := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "namespace": space.Name, "name": "hub-config", "replicas": int64(1)}
	_, err = a.Run(t.Context(), env, config, nil)
	reasonIs(t, err, "NotScalable", action.ExtentNone, "no subresource scale")
	foreign(t, space, deploymentKind(), "hub", `{"spec":{"template":{"spec":{"containers":[{"name":"hub","image":"localhost/refit/nowhere:9","imagePullPolicy":"IfNotPresent"}]}}}}`)
	in := map[string]any{"namespace": space.Name, "name": "hub", "replicas": int64(1), "wait": true, "within": "25s"}
	_, err = a.Run(t.Context(), env, in, observed(t, a, env, in, action.NotStarted).Before)
	reasonIs(t, err, "NotReady", action.ExtentPartial, "0 of 1 pods are ready", "container hub does not start", "Pull")
	env.Attempted = true
	observed(t, a, env, in, action.Failed)
	least := int32(1)
	_, err = space.Cluster.Typed.AutoscalingV2().HorizontalPodAutoscalers(space.Name).Create(t.Context(), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "auto"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			MinReplicas: &least, MaxReplicas: 2,
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "hub"},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	down := map[string]any{"namespace": space.Name, "name": "hub", "replicas": int64(0)}
	_, err = a.Run(t.Context(), space.Env(), down, observed(t, a, space.Env(), down, action.NotStarted).Before)
	reasonIs(t, err, "Autoscaled", action.ExtentNone, "horizontalpodautoscaler auto")
}

// TestClusterDeleteHeld deletes what a finalizer holds, and what was made anew.
func TestClusterDeleteHeld(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	a, env := kube.Delete(space.Connector), space.Env()
	foreign(t, space, configMapKind(), "hub-cache-1", `{"metadata":{"finalizers":["example.org/holds"]}}`)
	t.Cleanup(func() { // so that the namespace can go
		patch := []byte(`{"metadata":{"finalizers":null}}`)
		_, err := space.Cluster.Typed.CoreV1().ConfigMaps(space.Name).Patch(context.Background(), "hub-cache-1", types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	in := map[string]any{"within": "2s", "live": map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "namespace": space.Name, "selector": "cache=true", "names": "hub-cache-.*", "never": []any{".*-keep"},
	}}
	env.Members = observed(t, a, env, in, action.NotStarted).Members
	if len(env.Members) != 2 {
		t.Fatalf("it picks %v", env.Members)
	}
	// Somebody makes the second one anew: it is another one, and stays.
	if err := space.Cluster.Typed.CoreV1().ConfigMaps(space.Name).Delete(t.Context(), "hub-cache-2", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	space.Apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: hub-cache-2}}")
	_, err := a.Run(t.Context(), env, in, nil)
	reasonIs(t, err, "NotGone", action.ExtentPartial, "configmap hub-cache-1", "finalizers example.org/holds", "controller of the finalizer")
	env.Attempted = true
	if obs := observed(t, a, env, in, action.Failed); !strings.Contains(obs.Reason, "example.org/holds") {
		t.Errorf("it does not say what holds it: %s", obs.Reason)
	}
	in["within"] = "10m"
	observed(t, a, env, in, action.InProgress)
	foreign(t, space, configMapKind(), "hub-cache-1", `{"metadata":{"finalizers":null}}`)
	observed(t, a, env, in, action.Done)
	if read(t, space, configMapKind(), "hub-cache-2") == nil || read(t, space, configMapKind(), "hub-cache-keep") == nil {
		t.Error("something was deleted that was not in the list")
	}
}

// TestClusterTerminating changes things in a namespace that is going away.
func TestClusterTerminating(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: holds, finalizers: [example.org/holds]}}")
	t.Cleanup(func() {
		patch := []byte(`{"metadata":{"finalizers":null}}`)
		_, err := space.Cluster.Typed.CoreV1().ConfigMaps(space.Name).Patch(context.Background(), "holds", types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	if err := space.Cluster.Typed.CoreV1().Namespaces().Delete(t.Context(), space.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	env := space.Env()
	in := map[string]any{"namespace": space.Name, "objects": []any{configMap("a", nil)}}
	a := kube.Apply(space.Connector)
	obs := observed(t, a, env, in, action.NotStarted)
	_, err := a.Run(t.Context(), env, in, obs.Before)
	reasonIs(t, err, "Terminating", action.ExtentNone, "being terminated")
	wait := map[string]any{"apiVersion": "v1", "kind": "Namespace", "name": space.Name, "until": "gone", "for": "20s", "every": "1s"}
	seen, err := kube.Wait(space.Connector).Observe(t.Context(), env, wait)
	if err != nil || seen.Status != action.Failed || !strings.Contains(seen.Reason, "Terminating since") || !strings.Contains(seen.Reason, "finalizers remaining: example.org/holds") {
		t.Errorf("got %v, %v", seen, err)
	}
}

// TestClusterWaitExplains waits for pods that never become ready.
func TestClusterWaitExplains(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Images("busybox")
	pod := func(name, spec string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n  selector: {matchLabels: {app: " + name + "}}\n" +
			"  template:\n    metadata: {labels: {app: " + name + "}}\n    spec: " + spec + "\n"
	}
	space.Apply(pod("pull", `{containers: [{name: main, image: "localhost/refit/nowhere:9", imagePullPolicy: IfNotPresent}]}`) +
		"---\n" + pod("crash", `{containers: [{name: main, image: "localhost/refit/busybox:1", command: [sh, -c, "exit 7"]}]}`) +
		"---\n" + pod("node", `{nodeSelector: {no: such}, containers: [{name: main, image: "localhost/refit/pause:1"}]}`) +
		"---\n" + pod("probe", `{terminationGracePeriodSeconds: 0, containers: [{name: main, image: "localhost/refit/busybox:1", command: [sleep, "600"], readinessProbe: {periodSeconds: 1, exec: {command: ["false"]}}}]}`) +
		"---\n" + pod("fine", `{terminationGracePeriodSeconds: 0, containers: [{name: main, image: "localhost/refit/pause:1"}]}`) +
		"---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec: {storageClassName: none-such, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n")
	env, a := space.Env(), kube.Wait(space.Connector)
	cases := map[string]struct {
		in   map[string]any
		want []string
	}{
		"pull":  {nil, []string{"does not start (", "Pull"}},
		"crash": {nil, []string{"exit code 7"}},
		"node":  {nil, []string{"has no node (Unschedulable)"}},
		"probe": {nil, []string{"runs and is not ready: container main", "last warning (Unhealthy)"}},
		"claim": {map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim"}, []string{"last warning (ProvisioningFailed)", "none-such"}},
		"fine":  {map[string]any{"for": "2m"}, nil},
		"none":  {map[string]any{"for": "1s"}, []string{"it is not there"}},
		"thing": {map[string]any{"for": "1s", "apiVersion": "no.such.org/v1", "kind": "Thing"}, []string{"knows no kind Thing"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "namespace": space.Name, "name": name, "for": "40s", "every": "1s"}
			maps.Copy(in, tc.in)
			// What is told about a pod takes a while to come.
			space.Within(kubetest.Patience, "the explanation", func(ctx context.Context) (bool, string) {
				if tc.want != nil {
					in["for"] = "1s"
				}
				obs, err := a.Observe(ctx, env, in)
				if err != nil {
					t.Fatal(err)
				}
				if tc.want == nil {
					return obs.Status == action.Done, obs.Reason
				}
				for _, part := range tc.want {
					if !strings.Contains(obs.Reason, part) {
						return false, obs.Reason
					}
				}
				return obs.Status == action.Failed, obs.Reason
			})
		})
	}
}

// TestClusterWaitCondition waits for something that comes while it waits.
func TestClusterWaitCondition(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	env, told := space.Env(), false
	env.Progress = func(action.Progress) {
		if !told {
			told = true
			foreign(t, space, configMapKind(), "hub-config", `{"data":{"logins":"off"}}`)
		}
	}
	in := map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "namespace": space.Name, "selector": "app=hub,!cache", "every": "200ms",
		"condition": `object.data.logins == "off"`,
	}
	obs, err := kube.Wait(space.Connector).Observe(t.Context(), env, in)
	if err != nil || obs.Status != action.Done || !told || obs.Output["count"] != int64(1) {
		t.Errorf("got %v, %v", obs, err)
	}
}

// TestClusterManyObjects picks from more objects than one page of an answer holds.
func TestClusterManyObjects(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	const many = 620
	for i := range many {
		_, err := space.Cluster.Typed.CoreV1().ConfigMaps(space.Name).Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("m-%03d", i), Labels: map[string]string{"many": "yes"}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	live := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "namespace": space.Name, "selector": "many=yes"}
	obs := observed(t, kube.Delete(space.Connector), space.Env(), map[string]any{"live": live}, action.NotStarted)
	if len(obs.Members) != many {
		t.Errorf("it picks %d", len(obs.Members))
	}
	check := map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "namespace": space.Name, "selector": "many=yes",
		"conditions": []any{map[string]any{"that": fmt.Sprintf("objects.size() == %d && object.metadata.labels.many == \"yes\"", many)}},
	}
	started := time.Now()
	seen := observed(t, kube.Check(space.Connector), space.Env(), check, action.Done)
	if names, _ := seen.Output["names"].([]any); len(names) != 100 {
		t.Errorf("%d names", len(names))
	}
	t.Logf("checked in %s", time.Since(started))
}
