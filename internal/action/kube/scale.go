package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

const (
	reasonAutoscaled  = "Autoscaled"
	reasonNotScalable = "NotScalable"
	reasonNotReady    = "NotReady"
)

// scaleEvery is the pause between two looks at the pods of what was scaled.
const scaleEvery = time.Second

// ScaleInput is the input of kube.scale.
type ScaleInput struct {
	APIVersion string        `json:"apiVersion,omitempty" doc:"API group and version of the kind; default apps/v1."`
	Kind       string        `json:"kind,omitempty" doc:"Kind, any that has the subresource scale; default Deployment."`
	Namespace  string        `json:"namespace" doc:"Namespace of the object."`
	Name       string        `json:"name" doc:"Name of the object."`
	Replicas   int           `json:"replicas" doc:"How many pods there shall be, 0 to 10000."`
	Wait       bool          `json:"wait,omitempty" doc:"Waits until so many pods are ready and all others are gone."`
	Within     time.Duration `json:"within,omitempty" doc:"How long is waited; default 5m."`
}

// ScaleOutput is the output of kube.scale.
type ScaleOutput struct {
	UID      string `json:"uid" doc:"UID of the object."`
	Replicas int64  `json:"replicas" doc:"How many pods it shall have now."`
}

// Scale returns the action kube.scale, which reaches clusters through connector.
func Scale(connector *kube.Connector) action.Action {
	s := scaler{connector}
	return action.Define(action.Definition[ScaleInput, ScaleOutput]{
		Name:     "kube.scale",
		Version:  1,
		Summary:  "Set how many pods a workload has.",
		Effect:   action.Mutating,
		CanLease: true,
		Targets:  []string{kube.KindTarget},
		Typical:  15 * time.Second,
		Worst:    5 * time.Minute,
		Check:    checkScale,
		Preview:  s.preview,
		Observe:  s.observe,
		Run:      s.run,
		Undo:     s.undo,
		Access:   s.access,
	})
}

func (in ScaleInput) id() id {
	return id{cmp.Or(in.APIVersion, "apps/v1"), cmp.Or(in.Kind, "Deployment"), in.Namespace, in.Name}
}

func checkScale(in ScaleInput) error {
	if err := in.id().check(); err != nil {
		return err
	}
	switch {
	case in.Namespace == "":
		return errors.New("field \"namespace\" is empty, needs the name of a namespace")
	case in.Replicas < 0 || in.Replicas > 10000:
		return fmt.Errorf("field \"replicas\" is %d, needs 0 to 10000", in.Replicas)
	case in.Within < 0:
		return errors.New("field \"within\" must not be negative")
	case in.Within != 0 && !in.Wait:
		return errors.New("field \"within\" says nothing without \"wait\"")
	}
	return nil
}

// scaler carries out kube.scale.
type scaler struct{ connector *kube.Connector }

// scale is how many pods a workload shall have, and which these are.
type scale struct {
	place    place
	uid      types.UID
	version  string
	replicas int64
	selector string
}

func (s scaler) read(ctx context.Context, env action.Env, in ScaleInput) (scale, error) {
	p, err := find(ctx, s.connector, env, in.id())
	if err != nil {
		return scale{}, err
	}
	o, err := p.client.Get(ctx, p.id.name, metav1.GetOptions{}, "scale")
	if apierrors.IsNotFound(err) {
		return scale{}, s.notScaled(ctx, p)
	}
	if err != nil {
		return scale{}, failed(ctx, "read the scale of "+p.id.String(), err, action.ExtentNone)
	}
	// Left out stands for none.
	replicas, _, err := unstructured.NestedInt64(o.Object, "spec", "replicas")
	if err != nil {
		return scale{}, failed(ctx, "read the scale of "+p.id.String(), err, action.ExtentNone)
	}
	selector, _, err := unstructured.NestedString(o.Object, "status", "selector")
	if err != nil {
		return scale{}, failed(ctx, "read the scale of "+p.id.String(), err, action.ExtentNone)
	}
	return scale{p, o.GetUID(), o.GetResourceVersion(), replicas, selector}, nil
}

// notScaled says whether the object is not there, or has no scale.
func (s scaler) notScaled(ctx context.Context, p place) error {
	live, err := p.get(ctx)
	if err != nil {
		return err
	}
	out := &action.Error{
		Reason: reasonNotThere, Effect: action.ExtentNone, Remedy: "correct name, kind and namespace, or make it first",
		Err: fmt.Errorf("scale %s: it is not there", p.id),
	}
	if live != nil {
		out.Reason, out.Remedy = reasonNotScalable, "scale what it belongs to, or use kube.patch"
		out.Err = fmt.Errorf("scale %s: its kind has no subresource scale", p.id)
	}
	return out
}

