package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

const reasonNotThere = "NotThere"

// The types of patches.
const (
	patchMerge     = "merge"
	patchStrategic = "strategic"
	patchJSON      = "json"
)

// PatchInput is the input of kube.patch.
type PatchInput struct {
	APIVersion string `json:"apiVersion" doc:"API group and version of the kind, such as apps/v1."`
	Kind       string `json:"kind" doc:"Kind, such as Deployment."`
	Namespace  string `json:"namespace,omitempty" doc:"Namespace; left out for kinds that have none."`
	Name       string `json:"name" doc:"Name of the object."`
	Type       string `json:"type,omitempty" enum:"merge,strategic,json" doc:"Type of the patch; default merge, in which null removes a field and lists are replaced."`
	Patch      any    `json:"patch" doc:"Patch: an object, or for json a list of the operations add, replace, remove and test."`
}

// PatchOutput is the output of kube.patch.
type PatchOutput struct {
	UID    string   `json:"uid" doc:"UID of the object."`
	Fields []string `json:"fields" doc:"Fields that the step has set, at most 100; empty when it was observed that all of them are set."`
}

// Patch returns the action kube.patch, which reaches clusters through connector.
func Patch(connector *kube.Connector) action.Action {
	p := patcher{connector}
	return action.Define(action.Definition[PatchInput, PatchOutput]{
		Name:     "kube.patch",
		Version:  1,
		Summary:  "Change fields of one object of a cluster.",
		Effect:   action.Mutating,
		CanLease: true,
		Targets:  []string{kube.KindTarget},
		Typical:  2 * time.Second,
		Worst:    30 * time.Second,
		Check:    checkPatch,
		Preview:  p.preview,
		Observe:  p.observe,
		Run:      p.run,
		Undo:     p.undo,
		Access:   p.access,
	})
}

func (in PatchInput) id() id { return id{in.APIVersion, in.Kind, in.Namespace, in.Name} }

func checkPatch(in PatchInput) error {
	if err := in.id().check(); err != nil {
		return err
	}
	if in.Kind == kindSecret && in.id().group() == "" {
		return errors.New("field \"kind\": what a Secret holds would stand in the plan: use kube.apply with a file")
	}
	if in.Type == patchJSON {
		_, err := operationsOf(in.Patch)
		return err
	}
	patch, ok := in.Patch.(map[string]any)
	if !ok || len(patch) == 0 {
		return errors.New("field \"patch\" must be an object with the fields to set")
	}
	for _, field := range []string{"apiVersion", "kind", "status"} {
		if _, there := patch[field]; there {
			return fmt.Errorf("field \"patch\" has %q, which a patch does not change", field)
		}
	}
	metadata, there := patch["metadata"]
	m, ok := metadata.(map[string]any)
	if there && !ok {
		return errors.New("field \"patch\": metadata must be an object")
	}
	for key := range m {
		if key != "labels" && key != "annotations" && key != "finalizers" && key != "ownerReferences" {
			return fmt.Errorf("field \"patch\" has metadata.%s, which belongs to the cluster", key)
		}
	}
	annotations, there := m["annotations"]
	if _, ok := annotations.(map[string]any); there && !ok {
		return errors.New("field \"patch\": metadata.annotations must be an object")
	}
	return nil
}

// operation is one of a JSON patch.
type operation struct {
	op    string
	path  []string
	value any
}

// operationsOf reads a JSON patch. Only those are permitted that can be made twice,
// so that it can be seen in the object whether they were made.
func operationsOf(patch any) ([]operation, error) {
	list, ok := patch.([]any)
	if !ok || len(list) == 0 {
		return nil, errors.New("field \"patch\" must be a list of operations " +
			"such as {op: replace, path: /spec/paused, value: true}")
	}
	var operations []operation
	changes := false
	for i, item := range list {
		o, err := operationOf(item)
		if err != nil {
			return nil, fmt.Errorf("field \"patch[%d]\": %w", i, err)
		}
		changes = changes || o.op != "test"
		operations = append(operations, o)
	}
	if !changes {
		return nil, errors.New("field \"patch\" changes nothing: it has tests only")
	}
	return operations, nil
}

