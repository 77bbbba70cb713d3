package kube

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// TestNamespaceActionsRefuseInputs looks at what is refused before anybody is asked.
func TestNamespaceActionsRefuseInputs(t *testing.T) {
	t.Parallel()
	w := World{Kube: kube.NewConnector(nil)}
	save := func(more map[string]any) map[string]any {
		return merged(map[string]any{"namespace": "jhub", "store": "file:store", "secrets": "skip"}, more)
	}
	named := func(kind, version string) []any {
		return []any{map[string]any{"kind": kind, "apiVersion": version}}
	}
	key := map[string]any{"env": "KEY"}
	verify := func(more map[string]any) map[string]any {
		return merged(map[string]any{"store": "file:store", "backup": "jhub-0123456789abcdef"}, more)
	}
	cases := map[string]struct {
		action action.Action
		in     map[string]any
		want   string // "" when nothing is wrong
	}{
		"Backup":             {Backup(w), save(nil), ""},
		"BackupSecrets":      {Backup(w), save(map[string]any{"secrets": nil, "key": key}), ""},
		"BackupSecretsOpen":  {Backup(w), save(map[string]any{"secrets": nil}), `field "key" is missing: Secrets are saved encrypted only; give a key, or leave them out with secrets: skip`},
		"BackupIncludeOpen":  {Backup(w), save(map[string]any{"secrets": "include"}), `field "key" is missing`},
		"BackupOtherKinds":   {Backup(w), save(map[string]any{"secrets": nil, "kinds": named("ConfigMap", "v1")}), ""},
		"BackupSecretsNamed": {Backup(w), save(map[string]any{"secrets": nil, "kinds": named("Secret", "v1")}), `field "key" is missing`},
		"BackupOtherSecret":  {Backup(w), save(map[string]any{"secrets": nil, "kinds": named("Secret", "example.org/v1")}), ""},
		"BackupNamespace":    {Backup(w), save(map[string]any{"namespace": "a/b"}), `field "namespace" is "a/b"`},
		"BackupKind":         {Backup(w), save(map[string]any{"kinds": named("a/b", "v1")}), `field "kinds[0]": field "kind" is "a/b"`},
		"BackupVersion":      {Backup(w), save(map[string]any{"kinds": named("Pod", "")}), `field "kinds[0]": field "apiVersion" is ""`},
		"BackupSelector":     {Backup(w), save(map[string]any{"selector": "a=="}), ""},
		"BackupBadSelector":  {Backup(w), save(map[string]any{"selector": "=a"}), `field "selector" is no selector`},
		"BackupLevel":        {Backup(w), save(map[string]any{"level": int64(20)}), `field "level" is between 1 and 19`},
		"BackupSeries":       {Backup(w), save(map[string]any{"series": "A b"}), `field "series" has up to 63`},
		"Verify":             {Verify(w), verify(nil), ""},
		"VerifyLevel":        {Verify(w), verify(map[string]any{"level": int64(4)}), `field "level" is between 1 and 3`},
		"VerifyNothing":      {Verify(w), verify(map[string]any{"backup": ""}), `field "backup" an id`},
		"Restore":            {Restore(w), verify(nil), ""},
		"RestoreNothing":     {Restore(w), verify(map[string]any{"backup": ""}), `field "backup" must be an id`},
		"RestoreNamespace":   {Restore(w), verify(map[string]any{"namespace": "../x"}), `field "namespace" is "../x"`},
		"RestoreKind":        {Restore(w), verify(map[string]any{"kinds": named("", "v1")}), `field "kinds[0]": field "kind" is ""`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checker, ok := tc.action.(action.Checker)
			if !ok {
				t.Fatal("it checks nothing")
			}
			err := checker.Check(tc.in)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("an error is one line: %q", err)
			}
		})
	}
}

// object reads an object of JSON.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	plain, err := action.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := plain.(map[string]any)
	return &unstructured.Unstructured{Object: normal(m)}
}

