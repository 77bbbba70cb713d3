package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

// ApplyInput is the input of kube.apply.
type ApplyInput struct {
	Objects   []map[string]any `json:"objects,omitempty" doc:"Objects as they stand in manifests, applied in their order; one of objects and file is given."`
	File      string           `json:"file,omitempty" doc:"YAML file with the objects, relative to the platform file."`
	Namespace string           `json:"namespace,omitempty" doc:"Namespace of the objects that name none and need one."`
	Force     bool             `json:"force,omitempty" doc:"Takes over fields that belong to other field managers; without it they are an error."`
}

// ApplyOutput is the output of kube.apply.
type ApplyOutput struct {
	Objects []AppliedObject `json:"objects" doc:"Objects that were applied, in the order of the input."`
}

// AppliedObject is an object that is as it was asked for.
type AppliedObject struct {
	APIVersion string `json:"apiVersion" doc:"API group and version that it was applied in."`
	Kind       string `json:"kind" doc:"Kind of the object."`
	Namespace  string `json:"namespace,omitempty" doc:"Namespace, where the kind has any."`
	Name       string `json:"name" doc:"Name of the object."`
	UID        string `json:"uid" doc:"UID of the object."`
}

// Apply returns the action kube.apply, which reaches clusters through connector.
func Apply(connector *kube.Connector) action.Action {
	a := applier{connector}
	return action.Define(action.Definition[ApplyInput, ApplyOutput]{
		Name:      "kube.apply",
		Version:   1,
		Summary:   "Apply objects to a cluster, on the server's side.",
		Effect:    action.Mutating,
		Resumable: true,
		Targets:   []string{kube.KindTarget},
		Typical:   5 * time.Second,
		Worst:     time.Minute,
		Check:     checkApply,
		Preview:   a.preview,
		Observe:   a.observe,
		Run:       a.run,
		Undo:      a.undo,
		Access:    a.access,
	})
}

func checkApply(in ApplyInput) error {
	if (in.File == "") == (len(in.Objects) == 0) {
		return errors.New("give one of the fields \"objects\" and \"file\"")
	}
	if strings.ContainsAny(in.Namespace, "/%?# ") {
		return fmt.Errorf("field \"namespace\" is %q, needs the name of a namespace", in.Namespace)
	}
	if in.File != "" {
		return nil
	}
	objects := givenObjects(in.Objects)
	for _, o := range objects {
		if o.GetKind() == kindSecret && (o.Object["data"] != nil || o.Object["stringData"] != nil) {
			return fmt.Errorf("field \"objects\": %s would stand in the plan with its values: keep it in a file",
				idOf(o))
		}
	}
	if err := checkObjects(objects); err != nil {
		return fmt.Errorf("field \"objects\": %w", err)
	}
	return nil
}

// applier carries out kube.apply.
type applier struct{ connector *kube.Connector }

// objects returns what is to be applied.
func (a applier) objects(env action.Env, in ApplyInput) ([]*unstructured.Unstructured, error) {
	if in.File != "" {
		return loadManifest(env, in.File)
	}
	return givenObjects(in.Objects), nil
}

// tries asks the server what would become of each object.
func (a applier) tries(
	ctx context.Context, env action.Env, in ApplyInput, force bool,
) ([]trial, []*unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, failed(ctx, "apply objects", err, action.ExtentNone)
	}
	objects, err := a.objects(env, in)
	if err != nil {
		return nil, nil, err
	}
	cluster, err := a.connector.Connect(env)
	if err != nil {
		return nil, nil, err
	}
	made := madeBy(objects)
	trials := make([]trial, len(objects))
	for i, o := range objects {
		if trials[i], err = tryApply(ctx, cluster, o, in.Namespace, made, force); err != nil {
			return nil, nil, err
		}
	}
	return trials, objects, nil
}

