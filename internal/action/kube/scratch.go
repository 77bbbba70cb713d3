package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

const reasonNotAsSaved = "NotAsSaved"

const (
	// scratchLabel marks namespaces that a proof has made, and says of which action.
	scratchLabel = "refit.dev/scratch"
	// scratchKeep is how long a scratch namespace is left alone that somebody else may
	// still work in; a later proof removes older ones.
	scratchKeep = 24 * time.Hour
)

// reader proves the objects of a backup on a cluster.
type reader struct {
	world   World
	env     action.Env
	cluster *kube.Cluster
	// untried are the objects whose dry run was not permitted.
	untried []string
	// stopped tells that World.Before has broken the effect off.
	stopped bool
}

func (w World) reader(env action.Env, cluster *kube.Cluster) *reader {
	return &reader{world: w, env: env, cluster: cluster}
}

// before is called before each change of the cluster.
func (r *reader) before(what string) error {
	if r.world.Before == nil {
		return nil
	}
	if err := r.world.Before(what); err != nil {
		r.stopped = true
		return err
	}
	return nil
}

// read parses the objects, and restores them at level 3.
func (r *reader) read(ctx context.Context, level int, items backup.ItemReader) (err error) {
	line, err := items.Head()
	if err != nil {
		return err
	}
	head, err := headOf(line)
	if err != nil {
		return err
	}
	namespace := ownName(r.env, "refit-scratch")
	if level >= backup.Restored {
		if err := r.open(ctx, namespace); err != nil {
			return err
		}
		defer func() {
			if r.stopped {
				return
			}
			if failure := r.close(ctx, namespace); err == nil {
				err = failure
			}
		}()
	}
	return items.Each(func(_ backup.Item, line []byte) error {
		s, err := objectOf(line, namespace, head)
		if err != nil {
			return err
		}
		mapping, err := r.cluster.Resource(s.kind())
		if err != nil || level < backup.Restored {
			return err
		}
		p := listOf(r.cluster, mapping, namespace).at(s.id.name)
		if !onlyData(s.groupKind()) {
			return r.try(ctx, p, s)
		}
		return r.make(ctx, p, s)
	})
}

// open makes the scratch namespace, after what an attempt before has left of it.
func (r *reader) open(ctx context.Context, name string) error {
	if err := r.forget(ctx); err != nil {
		return err
	}
	if err := r.close(ctx, name); err != nil {
		return err
	}
	if err := r.before("make namespace " + name); err != nil {
		return err
	}
	labels := ownLabels(r.env)
	labels[scratchLabel] = "kube.verify"
	_, err := r.cluster.Typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: labels, Annotations: map[string]string{kube.KeyAnnotation: r.env.Key},
	}}, metav1.CreateOptions{FieldManager: kube.FieldOwner})
	if err != nil {
		return failed(ctx, "make namespace "+name, err, action.ExtentUnknown)
	}
	// Pods are refused until their account is there.
	const patience, every = time.Minute, 100 * time.Millisecond
	window, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, err := r.cluster.Typed.CoreV1().ServiceAccounts(name).Get(window, "default", metav1.GetOptions{})
		if err == nil {
			return nil
		}
		if !apierrors.IsNotFound(err) || wait.For(window, every) != nil {
			return failed(ctx, "wait for the account of namespace "+name, err, action.ExtentPartial)
		}
	}
}

// close removes the scratch namespace and waits until it is gone. One that the step has
// not made is left alone.
func (r *reader) close(ctx context.Context, name string) error {
	if ctx.Err() != nil { // what is left, the next attempt removes
		return nil //nolint:nilerr // whoever has ended the step knows
	}
	p := r.namespace(name)
	live, err := p.get(ctx)
	if err != nil || live == nil {
		return err
	}
	if live.GetLabels()[kube.StepLabel] != ownLabels(r.env)[kube.StepLabel] {
		return &action.Error{
			Reason: kube.ReasonConflict, Effect: action.ExtentNone, Remedy: "remove it, if nobody needs it",
			Err: fmt.Errorf("prove the backup: somebody else has made %s", p.id),
		}
	}
	if err := r.before("remove namespace " + name); err != nil {
		return err
	}
	if err := p.remove(ctx, live.GetUID(), metav1.DeletePropagationBackground); err != nil {
		return err
	}
	return p.waitGone(ctx, live.GetUID(), defaultGone)
}

func (r *reader) namespace(name string) place {
	return place{
		cluster: r.cluster, id: id{"v1", "Namespace", "", name},
		client: r.cluster.Dynamic.Resource(corev1.SchemeGroupVersion.WithResource("namespaces")),
	}
}

// forget removes scratch namespaces of steps that have ended long ago without removing
// theirs.
func (r *reader) forget(ctx context.Context) error {
	list, err := r.cluster.Typed.CoreV1().Namespaces().List(ctx,
		metav1.ListOptions{LabelSelector: scratchLabel + "=kube.verify"})
	if err != nil {
		return failed(ctx, "look for earlier scratch namespaces", err, action.ExtentNone)
	}
	for i := range list.Items {
		old := &list.Items[i]
		if r.env.Now().Sub(old.CreationTimestamp.Time) < scratchKeep || old.DeletionTimestamp != nil {
			continue
		}
		if err := r.before("remove namespace " + old.Name); err != nil {
			return err
		}
		if err := r.namespace(old.Name).remove(ctx, old.UID, metav1.DeletePropagationBackground); err != nil {
			return err
		}
	}
	return nil
}