// TestCleaned looks at what is kept of objects, and that nothing is lost that the cluster
// keeps when what was saved is put back.
func TestCleaned(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ live, want string }{
		"Metadata": {
			`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","uid":"1","resourceVersion":"2","generation":3,
				"creationTimestamp":"2026-01-01T00:00:00Z","managedFields":[{"manager":"x"}],"finalizers":["f"],"labels":{"a":"b"},
				"ownerReferences":[{"apiVersion":"v1","kind":"A","name":"o","uid":"1"}],"annotations":{"refit.dev/step":"x"}},"data":{"n":"1"}}`,
			`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"a":"b"}},"data":{"n":"1"}}`,
		},
		"Service": {
			`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],
				"healthCheckNodePort":3,"ports":[{"nodePort":30001,"port":1}]},"status":{"loadBalancer":{}}}`,
			`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"nodePort":30001,"port":1}]}}`,
		},
		"Headless": {
			`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"clusterIP":"None","clusterIPs":["None"]}}`,
			`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"clusterIP":"None","clusterIPs":["None"]}}`,
		},
		"Claim": {
			`{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"a","annotations":{"pv.kubernetes.io/bind-completed":"yes",
				"volume.kubernetes.io/selected-node":"x","mine":"y"}},"spec":{"volumeName":"pv","storageClassName":"s"}}`,
			`{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"a","annotations":{"mine":"y"}},"spec":{"storageClassName":"s"}}`,
		},
		"Job": {
			`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a","labels":{"controller-uid":"1","app":"x"}},"spec":{"selector":{"matchLabels":{"batch.kubernetes.io/controller-uid":"1"}},
				"template":{"metadata":{"labels":{"controller-uid":"1","batch.kubernetes.io/job-name":"a","app":"x"}}}}}`,
			`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a","labels":{"app":"x"}},"spec":{"template":{"metadata":{"labels":{"app":"x"}}}}}`,
		},
		"JobBySelector": {
			`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"spec":{"manualSelector":true,"selector":{"matchLabels":{"a":"b"}}}}`,
			`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"spec":{"manualSelector":true,"selector":{"matchLabels":{"a":"b"}}}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live := object(t, tc.live)
			got := cleaned(live)
			if diff := cmp.Diff(object(t, tc.want).Object, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			back := onto(live, got)
			back.SetOwnerReferences(live.GetOwnerReferences())
			if diff := cmp.Diff(without(live).Object, without(back).Object); diff != "" {
				t.Errorf("put back it is another (-was +is):\n%s", diff)
			}
		})
	}
}

// without returns an object without the mark of a step, which nothing puts back.
func without(o *unstructured.Unstructured) *unstructured.Unstructured {
	out := o.DeepCopy()
	unstructured.RemoveNestedField(out.Object, "metadata", "annotations", kube.KeyAnnotation)
	if len(out.GetAnnotations()) == 0 {
		out.SetAnnotations(nil)
	}
	return out
}

// TestUnsaved looks at what is left out, and why.
func TestUnsaved(t *testing.T) {
	t.Parallel()
	controlled := func(group string) string {
		return `"ownerReferences":[{"apiVersion":"` + group + `","kind":"Owner","name":"o","uid":"1","controller":true}]`
	}
	cases := map[string]struct{ object, want string }{
		"Plain":             {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`, ""},
		"Root":              {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kube-root-ca.crt"}}`, "every namespace"},
		"Ending":            {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","deletionTimestamp":"2026-01-01T00:00:00Z"}}`, "being deleted"},
		"Refit":             {`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","labels":{"refit.dev/step-hash":"x"}}}`, "step of Refit"},
		"Controlled":        {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a",` + controlled("apps/v1") + `}}`, "its controller"},
		"ByOperator":        {`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a",` + controlled("db.example.org/v1") + `}}`, ""},
		"ClaimOfSet":        {`{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"a",` + controlled("apps/v1") + `}}`, ""},
		"Token":             {`{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/service-account-token","metadata":{"name":"a"}}`, "token"},
		"Helm":              {`{"apiVersion":"v1","kind":"Secret","type":"helm.sh/release.v1","metadata":{"name":"a"}}`, ""},
		"DefaultAccount":    {`{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","uid":"1"}}`, "every namespace"},
		"DefaultWithSecret": {`{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"},"imagePullSecrets":[{"name":"x"}]}`, ""},
		"OtherAccount":      {`{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"hub"}}`, ""},
		"EndpointsOf":       {`{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"hub"}}`, "of a Service"},
		"EndpointsByHand":   {`{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"outside"}}`, ""},
		"SliceOf":           {`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"a","labels":{"endpointslice.kubernetes.io/managed-by":"endpointslicemirroring-controller.k8s.io"}}}`, "of a Service"},
		"SliceByHand":       {`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"a"}}`, ""},
		"PodRuns":           {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"status":{"phase":"Running"}}`, ""},
		"PodEnded":          {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"status":{"phase":"Succeeded"}}`, "has ended"},
		"JobRuns":           {`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"status":{"conditions":[{"type":"Complete","status":"False"}]}}`, ""},
		"JobEnded":          {`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"status":{"conditions":[{"type":"Failed","status":"True"}]}}`, "has ended"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := unsaved(object(t, tc.object), map[string]bool{"hub": true})
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestOrder looks at what comes before what.
func TestOrder(t *testing.T) {
	t.Parallel()
	var last int
	for _, kind := range []schema.GroupKind{
		{Kind: "ServiceAccount"},
		{Kind: "Secret"},
		{Kind: "PersistentVolumeClaim"},
		{Kind: "Service"},
		{Group: "db.example.org", Kind: "Cluster"},
		{Group: "apps", Kind: "Deployment"},
		{Group: "networking.k8s.io", Kind: "Ingress"},
		{Kind: "ResourceQuota"},
	} {
		if now := rankOf(kind); now < last {
			t.Errorf("%s comes too early", kind)
		} else {
			last = now
		}
	}
}

// TestSavedLine reads the line of an object: whole numbers stay whole, accounts of a
// RoleBinding go along, and nothing is quoted of what cannot be read.
func TestSavedLine(t *testing.T) {
	t.Parallel()
	o := object(t, `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"hub","uid":"7","annotations":{"n":"1"}},
		"count":9007199254740993,"subjects":[{"kind":"ServiceAccount","name":"a","namespace":"from"},{"kind":"ServiceAccount","name":"b","namespace":"other"}]}`)
	line, err := json.Marshal(recordOf(o))
	if err != nil {
		t.Fatal(err)
	}
	s, err := objectOf(line, "to", savedHead{Namespace: "from"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s.body().Object)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"9007199254740993", `"name":"a","namespace":"to"`, `"name":"b","namespace":"other"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	for _, bad := range []string{`hunter2`, `{"object":"hunter2"}`, `{"object":{"kind":"hunter2"}}`} {
		if _, err := objectOf([]byte(bad), "n", savedHead{}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
	if _, err := headOf([]byte(`{"form":99,"namespace":"n"}`)); action.ReasonOf(err) != "BackupTooNew" {
		t.Errorf("got %v", err)
	}
}

// TestHolds tells what is missing from what was added.
func TestHolds(t *testing.T) {
	t.Parallel()
	list := func(v ...any) []any { return v }
	cases := map[string]struct {
		object, saved any
		want          bool
	}{
		"Same":    {map[string]any{"a": int64(1)}, map[string]any{"a": int64(1)}, true},
		"Added":   {map[string]any{"a": int64(1), "b": "x"}, map[string]any{"a": int64(1)}, true},
		"Missing": {map[string]any{"b": "x"}, map[string]any{"a": int64(1)}, false},
		"Other":   {map[string]any{"a": int64(2)}, map[string]any{"a": int64(1)}, false},
		"Empty":   {map[string]any{}, map[string]any{"a": map[string]any{}, "b": list()}, true},
		"Longer":  {list("a", "b"), list("a"), true},
		"Shorter": {list("a"), list("a", "b"), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := holds(tc.object, tc.saved); got != tc.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// TestOwnersOfFields keeps who owned fields, but for Refit and for what is not restored.
func TestOwnersOfFields(t *testing.T) {
	t.Parallel()
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetManagedFields([]metav1.ManagedFieldsEntry{
		{Manager: "helm", Operation: "Apply"},
		{Manager: "refit", Operation: "Update"},
		{Manager: "kubelet", Operation: "Update", Subresource: "status"},
		{Manager: "refit", Operation: "Apply"},
	})
	if got := ownersOfFields(o); len(got) != 2 || got[0].Manager != "helm" || got[1].Operation != "Apply" || !ours(o) {
		t.Errorf("got %v", got)
	}
}