// autoscaled refuses what an autoscaler would set back, or take for the wish of
// somebody else.
func (s scale) autoscaled(ctx context.Context) error {
	p, err := locate(s.place.cluster, id{"autoscaling/v2", "HorizontalPodAutoscaler", s.place.id.namespace, ""})
	if err != nil {
		return err
	}
	var found string
	err = p.each(ctx, "", func(o *unstructured.Unstructured) error {
		target, _, err := unstructured.NestedStringMap(o.Object, "spec", "scaleTargetRef")
		if err != nil {
			return err
		}
		group := schema.FromAPIVersionAndKind(target["apiVersion"], target["kind"]).Group
		if target["kind"] == s.place.id.kind && target["name"] == s.place.id.name && group == s.place.id.group() {
			found = o.GetName()
		}
		return nil
	})
	if err != nil || found == "" {
		return err
	}
	return &action.Error{
		Reason: reasonAutoscaled, Effect: action.ExtentNone,
		Remedy: "take the autoscaler away for the time of the change (kube.apply can bring it back), or let it scale " +
			"by its minReplicas and maxReplicas",
		Err: fmt.Errorf("scale %s: horizontalpodautoscaler %s sets how many pods it has", s.place.id, found),
	}
}

func (s scaler) preview(ctx context.Context, env action.Env, in ScaleInput) (action.Preview, error) {
	what := fmt.Sprintf("scale %s to %d", in.id(), in.Replicas)
	now, err := s.read(ctx, env, in)
	if err == nil {
		what = fmt.Sprintf("scale %s from %d to %d", in.id(), now.replicas, in.Replicas)
		err = now.autoscaled(ctx)
	}
	switch {
	case err != nil && !refusal(err):
		return action.Preview{}, err
	case err != nil:
		what += "; as the cluster is now it would fail: " + err.Error()
	}
	return action.Preview{Summary: what}, nil
}

func (s scaler) observe(ctx context.Context, env action.Env, in ScaleInput) (action.Observed[ScaleOutput], error) {
	now, err := s.read(ctx, env, in)
	if err != nil {
		if refusal(err) && !env.Attempted { // Run says so, before it changes anything.
			return action.Observed[ScaleOutput]{Status: action.NotStarted, Reason: err.Error()}, nil
		}
		return action.Observed[ScaleOutput]{}, err
	}
	seen := action.Observed[ScaleOutput]{
		Status: action.NotStarted, Before: now.record(), Reason: fmt.Sprintf("it shall have %d pods", now.replicas),
	}
	if now.replicas != int64(in.Replicas) {
		return seen, nil
	}
	if in.Wait {
		rest, err := now.waitsFor(ctx)
		if err != nil {
			return action.Observed[ScaleOutput]{}, err
		}
		if rest.why != "" {
			seen.Status, seen.Reason, seen.Progress = action.InProgress, rest.why, &action.Progress{Note: rest.why}
			if !rest.since.IsZero() && env.Now().Sub(rest.since) > cmp.Or(in.Within, defaultGone) {
				seen.Status = action.Failed
			}
			return seen, nil
		}
	}
	out := now.output()
	seen.Status, seen.Output = action.Done, &out
	return seen, nil
}

func (s scale) record() map[string]any {
	return map[string]any{"uid": string(s.uid), "replicas": s.replicas}
}

func (s scale) output() ScaleOutput { return ScaleOutput{UID: string(s.uid), Replicas: s.replicas} }

func (s scaler) run(ctx context.Context, env action.Env, in ScaleInput, before map[string]any) (ScaleOutput, error) {
	for try := 1; ; try++ {
		now, err := s.read(ctx, env, in)
		if err != nil {
			return ScaleOutput{}, action.WithExtent(err, action.ExtentNone)
		}
		if now.replicas != int64(in.Replicas) {
			if err := now.autoscaled(ctx); err != nil {
				return ScaleOutput{}, action.WithExtent(err, action.ExtentNone)
			}
			if len(before) == 0 {
				return ScaleOutput{}, notObserved("scale " + now.place.id.String())
			}
			if !action.Equal(now.record(), before) {
				return ScaleOutput{}, changedSince("scale "+now.place.id.String(),
					fmt.Sprintf("it was observed, and scaled to %d", now.replicas))
			}
			err = now.set(ctx, int64(in.Replicas))
		}
		switch {
		case err == nil:
			now.replicas = int64(in.Replicas)
			if in.Wait {
				err = now.wait(ctx, env, cmp.Or(in.Within, defaultGone))
			}
			return now.output(), err
		case !apierrors.IsConflict(err) || try == maxTries:
			return ScaleOutput{}, err
		}
	}
}