// make asks for the object as it is, then makes it without labels and annotations, by
// which programs find what they act on in all namespaces, and reads it back.
func (r *reader) make(ctx context.Context, p place, s saved) error {
	if s.isMadeByAll() {
		return r.change(ctx, p, s)
	}
	body := s.body()
	tried, err := p.client.Create(ctx, body, dryCreate())
	if err != nil {
		return s.refused(ctx, "try", err, action.ExtentPartial)
	}
	if !holds(cleaned(tried), s.Object) {
		return notAsSaved("a dry run makes %s, and not as it was saved", s.id)
	}
	body.SetLabels(nil)
	body.SetAnnotations(nil)
	if err := r.before("make " + s.id.String()); err != nil {
		return err
	}
	if _, err := p.client.Create(ctx, body, metav1.CreateOptions{FieldManager: kube.FieldOwner}); err != nil {
		return s.refused(ctx, "make", err, action.ExtentUnknown)
	}
	live, err := p.get(ctx)
	if err != nil {
		return err
	}
	if live == nil || !holds(cleaned(live), cleaned(body)) {
		return notAsSaved("%s was made in a scratch namespace, and is not there as it was saved", s.id)
	}
	return nil
}

// change tries what was saved of the account that every namespace has.
func (r *reader) change(ctx context.Context, p place, s saved) error {
	live, err := p.get(ctx)
	if err != nil || live == nil {
		return err
	}
	tried, err := p.client.Update(ctx, onto(live, s.Object), dryUpdate())
	if err != nil {
		return s.refused(ctx, "try", err, action.ExtentPartial)
	}
	if !holds(cleaned(tried), s.Object) {
		return notAsSaved("a dry run changes %s, and not to what was saved", s.id)
	}
	return nil
}

func dryUpdate() metav1.UpdateOptions {
	return metav1.UpdateOptions{FieldManager: kube.FieldOwner, DryRun: []string{metav1.DryRunAll}}
}

// notAsSaved says that the cluster makes something else of an object.
func notAsSaved(format string, args ...any) error {
	return &action.Error{
		Reason: reasonNotAsSaved, Effect: action.ExtentPartial, Remedy: "look which webhook or policy changes it",
		Err: fmt.Errorf(format, args...),
	}
}

// isMadeByAll tells of the account that every namespace has.
func (s saved) isMadeByAll() bool { return s.id.kind == "ServiceAccount" && s.id.name == "default" }

func dryCreate() metav1.CreateOptions {
	return metav1.CreateOptions{FieldManager: kube.FieldOwner, DryRun: []string{metav1.DryRunAll}}
}

// holds tells whether an object has all that was saved. A newer server, or a webhook, may
// have added to it.
func holds(object, saved any) bool {
	switch want := saved.(type) {
	case map[string]any:
		is, ok := object.(map[string]any)
		if !ok {
			return len(want) == 0 && object == nil
		}
		for key, value := range want {
			if !holds(is[key], value) {
				return false
			}
		}
		return true
	case []any:
		is, ok := object.([]any)
		if !ok || len(is) < len(want) {
			return len(want) == 0 && object == nil
		}
		for i := range want {
			if !holds(is[i], want[i]) {
				return false
			}
		}
		return true
	default:
		return action.Equal(object, saved)
	}
}

// try asks the server in a dry run. What acts is never made: nothing runs, takes traffic
// or wakes an operator.
func (r *reader) try(ctx context.Context, p place, s saved) error {
	_, err := p.client.Create(ctx, s.body(), dryCreate())
	if err == nil {
		return nil
	}
	if isDryRunRefused(err) || action.ReasonOf(kube.Failure("", err, action.ExtentNone)) == kube.ReasonDenied {
		r.untried = append(r.untried, s.id.kind+" "+s.id.name)
		_, _ = fmt.Fprintf(r.env.LogWriter(), "%s was not tried: a policy or a webhook does not permit it\n", s.id)
		return nil
	}
	return s.refused(ctx, "try", err, action.ExtentPartial)
}

// isDryRunRefused tells of webhooks that do not say that they change nothing beside.
func isDryRunRefused(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}

// refused says what the server answered about an object. Of a Secret nothing is quoted:
// an answer may hold a value.
func (s saved) refused(ctx context.Context, doing string, err error, unclear action.Extent) error {
	doing += " " + s.id.String()
	var status apierrors.APIStatus
	if s.groupKind() != (schema.GroupKind{Kind: kindSecret}) || !errors.As(err, &status) {
		return failed(ctx, doing, err, unclear)
	}
	answer := kube.Failure(doing, err, unclear)
	out, ok := errors.AsType[*action.Error](answer)
	if !ok || out.Reason != kube.ReasonInvalid && out.Reason != kube.ReasonRefused {
		return answer
	}
	var fields []string
	if details := status.Status().Details; details != nil {
		for _, cause := range details.Causes {
			fields = append(fields, cause.Field)
		}
	}
	out.Err = fmt.Errorf("%s: the server refuses it as %s, because of its fields %s", doing, status.Status().Reason,
		listed(fields))
	return out
}

func groupKindOf(item backup.Item) schema.GroupKind {
	return schema.FromAPIVersionAndKind(item.APIVersion, item.Kind).GroupKind()
}
