package kube

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// ofCluster returns the fields of an object that the cluster sets, beside those that
// every object has: they are not saved, and what is there stays when it is replaced.
func ofCluster(o *unstructured.Unstructured) [][]string {
	spec := func(fields ...string) [][]string {
		paths := make([][]string, len(fields))
		for i, f := range fields {
			paths[i] = []string{"spec", f}
		}
		return paths
	}
	switch idOf(o).group() + "/" + o.GetKind() {
	case "/Service":
		if ip, _, _ := unstructured.NestedString(o.Object, "spec", "clusterIP"); ip == "None" { // as people asked for
			return spec("healthCheckNodePort")
		}
		return spec("clusterIP", "clusterIPs", "healthCheckNodePort")
	case "/PersistentVolumeClaim":
		return spec("volumeName")
	case "/Pod":
		return spec("nodeName")
	case "batch/Job":
		return ofJob(o)
	}
	return nil
}

// ofJob returns what the API server itself puts into a Job to tell its pods.
func ofJob(o *unstructured.Unstructured) [][]string {
	if manual, _, _ := unstructured.NestedBool(o.Object, "spec", "manualSelector"); manual {
		return nil
	}
	paths := [][]string{{"spec", "selector"}}
	for _, label := range []string{
		"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name",
	} {
		paths = append(paths, []string{"metadata", "labels", label},
			[]string{"spec", "template", "metadata", "labels", label})
	}
	return paths
}

// notSaved are annotations by which controllers keep what they have done. The status of
// a binding goes with them: a claim that is made again is bound again.
func notSaved(annotation string) bool {
	for _, prefix := range []string{"deployment.kubernetes.io/", "pv.kubernetes.io/", "endpoints.kubernetes.io/"} {
		if strings.HasPrefix(annotation, prefix) {
			return true
		}
	}
	switch annotation {
	case kube.KeyAnnotation, "deprecated.daemonset.template.generation", "volume.kubernetes.io/selected-node",
		"volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner",
		"batch.kubernetes.io/job-tracking", "control-plane.alpha.kubernetes.io/leader":
		return true
	}
	return false
}

// cleaned returns what people set in an object: without what the cluster keeps there,
// its namespace, its owners, and what guards it from being deleted, which whoever guards
// it adds again.
func cleaned(o *unstructured.Unstructured) map[string]any {
	out := content(o)
	for _, field := range []string{"namespace", "ownerReferences", "finalizers"} {
		unstructured.RemoveNestedField(out, "metadata", field)
	}
	for _, path := range ofCluster(o) {
		unstructured.RemoveNestedField(out, path...)
	}
	metadata, _ := out["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	for name := range annotations {
		if notSaved(name) {
			delete(annotations, name)
		}
	}
	for _, field := range []string{"annotations", "labels"} {
		if members, ok := metadata[field].(map[string]any); ok && len(members) == 0 {
			delete(metadata, field)
		}
	}
	return out
}

// onto returns an object with what was saved, and all that the cluster keeps in live.
func onto(live *unstructured.Unstructured, saved map[string]any) *unstructured.Unstructured {
	out := &unstructured.Unstructured{Object: (&unstructured.Unstructured{Object: saved}).DeepCopy().Object}
	labels, annotations := out.GetLabels(), out.GetAnnotations()
	was := live.DeepCopy()
	for name, value := range was.GetAnnotations() {
		if notSaved(name) && name != kube.KeyAnnotation {
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[name] = value
		}
	}
	out.Object["metadata"] = was.Object["metadata"]
	out.SetLabels(labels)
	out.SetAnnotations(annotations)
	out.SetOwnerReferences(nil)
	if status, there := was.Object["status"]; there {
		out.Object["status"] = status
	}
	for _, path := range ofCluster(live) {
		value, there, err := unstructured.NestedFieldCopy(live.Object, path...)
		if there && err == nil {
			_ = unstructured.SetNestedField(out.Object, value, path...) // else the server says what it wants
		}
	}
	return out
}

// ours tells whether Refit still owns fields that it has set by an update.
func ours(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(o.GetManagedFields(), isOurs)
}

func isOurs(entry metav1.ManagedFieldsEntry) bool {
	return entry.Manager == kube.FieldOwner && entry.Operation == metav1.ManagedFieldsOperationUpdate &&
		entry.Subresource == ""
}

// ownersOfFields returns who owns the fields of an object, but for Refit and for what
// stands in parts of it that are not restored, such as its status.
func ownersOfFields(o *unstructured.Unstructured) []metav1.ManagedFieldsEntry {
	var kept []metav1.ManagedFieldsEntry
	for _, entry := range o.GetManagedFields() {
		if !isOurs(entry) && entry.Subresource == "" {
			kept = append(kept, entry)
		}
	}
	return kept
}

// unsaved says why an object is not saved, "" for one that is: what another object
// makes, what is over, and what the cluster puts into every namespace.
func unsaved(o *unstructured.Unstructured, selectors map[string]bool) string {
	kind := idOf(o).group() + "/" + o.GetKind()
	labels := o.GetLabels()
	switch {
	case o.GetDeletionTimestamp() != nil:
		return "it is being deleted"
	case labels[kube.StepLabel] != "":
		return "it belongs to a step of Refit"
	case kind != "/PersistentVolumeClaim" && byController(o):
		return "its controller makes it"
	case ofEveryNamespace(o) && plainAccount(o):
		return "the cluster puts it into every namespace"
	}
	switch kind {
	case "/Secret":
		if t, _, _ := unstructured.NestedString(o.Object, "type"); t == "kubernetes.io/service-account-token" {
			return "it holds a token that the cluster makes, of an account that may be another one then"
		}
	case "/Endpoints":
		if selectors[o.GetName()] || o.GetAnnotations()["control-plane.alpha.kubernetes.io/leader"] != "" {
			return "the cluster makes it of a Service"
		}
	case "discovery.k8s.io/EndpointSlice":
		if strings.HasSuffix(labels["endpointslice.kubernetes.io/managed-by"], "controller.k8s.io") {
			return "the cluster makes it of a Service"
		}
	case "/Pod", "batch/Job":
		if over(o) {
			return "it has ended"
		}
	}
	return ""
}

// byController tells whether a controller of Kubernetes itself makes an object again.
// What operators own is saved: it may hold what they cannot make twice, such as a
// password.
func byController(o *unstructured.Unstructured) bool {
	owner := metav1.GetControllerOf(o)
	if owner == nil {
		return false
	}
	switch (id{apiVersion: owner.APIVersion, kind: owner.Kind}).group() {
	case "", "apps", "batch", "discovery.k8s.io":
		return true
	}
	return false
}

// plainAccount tells whether nobody has added anything to the account that every
// namespace has; true of other objects.
func plainAccount(o *unstructured.Unstructured) bool {
	if o.GetKind() != "ServiceAccount" {
		return true
	}
	return action.Equal(cleaned(o), map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": o.GetName()},
	})
}

// over tells whether a pod or a job has ended: made again, it would run once more.
func over(o *unstructured.Unstructured) bool {
	switch phase, _, _ := unstructured.NestedString(o.Object, "status", "phase"); phase {
	case "Succeeded", "Failed":
		return true
	}
	if o.GetAnnotations()["kubernetes.io/config.mirror"] != "" { // a node makes it of a file
		return true
	}
	conditions, _, err := unstructured.NestedSlice(o.Object, "status", "conditions")
	if err != nil || o.GetKind() != "Job" {
		return false
	}
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if (condition["type"] == "Complete" || condition["type"] == "Failed") && condition["status"] == "True" {
			return true
		}
	}
	return false
}