// operationOf reads one operation.
func operationOf(item any) (operation, error) {
	m, _ := item.(map[string]any)
	op, _ := m["op"].(string)
	pointer, _ := m["path"].(string)
	if !slices.Contains([]string{"add", "replace", "remove", "test"}, op) {
		return operation{}, fmt.Errorf("op is %q, needs add, replace, remove or test", op)
	}
	if !strings.HasPrefix(pointer, "/") {
		return operation{}, fmt.Errorf("path is %q, needs one such as /spec/replicas", pointer)
	}
	parts := strings.Split(pointer[1:], "/")
	for i, part := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	if parts[0] == "status" || (op != "test" && parts[0] == "metadata" &&
		(len(parts) < 3 || parts[1] != "labels" && parts[1] != "annotations")) {
		return operation{}, fmt.Errorf("%s belongs to the cluster", pointer)
	}
	if _, there := m["value"]; there == (op == "remove") {
		return operation{}, errors.New("a value belongs to add, replace and test, and to nothing else")
	}
	number := regexp.MustCompile(`^([0-9]+|-)$`)
	if op != "replace" && op != "test" && number.MatchString(parts[len(parts)-1]) {
		return operation{}, fmt.Errorf(
			"%s of a member of a list has another effect each time: use a strategic patch", op)
	}
	return operation{op, parts, normalValue(m["value"])}, nil
}

// made tells whether an operation shows in an object.
func (o operation) made(object map[string]any) bool {
	var v any = object
	there := true
	for _, part := range o.path {
		switch at := v.(type) {
		case map[string]any:
			v, there = at[part]
		case []any:
			var i int
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i < 0 || i >= len(at) {
				there = false
			} else {
				v = at[i]
			}
		default:
			there = false
		}
		if !there {
			return o.op == "remove"
		}
	}
	return o.op != "remove" && action.Equal(v, o.value)
}

// patcher carries out kube.patch.
type patcher struct{ connector *kube.Connector }

