package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// savedForm is the version of the lines of a backup that this Refit writes.
const savedForm = 1

// savedHead is the first line of a backup: the namespace itself, and what was selected.
type savedHead struct {
	Form        int               `json:"form"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Selection   selection         `json:"selection"`
}

// savedObject is the line of one object: what people set in it, and beside it what the
// cluster had set and a restore has to know.
type savedObject struct {
	Object map[string]any `json:"object"`
	UID    types.UID      `json:"uid"`
	// Owners are the objects that it goes with, Fields who owned its fields.
	Owners []metav1.OwnerReference     `json:"owners,omitempty"`
	Fields []metav1.ManagedFieldsEntry `json:"fields,omitempty"`
	// Volume is what a claim was bound to.
	Volume string `json:"volume,omitempty"`
}

// saver writes the objects of a namespace.
type saver struct {
	cluster   *kube.Cluster
	namespace string
	selection selection

	head      savedHead
	kinds     []*meta.RESTMapping
	selectors map[string]bool
}

// prepare asks what there is to save.
func (n *saver) prepare(ctx context.Context) error {
	found, err := n.cluster.Typed.CoreV1().Namespaces().Get(ctx, n.namespace, metav1.GetOptions{})
	if err != nil {
		return failed(ctx, "read namespace "+n.namespace, err, action.ExtentNone)
	}
	n.head = savedHead{Form: savedForm, Namespace: n.namespace, Selection: n.selection}
	n.head.Labels, n.head.Annotations = found.Labels, found.Annotations
	delete(n.head.Labels, "kubernetes.io/metadata.name")
	delete(n.head.Annotations, kube.KeyAnnotation)
	if n.kinds, err = n.selection.kindsOf(ctx, n.cluster); err != nil {
		return err
	}
	return n.look(ctx)
}

// look asks which Services have endpoints that the cluster makes, if that matters.
func (n *saver) look(ctx context.Context) error {
	if !slices.ContainsFunc(n.kinds, func(m *meta.RESTMapping) bool { return m.GroupVersionKind.Kind == "Endpoints" }) {
		return nil
	}
	var err error
	n.selectors, err = hasSelector(ctx, n.cluster, n.namespace)
	return err
}

// save writes all of them. Of two kinds that show the same object it is the first.
func (n *saver) save(ctx context.Context, out *backup.ItemWriter) error {
	line, err := json.Marshal(n.head)
	if err == nil {
		err = out.Head(line)
	}
	if err != nil {
		return err
	}
	seen := map[types.UID]bool{}
	for _, mapping := range n.kinds {
		objects, err := n.ofKind(ctx, mapping)
		if err != nil {
			return err
		}
		for _, o := range objects {
			if seen[o.GetUID()] {
				continue
			}
			seen[o.GetUID()] = true
			line, err := json.Marshal(recordOf(o))
			if err == nil {
				err = out.Write(o.GetAPIVersion(), o.GetKind(), o.GetName(), line)
			}
			if err != nil {
				return fmt.Errorf("save %s: %w", idOf(o), err)
			}
		}
	}
	return nil
}

// ofKind returns the objects of a kind that are saved, in the order of their names.
func (n *saver) ofKind(ctx context.Context, mapping *meta.RESTMapping) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	version, kind := mapping.GroupVersionKind.ToAPIVersionAndKind()
	p := listOf(n.cluster, mapping, n.namespace)
	err := p.each(ctx, n.selection.Selector, func(o *unstructured.Unstructured) error {
		o.SetAPIVersion(version) // members of lists need not say what they are
		o.SetKind(kind)
		if unsaved(o, n.selectors) == "" {
			objects = append(objects, o)
		}
		return nil
	})
	slices.SortFunc(objects, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(a.GetName(), b.GetName())
	})
	return objects, err
}

func recordOf(o *unstructured.Unstructured) savedObject {
	s := savedObject{
		Object: cleaned(o), UID: o.GetUID(), Owners: o.GetOwnerReferences(), Fields: ownersOfFields(o),
	}
	if isClaim(o) {
		s.Volume, _, _ = unstructured.NestedString(o.Object, "spec", "volumeName")
	}
	return s
}

func isClaim(o *unstructured.Unstructured) bool {
	return o.GetKind() == "PersistentVolumeClaim" && idOf(o).group() == ""
}

// headOf reads the first line of a backup.
func headOf(line []byte) (savedHead, error) {
	var head savedHead
	if err := json.Unmarshal(line, &head); err != nil || head.Namespace == "" {
		return head, errors.New("its first line does not say what it holds")
	}
	if head.Form > savedForm {
		return head, &action.Error{
			Reason: backup.ReasonBackupTooNew, Effect: action.ExtentNone,
			Remedy: "use the Refit that wrote it, or a newer one",
			Err:    fmt.Errorf("its objects have the form %d, this Refit reads up to %d", head.Form, savedForm),
		}
	}
	return head, nil
}

// objectOf reads the line of an object. No error quotes anything of it.
func objectOf(line []byte, namespace string, head savedHead) (saved, error) {
	var record savedObject
	bad := errors.New("an object in it cannot be read")
	if err := json.Unmarshal(line, &record); err != nil {
		return saved{}, bad
	}
	plain, err := action.ParseJSON(line) // whole numbers stay whole
	if err != nil {
		return saved{}, bad
	}
	members, _ := plain.(map[string]any)
	content, _ := members["object"].(map[string]any)
	o := &unstructured.Unstructured{Object: normal(content)}
	if err := idOf(o).check(); err != nil {
		return saved{}, bad
	}
	record.Object = o.Object
	if namespace != head.Namespace {
		follow(o, head.Namespace, namespace)
	}
	return saved{savedObject: record, id: id{o.GetAPIVersion(), o.GetKind(), namespace, o.GetName()}}, nil
}

// follow fits an object to another namespace than that which it was saved in: accounts
// that a RoleBinding names are those of that namespace, and ports of nodes are taken by
// the Service that was saved.
func follow(o *unstructured.Unstructured, from, to string) {
	withoutPorts(o)
	if o.GetKind() != "RoleBinding" {
		return
	}
	subjects, _, err := unstructured.NestedSlice(o.Object, "subjects")
	if err != nil {
		return
	}
	for _, s := range subjects {
		if subject, ok := s.(map[string]any); ok && subject["namespace"] == from {
			subject["namespace"] = to
		}
	}
	if len(subjects) > 0 {
		_ = unstructured.SetNestedSlice(o.Object, subjects, "subjects") // they were a list before
	}
}

// withoutPorts takes the ports of nodes out of a Service.
func withoutPorts(o *unstructured.Unstructured) {
	ports, _, err := unstructured.NestedSlice(o.Object, "spec", "ports")
	if o.GetKind() != "Service" || err != nil || len(ports) == 0 {
		return
	}
	for _, p := range ports {
		if port, ok := p.(map[string]any); ok {
			delete(port, "nodePort")
		}
	}
	_ = unstructured.SetNestedSlice(o.Object, ports, "spec", "ports") // they were a list before
}

// saved is an object of a backup, in the namespace that it is brought to.
type saved struct {
	savedObject
	id id
}

func (s saved) kind() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(s.id.apiVersion, s.id.kind)
}

func (s saved) groupKind() schema.GroupKind { return s.kind().GroupKind() }

// body returns the object as it is sent to make it.
func (s saved) body() *unstructured.Unstructured {
	out := (&unstructured.Unstructured{Object: s.Object}).DeepCopy()
	out.SetNamespace(s.id.namespace)
	return out
}
