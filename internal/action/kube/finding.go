package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

const (
	// findingLabel marks what steps keep of their results, and says of which action.
	findingLabel = "refit.dev/result"
	// findingEntry is the entry with the result.
	findingEntry = "result"
	// findingKeep is how long a result is kept at least; a later step removes older ones.
	findingKeep = 7 * 24 * time.Hour
)

// finding is the result of a step that leaves nothing else behind: a ConfigMap, by which
// an attempt whose end was lost is seen.
type finding struct {
	cluster         *kube.Cluster
	namespace, name string
	// of is the verb of the action.
	of string
}

func (f finding) String() string {
	return fmt.Sprintf("configmap %s in namespace %s", f.name, f.namespace)
}

// read reads the result into out, and tells whether there is one.
func (f finding) read(ctx context.Context, out any) (bool, error) {
	kept, err := f.cluster.Typed.CoreV1().ConfigMaps(f.namespace).Get(ctx, f.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(kept.Data[findingEntry]), out)
	}
	if err != nil {
		return false, failed(ctx, "read "+f.String(), err, action.ExtentNone)
	}
	return true, nil
}

// write puts the result down. One that is there stays.
func (f finding) write(ctx context.Context, env action.Env, out any) error {
	data, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	labels := ownLabels(env)
	labels[findingLabel] = f.of
	_, err = f.cluster.Typed.CoreV1().ConfigMaps(f.namespace).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: f.name, Labels: labels},
		Data:       map[string]string{findingEntry: string(data)},
	}, metav1.CreateOptions{FieldManager: kube.FieldOwner})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return failed(ctx, "put the result down", err, action.ExtentPartial)
	}
	return nil
}

// remove removes the result.
func (f finding) remove(ctx context.Context) error {
	err := f.cluster.Typed.CoreV1().ConfigMaps(f.namespace).Delete(ctx, f.name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return failed(ctx, "remove "+f.String(), err, action.ExtentUnknown)
	}
	return nil
}

// forget removes results of earlier steps that nobody needs any more.
func (f finding) forget(ctx context.Context, now time.Time) error {
	maps := f.cluster.Typed.CoreV1().ConfigMaps(f.namespace)
	list, err := maps.List(ctx, metav1.ListOptions{LabelSelector: findingLabel + "=" + f.of})
	if err != nil {
		return failed(ctx, "look for earlier results in namespace "+f.namespace, err, action.ExtentNone)
	}
	for i := range list.Items {
		old := &list.Items[i]
		if now.Sub(old.CreationTimestamp.Time) < findingKeep {
			continue
		}
		err := maps.Delete(ctx, old.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &old.UID}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return failed(ctx, "remove an earlier result", err, action.ExtentPartial)
		}
	}
	return nil
}