// set sets how many pods there shall be, of the version of the object that was read.
func (s scale) set(ctx context.Context, replicas int64) error {
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": s.version, "uid": string(s.uid)},
		"spec":     map[string]any{"replicas": replicas},
	})
	if err != nil {
		return err
	}
	_, err = s.place.client.Patch(ctx, s.place.id.name, types.MergePatchType, body,
		metav1.PatchOptions{FieldManager: kube.FieldOwner}, "scale")
	if err != nil {
		return failed(ctx, "scale "+s.place.id.String(), err, action.ExtentUnknown)
	}
	return nil
}

// awaited is what is still missing, and since when the oldest part of it is.
type awaited struct {
	why   string
	since time.Time
}

// waitsFor says what is still awaited, nothing when the pods are there.
func (s scale) waitsFor(ctx context.Context) (awaited, error) {
	if s.selector == "" {
		return awaited{}, &action.Error{
			Reason: reasonNotScalable, Effect: action.ExtentNone, Remedy: "leave wait out, and use kube.wait",
			Err: fmt.Errorf("wait for the pods of %s: its scale does not tell which they are", s.place.id),
		}
	}
	pods, err := podsOf(ctx, s.place.cluster, s.place.id.namespace, s.selector)
	if err != nil {
		return awaited{}, err
	}
	var out awaited
	var ready, there int64
	var rest []string
	for i := range pods {
		pod := &pods[i]
		if ended(pod) { // such as evicted pods, which stay as a record
			continue
		}
		there++
		why := whyNotReady(pod)
		if why == "" {
			ready++
			continue
		}
		rest = append(rest, fmt.Sprintf("pod %s %s", pod.Name, why))
		since := pod.CreationTimestamp.Time
		if pod.DeletionTimestamp != nil {
			since = pod.DeletionTimestamp.Time
		}
		if out.since.IsZero() || since.Before(out.since) {
			out.since = since
		}
	}
	if ready == s.replicas && len(rest) == 0 {
		return awaited{}, nil
	}
	out.why = fmt.Sprintf("%d of %d pods are ready", ready, s.replicas)
	if s.replicas == 0 {
		out.why = fmt.Sprintf("%d pods are still there", there)
	}
	if len(rest) > 0 {
		out.why += "; " + listed(rest)
	} else if there < s.replicas {
		out.why += s.whyNoPods(ctx)
	}
	return out, nil
}

// whyNoPods says what keeps a workload from making pods, as far as that is known.
func (s scale) whyNoPods(ctx context.Context) string {
	live, err := s.place.get(ctx)
	if err != nil || live == nil {
		return ""
	}
	if why := troubleOf(ctx, s.place, live); why != "" {
		return "; " + why
	}
	return ""
}

// wait waits until the pods are there, or gone.
func (s scale) wait(ctx context.Context, env action.Env, limit time.Duration) error {
	window, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		rest, err := s.waitsFor(ctx)
		if err == nil && rest.why == "" {
			return nil
		}
		if err != nil && !transient(err) {
			return action.WithExtent(err, action.ExtentPartial)
		}
		env.Report(action.Progress{Note: rest.why})
		if wait.For(window, scaleEvery) == nil {
			continue
		}
		if err != nil {
			return action.WithExtent(err, action.ExtentPartial)
		}
		out := &action.Error{
			Reason: reasonNotReady, Retryable: true, Effect: action.ExtentPartial,
			Remedy: "mend what it says, then refit retry",
			Err:    fmt.Errorf("scale %s to %d: after %s %s", s.place.id, s.replicas, limit, rest.why),
		}
		if ctx.Err() != nil {
			out.Reason, out.Remedy = reasonInterrupted, ""
			out.Err = fmt.Errorf("scale %s to %d: %w: %s", s.place.id, s.replicas, context.Cause(ctx), rest.why)
		}
		return out
	}
}

// undo brings the number of pods back, as long as it is the one that the step has set.
// It does not wait for them.
func (s scaler) undo(ctx context.Context, env action.Env, in ScaleInput, before map[string]any) error {
	was, recorded := before["replicas"].(int64)
	for try := 1; ; try++ {
		now, err := s.read(ctx, env, in)
		if err != nil {
			return err
		}
		switch {
		case !recorded:
			return lost(now.place.id, errors.New("nothing was recorded of it"))
		case string(now.uid) != before["uid"]:
			return notOurs(now.place.id, "it was deleted, and another one has its name")
		case now.replicas == was:
			return now.place.release(ctx, false)
		case now.replicas != int64(in.Replicas):
			return notOurs(now.place.id, fmt.Sprintf("somebody else has scaled it to %d", now.replicas))
		}
		if err = now.autoscaled(ctx); err == nil {
			err = now.set(ctx, was)
		}
		if err == nil {
			continue // and look
		}
		if !apierrors.IsConflict(err) || try >= maxTries {
			return err
		}
	}
}
