package kube

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

func deployment() map[string]any {
	return map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "jhub", "name": "hub"}
}

func merged(base map[string]any, more map[string]any) map[string]any {
	out := maps.Clone(base)
	for key, v := range more {
		if out[key] = v; v == nil {
			delete(out, key)
		}
	}
	return out
}

// TestObjectActionsRefuseInputs looks at what is refused before anybody is asked.
func TestObjectActionsRefuseInputs(t *testing.T) {
	t.Parallel()
	connector := kube.NewConnector(nil)
	object := func(metadata map[string]any, more map[string]any) map[string]any {
		return merged(map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}, more)
	}
	named := map[string]any{"name": "a"}
	apply := func(objects ...any) map[string]any { return map[string]any{"objects": objects} }
	patch := func(more map[string]any) map[string]any {
		return merged(merged(deployment(), map[string]any{"patch": map[string]any{"spec": map[string]any{}}}), more)
	}
	jsonPatch := func(operations ...any) map[string]any {
		return patch(map[string]any{"type": "json", "patch": operations})
	}
	live := func(more map[string]any) map[string]any {
		return map[string]any{"live": merged(map[string]any{"apiVersion": "v1", "kind": "Pod", "namespace": "jhub", "names": "hub-.*"}, more)}
	}
	check := func(that string) map[string]any {
		return merged(deployment(), map[string]any{"conditions": []any{map[string]any{"that": that}}})
	}
	scale := func(more map[string]any) map[string]any {
		return merged(map[string]any{"namespace": "jhub", "name": "hub", "replicas": int64(0)}, more)
	}
	cases := map[string]struct {
		action action.Action
		in     map[string]any
		want   string // "" when nothing is wrong
	}{
		"Apply":              {Apply(connector), apply(object(named, nil)), ""},
		"ApplyBoth":          {Apply(connector), merged(apply(object(named, nil)), map[string]any{"file": "x"}), `one of the fields "objects" and "file"`},
		"ApplyNothing":       {Apply(connector), map[string]any{}, `one of the fields "objects" and "file"`},
		"ApplyNoName":        {Apply(connector), apply(object(map[string]any{}, nil)), `object 1: field "name" is ""`},
		"ApplyNoKind":        {Apply(connector), apply(object(named, map[string]any{"kind": nil})), `field "kind" is ""`},
		"ApplyTwice":         {Apply(connector), apply(object(named, nil), object(named, nil)), "object 2: configmap a is there twice"},
		"ApplyStatus":        {Apply(connector), apply(object(named, map[string]any{"status": map[string]any{}})), "has a status"},
		"ApplyVersion":       {Apply(connector), apply(object(map[string]any{"name": "a", "resourceVersion": "1"}, nil)), "metadata.resourceVersion"},
		"ApplyMark":          {Apply(connector), apply(object(map[string]any{"name": "a", "annotations": map[string]any{"refit.dev/step": "x"}}, nil)), "is set by Refit"},
		"ApplyMetadata":      {Apply(connector), apply(object(named, map[string]any{"metadata": "x"})), "its metadata is no map"},
		"ApplySecret":        {Apply(connector), apply(object(named, map[string]any{"kind": "Secret", "stringData": map[string]any{"a": "hunter2"}})), "keep it in a file"},
		"ApplySlash":         {Apply(connector), apply(object(map[string]any{"name": "../x"}, nil)), `field "name" is "../x"`},
		"ApplyNamespace":     {Apply(connector), merged(apply(object(named, nil)), map[string]any{"namespace": "a/b"}), `field "namespace"`},
		"Patch":              {Patch(connector), patch(nil), ""},
		"PatchEmpty":         {Patch(connector), patch(map[string]any{"patch": map[string]any{}}), `field "patch" must be an object`},
		"PatchList":          {Patch(connector), patch(map[string]any{"patch": []any{}}), `field "patch" must be an object`},
		"PatchStatus":        {Patch(connector), patch(map[string]any{"patch": map[string]any{"status": nil}}), `has "status"`},
		"PatchName":          {Patch(connector), patch(map[string]any{"patch": map[string]any{"metadata": map[string]any{"name": "x"}}}), "metadata.name, which belongs"},
		"PatchAnnotations":   {Patch(connector), patch(map[string]any{"patch": map[string]any{"metadata": map[string]any{"annotations": nil}}}), "metadata.annotations must be an object"},
		"PatchVersion":       {Patch(connector), patch(map[string]any{"apiVersion": "a/b/c"}), `field "apiVersion" is "a/b/c"`},
		"PatchSecret":        {Patch(connector), patch(map[string]any{"apiVersion": "v1", "kind": "Secret"}), "use kube.apply with a file"},
		"JSON":               {Patch(connector), jsonPatch(map[string]any{"op": "replace", "path": "/spec/replicas", "value": int64(1)}), ""},
		"JSONAppend":         {Patch(connector), jsonPatch(map[string]any{"op": "add", "path": "/spec/list/-", "value": int64(1)}), "has another effect each time"},
		"JSONInsert":         {Patch(connector), jsonPatch(map[string]any{"op": "add", "path": "/spec/list/0", "value": int64(1)}), "has another effect each time"},
		"JSONMove":           {Patch(connector), jsonPatch(map[string]any{"op": "move", "path": "/a", "from": "/b"}), `op is "move"`},
		"JSONNoPath":         {Patch(connector), jsonPatch(map[string]any{"op": "remove", "path": "spec"}), `path is "spec"`},
		"JSONNoValue":        {Patch(connector), jsonPatch(map[string]any{"op": "add", "path": "/spec/x"}), "a value belongs to add"},
		"JSONTests":          {Patch(connector), jsonPatch(map[string]any{"op": "test", "path": "/spec/x", "value": int64(1)}), "it has tests only"},
		"JSONStatus":         {Patch(connector), jsonPatch(map[string]any{"op": "remove", "path": "/status/x"}), "belongs to the cluster"},
		"JSONMetadata":       {Patch(connector), jsonPatch(map[string]any{"op": "remove", "path": "/metadata/labels"}), "belongs to the cluster"},
		"JSONObject":         {Patch(connector), patch(map[string]any{"type": "json"}), "must be a list of operations"},
		"Scale":              {Scale(connector), scale(nil), ""},
		"ScaleBelow":         {Scale(connector), scale(map[string]any{"replicas": int64(-1)}), `field "replicas" is -1`},
		"ScaleWithin":        {Scale(connector), scale(map[string]any{"within": "1m"}), `"within" says nothing`},
		"ScaleNamespace":     {Scale(connector), scale(map[string]any{"namespace": ""}), `field "namespace" is empty`},
		"DeleteLive":         {Delete(connector), live(nil), ""},
		"DeleteFixed":        {Delete(connector), map[string]any{"fixed": []any{deployment()}}, ""},
		"DeleteBoth":         {Delete(connector), merged(live(nil), map[string]any{"fixed": []any{deployment()}}), `one of the fields "fixed" and "live"`},
		"DeleteNothing":      {Delete(connector), map[string]any{}, `one of the fields "fixed" and "live"`},
		"DeleteAll":          {Delete(connector), live(map[string]any{"names": nil}), "all objects of a kind are never meant"},
		"DeletePattern":      {Delete(connector), live(map[string]any{"names": "("}), `"names" is no regular expression`},
		"DeleteNever":        {Delete(connector), live(map[string]any{"never": []any{"["}}), `"never[0]" is no regular expression`},
		"DeleteNeverEmpty":   {Delete(connector), live(map[string]any{"never": []any{""}}), `"never[0]" is empty`},
		"DeleteSelector":     {Delete(connector), live(map[string]any{"selector": "a in ("}), "is no selector of labels"},
		"DeleteEverything":   {Delete(connector), live(map[string]any{"names": nil, "selector": " "}), "which selects everything"},
		"DeleteFixedName":    {Delete(connector), map[string]any{"fixed": []any{merged(deployment(), map[string]any{"name": ""})}}, `field "fixed[0]": field "name"`},
		"Wait":               {Wait(connector), deployment(), ""},
		"WaitBoth":           {Wait(connector), merged(deployment(), map[string]any{"selector": "a=b"}), `one of the fields "name" and "selector"`},
		"WaitUntilCondition": {Wait(connector), merged(deployment(), map[string]any{"until": "gone", "condition": "true"}), `one of the fields "until" and "condition"`},
		"WaitCondition":      {Wait(connector), merged(deployment(), map[string]any{"condition": "object.spec.replicas =="}), "is no condition"},
		"WaitEvery":          {Wait(connector), merged(deployment(), map[string]any{"every": "1ms"}), `field "every" is 1ms`},
		"Check":              {Check(connector), check("object.spec.replicas == 1 && objects.size() == 1"), ""},
		"CheckBraces":        {Check(connector), check(`object.spec == {"replicas": 1}`), ""},
		"CheckNotBool":       {Check(connector), check("1 + 1"), "is no condition"},
		"CheckUnknown":       {Check(connector), check("objcet.spec"), `objcet`},
		"CheckTemplate":      {Check(connector), check("true} ${false"), "is no condition"},
		"CheckOfNothing":     {Check(connector), check("1 == 1"), "asks neither object nor objects"},
		"CheckEmpty":         {Check(connector), merged(deployment(), map[string]any{"conditions": []any{}}), `field "conditions" is empty`},
		"CheckEvery":         {Check(connector), merged(check("has(object.spec)"), map[string]any{"every": "1s"}), `"every" says nothing`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checker, ok := tc.action.(action.Checker)
			if !ok {
				t.Fatal("it checks nothing")
			}
			err := checker.Check(tc.in)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestLoadManifest(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text string
		want string // the names, or the error
	}{
		"Several":  {"# first\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n{apiVersion: v1, kind: Secret, metadata: {name: b, namespace: c}}\n---\n# none\n", "configmap a, secret b in namespace c"},
		"List":     {"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n", "configmap a, configmap b"},
		"Flow":     {"\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n", "configmap a, configmap b"},
		"TwiceKey": {"apiVersion: v1\nkind: Secret\nkind: hunter2\n", "document 1 is no object of YAML: look at line 3"},
		"Nothing":  {"# nothing\n", "there is no object in it"},
		"Broken":   {"apiVersion: v1\nkind: Secret\nstringData: {a: \"hunter2\n", "document 1 is no object of YAML: look at line"},
		"Text":     {"hunter2", "document 1 is no object of YAML: its form is wrong"},
		"Member":   {"kind: List\nitems: [x]\n", "a member of its list is no object"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := action.Env{Dir: t.TempDir()}
			if err := os.WriteFile(filepath.Join(env.Dir, "m.yaml"), []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			objects, err := loadManifest(env, "m.yaml")
			var names []string
			for _, o := range objects {
				names = append(names, idOf(o).String())
			}
			got := strings.Join(names, ", ")
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, tc.want) || strings.Contains(got, "hunter2") || strings.Contains(got, "\n") {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
	if _, err := loadManifest(action.Env{Dir: t.TempDir()}, "nowhere.yaml"); action.ReasonOf(err) != reasonBadManifest {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestMadeBy(t *testing.T) {
	t.Parallel()
	objects, err := parseManifest([]byte(`
{apiVersion: v1, kind: Namespace, metadata: {name: inner}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.x.org}, spec: {group: x.org, scope: Namespaced, names: {kind: Thing}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	made := madeBy(objects)
	if namespaced, there := made.kinds["x.org/Thing"]; !there || !namespaced || !made.namespaces["inner"] {
		t.Errorf("got %v", made)
	}
}

func TestOperationMade(t *testing.T) {
	t.Parallel()
	object := `{"spec":{"replicas":1,"list":["a","b"],"labels":{"a/b":"c"}}}`
	cases := map[string]struct {
		op   map[string]any
		want bool
	}{
		"Replaced":  {map[string]any{"op": "replace", "path": "/spec/replicas", "value": int64(1)}, true},
		"Other":     {map[string]any{"op": "replace", "path": "/spec/replicas", "value": int64(2)}, false},
		"Index":     {map[string]any{"op": "replace", "path": "/spec/list/1", "value": "b"}, true},
		"Beyond":    {map[string]any{"op": "replace", "path": "/spec/list/2", "value": "b"}, false},
		"Escaped":   {map[string]any{"op": "add", "path": "/spec/labels/a~1b", "value": "c"}, true},
		"Removed":   {map[string]any{"op": "remove", "path": "/spec/paused"}, true},
		"NotYet":    {map[string]any{"op": "remove", "path": "/spec/replicas"}, false},
		"NoParent":  {map[string]any{"op": "add", "path": "/spec/no/where", "value": "x"}, false},
		"IntoValue": {map[string]any{"op": "remove", "path": "/spec/replicas/x"}, true},
	}
	for name, tc := range cases {
		operations, err := operationsOf([]any{tc.op})
		if err != nil {
			t.Fatal(err)
		}
		if got := operations[0].made(plainOf(t, object)); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestMemberRecord(t *testing.T) {
	t.Parallel()
	for _, m := range []member{
		{id{"v1", "Pod", "jhub", "hub-1"}, "u-1"}, {id{"rbac.authorization.k8s.io/v1", "ClusterRole", "", "system:x"}, "u-2"},
	} {
		record := m.record(time.Unix(0, 0))
		if got, err := memberOfRecord(record); err != nil || got != m {
			t.Errorf("%v is read back as %v, %v", record, got, err)
		}
	}
	for _, record := range []action.Member{{Key: "v1 Pod", Note: "uid x"}, {Key: "v1 Pod a/b", Note: "x"}, {Key: "v1 Pod a/b", Note: "uid , made"}} {
		if got, err := memberOfRecord(record); err == nil {
			t.Errorf("%v is read as %v", record, got)
		}
	}
}

func TestDeletedIsBounded(t *testing.T) {
	t.Parallel()
	members := make([]action.Member, 1000)
	for i := range members {
		members[i].Key = "v1 ConfigMap jhub/" + strings.Repeat("x", 60)
	}
	out := deleted(members)
	if out.Count != 1000 || !out.Truncated || len(out.Deleted) == 0 || len(out.Deleted) > 300 {
		t.Errorf("%d, %t, %d names", out.Count, out.Truncated, len(out.Deleted))
	}
}

func TestFieldConflict(t *testing.T) {
	t.Parallel()
	kind := schema.GroupResource{Group: "apps", Resource: "deployments"}
	err := apierrors.NewApplyConflict([]metav1.StatusCause{{
		Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.replicas", Message: `conflict with "helm" using apps/v1`,
	}}, "Apply failed with 1 conflict")
	got, is := fieldConflict(id{"apps/v1", "Deployment", "jhub", "hub"}, err)
	if !is || action.ReasonOf(got) != reasonFieldConflict || !strings.Contains(got.Error(), `.spec.replicas (conflict with "helm"`) {
		t.Errorf("got %v", got)
	}
	if _, is := fieldConflict(id{}, apierrors.NewConflict(kind, "hub", errors.New("changed"))); is {
		t.Error("somebody was faster, and owns nothing")
	}
}

func TestWhyNotReady(t *testing.T) {
	t.Parallel()
	waiting := func(reason, message string, last *corev1.ContainerStateTerminated) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{
			Name: "hub", RestartCount: 7, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
			LastTerminationState: corev1.ContainerState{Terminated: last},
		}}}}
	}
	conditions := func(c ...corev1.PodCondition) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: c}}
	}
	ending := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	cases := map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"Ready":    {conditions(corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue}), ""},
		"Pull":     {waiting("ImagePullBackOff", "Back-off pulling image\n\"x\"", nil), `container hub does not start (ImagePullBackOff): Back-off pulling image "x"`},
		"Crash":    {waiting("CrashLoopBackOff", "back-off 5m0s", &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}), "container hub ends again and again (CrashLoopBackOff, 7 restarts), last with exit code 137 (OOMKilled)"},
		"Node":     {conditions(corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes are available"}), "has no node (Unschedulable): 0/1 nodes are available"},
		"Creating": {waiting("ContainerCreating", "", nil), "is being started"},
		"Ending":   {&corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &ending, Finalizers: []string{"x/y"}}}, "is ending, until 2026-01-02T03:04:05Z, and waits for its finalizers x/y"},
		"Evicted":  {&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "low on memory"}}, "has failed (Evicted): low on memory"},
		"NotYet":   {&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "hub", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}}}, "runs and is not ready: container hub"},
		"Init": {
			&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending, InitContainerStatuses: []corev1.ContainerStatus{{Name: "migrate", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error"}}}}}},
			"container migrate has ended with exit code 3 (Error)",
		},
		"Long": {waiting("CreateContainerConfigError", strings.Repeat("a", 400), nil), "container hub does not start (CreateContainerConfigError): " + strings.Repeat("a", maxMessage) + "…"},
	}
	for name, tc := range cases {
		if got := whyNotReady(tc.pod); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestWhyThere(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ object, want, remedy string }{
		"Untouched": {`{"kind":"Pod","metadata":{"name":"a"}}`, "nobody has asked to delete it", "look who keeps it"},
		"Finalizer": {`{"kind":"Pod","metadata":{"deletionTimestamp":"2026-01-02T03:04:05Z","finalizers":["a/b"]}}`, "it is Terminating since 2026-01-02T03:04:05Z: its finalizers a/b were not removed by their controllers", "controller of the finalizer"},
		"Namespace": {`{"kind":"Namespace","metadata":{"deletionTimestamp":"2026-01-02T03:04:05Z"},"status":{"conditions":[{"type":"NamespaceContentRemaining","status":"True","message":"Some resources are remaining: pods. has 1 resource instances"},{"type":"X","status":"False","message":"no"}]}}`, "it is Terminating since 2026-01-02T03:04:05Z: Some resources are remaining: pods. has 1 resource instances", "delete what is left in it"},
		"Grace":     {`{"kind":"Pod","metadata":{"deletionTimestamp":"2026-01-02T03:04:05Z","deletionGracePeriodSeconds":30}}`, "it is Terminating since 2026-01-02T03:04:05Z: it has 30 s to end by itself", "wait"},
	}
	for name, tc := range cases {
		o := &unstructured.Unstructured{Object: plainOf(t, tc.object)}
		if got := whyThere(o); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
		if got := remedyGone(o); !strings.Contains(got, tc.remedy) {
			t.Errorf("%s: got %q, want %q", name, got, tc.remedy)
		}
	}
}

func TestStateOf(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		object, want string
		final        bool
	}{
		"ConfigMap": {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`, "", false},
		"Rollout":   {`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","generation":2},"spec":{"replicas":1},"status":{"observedGeneration":1}}`, "Deployment generation is 2, but latest observed generation is 1", false},
		"Job":       {`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"status":{"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded"}]}}`, "it has failed: ", true},
		"Late":      {`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":1},"status":{"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded"}]}}`, "it has failed: Progress deadline exceeded", false},
		"Ending":    {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","deletionTimestamp":"2026-01-02T03:04:05Z"}}`, "it is Terminating since", false},
	}
	for name, tc := range cases {
		got, final := stateOf(&unstructured.Unstructured{Object: plainOf(t, tc.object)})
		if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) || final != tc.final {
			t.Errorf("%s: got %q, %t", name, got, final)
		}
	}
}

// TestJudge evaluates conditions over lists.
func TestJudge(t *testing.T) {
	t.Parallel()
	object := func(name string, replicas int64) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "metadata": map[string]any{"name": name}, "spec": map[string]any{"replicas": replicas}}}
	}
	cases := map[string]struct {
		name    string
		that    string
		message string
		objects []*unstructured.Unstructured
		want    string
	}{
		"True":    {"hub", "object.spec.replicas == 1", "", []*unstructured.Unstructured{object("hub", 1)}, ""},
		"False":   {"hub", "object.spec.replicas == 2", "", []*unstructured.Unstructured{object("hub", 1)}, "object.spec.replicas == 2 is not true"},
		"Message": {"hub", "object.spec.replicas == 2", "two are needed", []*unstructured.Unstructured{object("hub", 1)}, "two are needed (object.spec.replicas == 2 is not true)"},
		"Field":   {"hub", "object.status.ready", "", []*unstructured.Unstructured{object("hub", 1)}, "object.status.ready: "},
		"Missing": {"hub", "object.spec.replicas == 2", "", nil, "it is not there"},
		"Absent":  {"hub", "objects.size() == 0", "", nil, ""},
		"There":   {"hub", "objects.size() == 0", "it must be gone", []*unstructured.Unstructured{object("hub", 1)}, "it must be gone (objects.size() == 0 is not true)"},
		"Each":    {"", "object.spec.replicas > 0", "", []*unstructured.Unstructured{object("a", 1), object("b", 0), object("c", 0)}, "b: object.spec.replicas > 0 is not true; c: object.spec.replicas > 0 is not true"},
		"Both":    {"", "objects.all(o, o.spec.replicas <= object.spec.replicas)", "", []*unstructured.Unstructured{object("a", 1), object("b", 2)}, "a: objects.all(o, o.spec.replicas <= object.spec.replicas) is not true"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := CheckInput{Name: tc.name, Conditions: []CheckCondition{{That: tc.that, Message: tc.message}}}
			conditions, err := in.compile()
			if err != nil {
				t.Fatal(err)
			}
			got := in.judge(conditions, tc.objects, "it is not there")
			if (tc.want == "") != (got == "") || !strings.HasPrefix(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestPoll asks something that becomes so after a number of tries.
func TestPoll(t *testing.T) {
	t.Parallel()
	away := &action.Error{Reason: kube.ReasonUnreachable, Retryable: true, Effect: action.ExtentNone, Err: errors.New("connection refused")}
	refused := &action.Error{Reason: action.ReasonAccessRefused, Effect: action.ExtentNone, Err: errors.New("forbidden")}
	cases := map[string]struct {
		reason string
		limit  time.Duration
		ends   time.Duration
		errs   map[int]error // by the number of the try
		ready  int
		final  int
		tries  int
		want   string
	}{
		"Once":        {"Without a limit it is asked once.", 0, time.Hour, nil, 9, 0, 1, "not yet"},
		"Ready":       {"It is asked until it is so.", time.Minute, time.Hour, nil, 4, 0, 4, ""},
		"Ends":        {"The limit ends it.", 9 * time.Second, time.Hour, nil, 99, 0, 5, "not yet"},
		"Final":       {"What will not change is not waited for.", time.Minute, time.Hour, nil, 99, 3, 3, "not yet"},
		"Away":        {"A cluster that is away for a while is waited for.", time.Minute, time.Hour, map[int]error{2: away, 3: away}, 4, 0, 4, ""},
		"StillAway":   {"Nobody knows what a cluster would say that is away.", 3 * time.Second, time.Hour, map[int]error{2: away, 3: away}, 4, 0, 2, "connection refused"},
		"AwayOnce":    {"Asked once it is an error as well.", 0, time.Hour, map[int]error{1: away}, 4, 0, 1, "connection refused"},
		"Refused":     {"Rights do not come by waiting.", time.Minute, time.Hour, map[int]error{2: refused}, 4, 0, 2, "forbidden"},
		"Interrupted": {"The end of the step is told from the end of the time.", time.Hour, 5 * time.Second, nil, 99, 0, 3, "the last of 3 tries: not yet"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tc.ends)
				defer cancel()
				try := 0
				tries, why, err := polling{what: "wait", limit: tc.limit, every: 2 * time.Second}.poll(ctx, action.Env{},
					func(context.Context) (string, bool, error) {
						try++
						if tc.errs[try] != nil {
							return "", false, tc.errs[try]
						}
						if try >= tc.ready {
							return "", false, nil
						}
						return "not yet", tc.final == try, nil
					})
				got := why
				if err != nil {
					got = err.Error()
				}
				if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) || tries != tc.tries {
					t.Errorf("%s got %q after %d tries", tc.reason, got, tries)
				}
			})
		})
	}
}