// tryApply asks the server what would become of an object. It completes its
// namespace.
func tryApply(
	ctx context.Context, cluster *kube.Cluster, o *unstructured.Unstructured, namespace string, made makes, force bool,
) (trial, error) {
	i := idOf(o)
	mapping, err := cluster.Resource(o.GroupVersionKind())
	if err != nil {
		if namespaced, ours := made.kinds[i.group()+"/"+i.kind]; ours && action.ReasonOf(err) == kube.ReasonNotFound {
			if namespaced && i.namespace == "" {
				o.SetNamespace(namespace)
			}
			return trial{place: place{cluster: cluster, id: idOf(o)}}, nil
		}
		return trial{}, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace && i.namespace == "" {
		o.SetNamespace(namespace)
	}
	p, err := locate(cluster, idOf(o))
	if err != nil {
		return trial{}, err
	}
	t := trial{place: p}
	if t.live, err = p.get(ctx); err != nil {
		return trial{}, err
	}
	t.next, err = p.client.Apply(ctx, p.id.name, o, metav1.ApplyOptions{
		FieldManager: kube.FieldOwner, Force: force, DryRun: []string{metav1.DryRunAll},
	})
	if err == nil {
		return t, nil
	}
	if conflict, is := fieldConflict(p.id, err); is {
		return t, conflict
	}
	if apierrors.IsNotFound(err) && made.namespaces[p.id.namespace] {
		return t, nil
	}
	return t, failed(ctx, "try to apply "+p.id.String(), err, action.ExtentNone)
}

// makes is what objects of a step bring that others of it need.
type makes struct {
	namespaces map[string]bool
	// kinds are the kinds by group and name, and whether they have namespaces.
	kinds map[string]bool
}

func madeBy(objects []*unstructured.Unstructured) makes {
	out := makes{namespaces: map[string]bool{}, kinds: map[string]bool{}}
	for _, o := range objects {
		switch idOf(o).group() + "/" + o.GetKind() {
		case "/Namespace":
			out.namespaces[o.GetName()] = true
		case "apiextensions.k8s.io/CustomResourceDefinition":
			text := func(path ...string) string {
				s, _, _ := unstructured.NestedString(o.Object, path...)
				return s
			}
			out.kinds[text("spec", "group")+"/"+text("spec", "names", "kind")] = text("spec", "scope") == "Namespaced"
		}
	}
	return out
}

func (a applier) preview(ctx context.Context, env action.Env, in ApplyInput) (action.Preview, error) {
	trials, _, err := a.tries(ctx, env, in, in.Force)
	what := "apply the objects of file \"" + in.File + "\""
	if in.File == "" {
		what = fmt.Sprintf("apply %d objects", len(in.Objects))
	}
	if err != nil {
		if !refusal(err) && action.ReasonOf(err) != reasonBadManifest {
			return action.Preview{}, err
		}
		// An earlier step may make what is missing.
		return action.Preview{Summary: what + "; as the cluster is now it would fail: " + err.Error()}, nil
	}
	var text strings.Builder
	var created, changed int
	for _, t := range trials {
		switch {
		case t.unchanged():
			continue
		case t.live == nil:
			created++
		default:
			changed++
		}
		if t.next != nil {
			text.WriteString(showDiff(t.place.id.String(), content(t.live), content(t.next)))
		}
	}
	return action.Preview{
		Summary: fmt.Sprintf("%s: %d are made, %d changed, %d are as wanted", what, created, changed,
			len(trials)-created-changed),
		Diff: cutDiff(text.String()),
	}, nil
}

func (a applier) observe(ctx context.Context, env action.Env, in ApplyInput) (action.Observed[ApplyOutput], error) {
	// Whoever owns the fields: the question is what they hold.
	trials, _, err := a.tries(ctx, env, in, true)
	if err != nil {
		if refusal(err) && !env.Attempted { // Run says so, before it changes anything.
			return action.Observed[ApplyOutput]{Status: action.NotStarted, Reason: err.Error()}, nil
		}
		return action.Observed[ApplyOutput]{}, err
	}
	done := 0
	for _, t := range trials {
		if t.unchanged() {
			done++
		}
	}
	seen := action.Observed[ApplyOutput]{
		Status: action.NotStarted, Before: recordAll(trials),
		Reason: fmt.Sprintf("%d of %d objects are as wanted", done, len(trials)),
	}
	switch {
	case done == len(trials):
		seen.Status, seen.Output = action.Done, applied(trials)
		return seen, nil
	case done > 0 && env.Attempted:
		seen.Status = action.Partial
	}
	if err := checkApplied(seen.Before); err != nil {
		if !env.Attempted { // Run says so, before it changes anything.
			return action.Observed[ApplyOutput]{Status: action.NotStarted, Reason: err.Error()}, nil
		}
		return action.Observed[ApplyOutput]{}, err
	}
	return seen, nil
}

func checkApplied(before map[string]any) error {
	return checkBefore(before, "apply fewer objects in one step")
}

func recordAll(trials []trial) map[string]any {
	records := make([]any, len(trials))
	for i, t := range trials {
		records[i] = t.record()
	}
	return map[string]any{"objects": records}
}

func applied(trials []trial) *ApplyOutput {
	out := &ApplyOutput{Objects: make([]AppliedObject, len(trials))}
	for i, t := range trials {
		out.Objects[i] = AppliedObject{
			APIVersion: t.place.id.apiVersion, Kind: t.place.id.kind, Namespace: t.place.id.namespace,
			Name: t.place.id.name, UID: string(t.live.GetUID()),
		}
	}
	return out
}

func (a applier) run(ctx context.Context, env action.Env, in ApplyInput, before map[string]any) (ApplyOutput, error) {
	// All are tried before the first one is changed.
	trials, objects, err := a.tries(ctx, env, in, in.Force)
	if err != nil {
		return ApplyOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	if err := checkApplied(recordAll(trials)); err != nil {
		return ApplyOutput{}, err
	}
	records, err := recordsOf(before, trials)
	if err != nil {
		return ApplyOutput{}, err
	}
	made := madeBy(objects)
	extent := action.ExtentNone
	for i := range trials {
		env.Report(action.Progress{
			Done: int64(i), Total: int64(len(trials)), Unit: "objects", Note: trials[i].place.id.String(),
		})
		if trials[i].unchanged() {
			continue
		}
		one := application{env: env, object: objects[i], force: in.Force, record: records[i]}
		if trials[i].live, err = one.carryOut(ctx, trials[i], made); err != nil {
			return ApplyOutput{}, worse(err, extent)
		}
		extent = action.ExtentPartial
	}
	return *applied(trials), nil
}

// worse lets an error say what was changed before it.
func worse(err error, sofar action.Extent) error {
	failure, ok := errors.AsType[*action.Error](err)
	if ok && failure.Effect == action.ExtentNone && sofar != action.ExtentNone {
		return action.WithExtent(err, sofar)
	}
	return err
}

// recordsOf returns what was observed of each object.
func recordsOf(before map[string]any, trials []trial) ([]map[string]any, error) {
	records := make([]map[string]any, len(trials))
	list, _ := before["objects"].([]any)
	if len(list) == 0 {
		return nil, notObserved("apply objects")
	}
	for i, t := range trials {
		if i < len(list) {
			records[i], _ = list[i].(map[string]any)
		}
		if len(list) != len(trials) || records[i]["object"] != t.place.id.key() {
			return nil, changedSince("apply objects", "they were observed, and others are wanted")
		}
	}
	return records, nil
}

// application is the change of one object.
type application struct {
	env    action.Env
	object *unstructured.Unstructured
	force  bool
	record map[string]any
}

// carryOut applies the object. It must be what it was when it was observed: the
// resourceVersion that was read goes along, and when somebody was faster the object is
// looked at again.
func (a application) carryOut(ctx context.Context, t trial, made makes) (*unstructured.Unstructured, error) {
	for try := 1; ; try++ {
		if t.unchanged() {
			return t.live, nil
		}
		var err error
		if t, err = a.whenThere(ctx, t); err != nil {
			return nil, err
		}
		if !action.Equal(t.record(), a.record) {
			return nil, changedSince("apply "+t.place.id.String(), "it was observed, and was changed")
		}
		body, err := a.body(ctx, t)
		if err != nil {
			return nil, err
		}
		is, err := t.place.client.Apply(ctx, t.place.id.name, body,
			metav1.ApplyOptions{FieldManager: kube.FieldOwner, Force: a.force})
		if err == nil {
			return is, nil
		}
		if conflict, of := fieldConflict(t.place.id, err); of {
			return nil, conflict
		}
		if !apierrors.IsConflict(err) || try == maxTries {
			return nil, failed(ctx, "apply "+t.place.id.String(), err, action.ExtentUnknown)
		}
		if t, err = tryApply(ctx, t.place.cluster, a.object, t.place.id.namespace, made, a.force); err != nil {
			return nil, err
		}
	}
}

// body returns the object as it is sent: with the mark of the step, and as the version
// that was read. A copy of a Secret is kept first.
func (a application) body(ctx context.Context, t trial) (*unstructured.Unstructured, error) {
	body := a.object.DeepCopy()
	annotations := body.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[kube.KeyAnnotation] = a.env.Key
	body.SetAnnotations(annotations)
	if t.live == nil {
		return body, nil
	}
	body.SetResourceVersion(t.live.GetResourceVersion())
	body.SetUID(t.live.GetUID())
	if t.isSecret() {
		if err := t.place.keep(ctx, a.env, t.live); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// whenThere waits until the server knows the namespace and the kind that this step
// has just made; it returns a trial that was possible as it is.
func (a application) whenThere(ctx context.Context, t trial) (trial, error) {
	if t.next != nil {
		return t, nil
	}
	const patience, every = 30 * time.Second, 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	i := t.place.id
	for {
		next, err := tryApply(ctx, t.place.cluster, a.object, i.namespace, makes{}, a.force)
		if err == nil {
			return next, nil
		}
		if action.ReasonOf(err) != kube.ReasonNotFound || wait.For(ctx, every) != nil {
			return next, err
		}
	}
}

func (a applier) undo(ctx context.Context, env action.Env, in ApplyInput, before map[string]any) error {
	trials, _, err := a.tries(ctx, env, in, true)
	if err != nil {
		return err
	}
	records, err := recordsOf(before, trials)
	if err != nil {
		return err
	}
	for i, trial := range slices.Backward(trials) {
		t, record := trial, records[i]
		switch {
		case t.place.client == nil, record["uid"] == nil && t.live == nil:
			continue // not there, as before
		case record["uid"] == nil:
			err = unmake(ctx, env, t)
		case t.isSecret():
			err = t.place.restoreSecret(ctx, env, t, record)
		default:
			err = t.place.restore(ctx, env, record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