// try asks the server what would become of the object.
func (p patcher) try(ctx context.Context, env action.Env, in PatchInput) (trial, error) {
	at, err := find(ctx, p.connector, env, in.id())
	if err != nil {
		return trial{}, err
	}
	t := trial{place: at}
	if t.live, err = at.get(ctx); err != nil {
		return trial{}, err
	}
	if t.live == nil {
		return trial{}, &action.Error{
			Reason: reasonNotThere, Effect: action.ExtentNone, Remedy: "correct name and namespace, or make it first",
			Err: fmt.Errorf("patch %s: it is not there", at.id),
		}
	}
	if in.made(t.live) {
		t.next = t.live
		return t, nil
	}
	kind, body, err := in.body(nil, "")
	if err != nil {
		return trial{}, err
	}
	t.next, err = at.client.Patch(ctx, at.id.name, kind, body,
		metav1.PatchOptions{FieldManager: kube.FieldOwner, DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return t, in.explain(failed(ctx, "try to patch "+at.id.String(), err, action.ExtentNone), err)
	}
	return t, nil
}

// made tells of a JSON patch that all of it shows in an object: made again it would
// be refused, as what it removes is not there.
func (in PatchInput) made(live *unstructured.Unstructured) bool {
	if in.Type != patchJSON {
		return false
	}
	operations, err := operationsOf(in.Patch)
	return err == nil && !slices.ContainsFunc(operations, func(o operation) bool {
		return o.op != "test" && !o.made(live.Object)
	})
}

// explain adds what helps when a server does not take a type of patch.
func (in PatchInput) explain(failure, cause error) error {
	out, ok := errors.AsType[*action.Error](failure)
	if ok && apierrors.IsUnsupportedMediaType(cause) {
		out.Remedy = "this kind takes no strategic patches: use type: merge"
	}
	return failure
}

// body returns the patch as it is sent. With live it carries the mark of the step, and
// is refused when the object is another one, or another version, by then.
func (in PatchInput) body(live *unstructured.Unstructured, key string) (types.PatchType, []byte, error) {
	if in.Type == patchJSON {
		list, _ := in.Patch.([]any)
		list = slices.Clone(list)
		if live != nil {
			add := func(path string, value any) {
				list = append(list, map[string]any{"op": "add", "path": "/metadata/" + path, "value": value})
			}
			add("resourceVersion", live.GetResourceVersion())
			add("uid", string(live.GetUID()))
			if live.GetAnnotations() == nil && !slices.ContainsFunc(list, addsAnnotations) {
				add("annotations", map[string]any{})
			}
			add("annotations/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(kube.KeyAnnotation), key)
		}
		text, err := json.Marshal(list)
		return types.JSONPatchType, text, err
	}
	patch, _ := in.Patch.(map[string]any)
	patch = normal(patch)
	if live != nil {
		metadata, _ := patch["metadata"].(map[string]any)
		if metadata == nil {
			metadata = map[string]any{}
		}
		annotations, _ := metadata["annotations"].(map[string]any)
		if annotations == nil {
			annotations = map[string]any{}
		}
		annotations[kube.KeyAnnotation] = key
		metadata["annotations"] = annotations
		metadata["resourceVersion"], metadata["uid"] = live.GetResourceVersion(), string(live.GetUID())
		patch["metadata"] = metadata
	}
	text, err := json.Marshal(patch)
	if in.Type == patchStrategic {
		return types.StrategicMergePatchType, text, err
	}
	return types.MergePatchType, text, err
}

// addsAnnotations tells of an operation below the annotations, which the server
// refuses itself when there are none.
func addsAnnotations(item any) bool {
	m, _ := item.(map[string]any)
	path, _ := m["path"].(string)
	return strings.HasPrefix(path, "/metadata/annotations") && m["op"] == "add"
}

func (p patcher) preview(ctx context.Context, env action.Env, in PatchInput) (action.Preview, error) {
	what := "patch " + in.id().String()
	t, err := p.try(ctx, env, in)
	switch {
	case err != nil && !refusal(err):
		return action.Preview{}, err
	case err != nil: // an earlier step may make what is missing
		//nolint:nilerr // The summary says it.
		return action.Preview{Summary: what + "; as the cluster is now it would fail: " + err.Error()}, nil
	case t.unchanged():
		return action.Preview{Summary: what + ": it is as wanted"}, nil
	}
	return action.Preview{
		Summary: what + ": " + changedFields(t.changes()),
		Diff:    cutDiff(showDiff(t.place.id.String(), content(t.live), content(t.next))),
	}, nil
}

func (p patcher) observe(ctx context.Context, env action.Env, in PatchInput) (action.Observed[PatchOutput], error) {
	t, err := p.try(ctx, env, in)
	if err != nil {
		if refusal(err) && !env.Attempted { // Run says so, before it changes anything.
			return action.Observed[PatchOutput]{Status: action.NotStarted, Reason: err.Error()}, nil
		}
		return action.Observed[PatchOutput]{}, err
	}
	changes := t.changes()
	if len(changes) == 0 {
		seen := action.Saw(PatchOutput{UID: string(t.live.GetUID()), Fields: []string{}})
		seen.Reason = "the fields are as wanted"
		return seen, nil
	}
	seen := action.Observed[PatchOutput]{
		Status: action.NotStarted, Before: t.record(), Reason: "it differs in " + changedFields(changes),
	}
	if err := checkPatched(seen.Before); err != nil {
		if !env.Attempted {
			return action.Observed[PatchOutput]{Status: action.NotStarted, Reason: err.Error()}, nil
		}
		return action.Observed[PatchOutput]{}, err
	}
	return seen, nil
}

func checkPatched(before map[string]any) error {
	return checkBefore(before, "patch fewer fields in one step")
}

func (p patcher) run(ctx context.Context, env action.Env, in PatchInput, before map[string]any) (PatchOutput, error) {
	for try := 1; ; try++ {
		t, err := p.try(ctx, env, in)
		if err != nil {
			return PatchOutput{}, action.WithExtent(err, action.ExtentNone)
		}
		changes := t.changes()
		out := PatchOutput{UID: string(t.live.GetUID()), Fields: []string{}}
		if len(changes) == 0 {
			return out, nil
		}
		doing := "patch " + t.place.id.String()
		if err := checkPatched(t.record()); err != nil {
			return PatchOutput{}, err
		}
		if len(before) == 0 {
			return PatchOutput{}, notObserved(doing)
		}
		if !action.Equal(t.record(), before) {
			return PatchOutput{}, changedSince(doing, "it was observed, and was changed")
		}
		kind, body, err := in.body(t.live, env.Key)
		if err != nil {
			return PatchOutput{}, err
		}
		_, err = t.place.client.Patch(ctx, t.place.id.name, kind, body,
			metav1.PatchOptions{FieldManager: kube.FieldOwner})
		if err == nil {
			out.Fields = fieldsOf(changes)
			return out, nil
		}
		if !apierrors.IsConflict(err) || try == maxTries {
			return PatchOutput{}, failed(ctx, doing, err, action.ExtentUnknown)
		}
	}
}

// fieldsOf names what was changed, as the output does.
func fieldsOf(changes []change) []string {
	const most = 100
	fields := []string{}
	for _, c := range changes[:min(len(changes), most)] {
		fields = append(fields, c.path.String())
	}
	return fields
}

func (p patcher) undo(ctx context.Context, env action.Env, in PatchInput, before map[string]any) error {
	at, err := find(ctx, p.connector, env, in.id())
	if err != nil {
		return err
	}
	if len(before) == 0 {
		return lost(at.id, errors.New("nothing was recorded of it"))
	}
	return at.restore(ctx, env, before)
}
