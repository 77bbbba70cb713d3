package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// maxMessage is how much of a message of the cluster is repeated, in characters.
const maxMessage = 300

// podsOf returns the pods that a selector matches.
func podsOf(ctx context.Context, cluster *kube.Cluster, namespace, selector string) ([]corev1.Pod, error) {
	var pods []corev1.Pod
	pages := pager.New(func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return cluster.Typed.CoreV1().Pods(namespace).List(ctx, opts)
	})
	err := pages.EachListItem(ctx, metav1.ListOptions{LabelSelector: selector}, func(o runtime.Object) error {
		if pod, ok := o.(*corev1.Pod); ok {
			pods = append(pods, *pod)
		}
		return nil
	})
	if err != nil {
		return nil, failed(ctx, "list pods in namespace "+namespace, err, action.ExtentNone)
	}
	return pods, nil
}

// ended tells of pods that no longer run and that nobody waits for.
func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// whyNotReady says what keeps a pod from being ready, "" when it is.
func whyNotReady(pod *corev1.Pod) string {
	if pod.DeletionTimestamp != nil {
		text := "is ending, until " + pod.DeletionTimestamp.UTC().Format(time.RFC3339)
		if len(pod.Finalizers) > 0 {
			text += ", and waits for its finalizers " + listed(pod.Finalizers)
		}
		return text
	}
	switch pod.Status.Phase {
	case corev1.PodSucceeded:
		return "has ended"
	case corev1.PodFailed:
		return said("has failed", pod.Status.Reason, pod.Status.Message)
	case corev1.PodPending, corev1.PodRunning, corev1.PodUnknown:
	}
	for _, c := range pod.Status.Conditions {
		switch {
		case c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue:
			return ""
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse:
			return said("has no node", c.Reason, c.Message)
		}
	}
	statuses := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	for i := range statuses {
		if why := whyNotRunning(&statuses[i]); why != "" {
			return why
		}
	}
	for i := range statuses {
		s := &statuses[i]
		if s.State.Running != nil && !s.Ready && i >= len(pod.Status.InitContainerStatuses) {
			return fmt.Sprintf("runs and is not ready: container %s", s.Name)
		}
	}
	return "is being started"
}

// whyNotRunning says what is wrong with a container, "" when nothing is that it could
// not leave by itself a moment later.
func whyNotRunning(s *corev1.ContainerStatus) string {
	container := "container " + s.Name
	if waiting := s.State.Waiting; waiting != nil {
		switch waiting.Reason {
		case "", "ContainerCreating", "PodInitializing":
			return ""
		case "CrashLoopBackOff":
			if last := s.LastTerminationState.Terminated; last != nil {
				what := fmt.Sprintf("%s ends again and again (CrashLoopBackOff, %d restarts), last with exit code %d",
					container, s.RestartCount, last.ExitCode)
				return said(what, last.Reason, last.Message)
			}
		}
		return said(container+" does not start", waiting.Reason, waiting.Message)
	}
	if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
		return said(fmt.Sprintf("%s has ended with exit code %d", container, t.ExitCode), t.Reason, t.Message)
	}
	return ""
}

// said joins what is the case with the reason and the message that a cluster gives.
func said(what, reason, message string) string {
	if reason != "" {
		what += " (" + reason + ")"
	}
	message = strings.Join(strings.Fields(message), " ")
	if runes := []rune(message); len(runes) > maxMessage {
		message = string(runes[:maxMessage]) + "…"
	}
	if message != "" {
		what += ": " + message
	}
	return what
}

// troubleOf says what keeps an object from being as it shall be, as far as the cluster
// tells: its conditions, its pods, and the last warning about it. Who may not read
// these gets less of an explanation.
func troubleOf(ctx context.Context, p place, live *unstructured.Unstructured) string {
	var found []string
	for _, c := range conditionsOf(live) {
		if c.kind == "ReplicaFailure" && c.status == "True" {
			found = append(found, said("pods cannot be made", c.reason, c.message))
		}
	}
	found = append(found, podTrouble(ctx, p, live)...)
	if len(found) == 0 {
		if text := lastWarning(ctx, p.cluster, live.GetNamespace(), string(live.GetUID())); text != "" {
			found = append(found, text)
		}
	}
	return strings.Join(found, "; ")
}

// podTrouble is what is wrong with the pods of an object, or with the pod that it is.
func podTrouble(ctx context.Context, p place, live *unstructured.Unstructured) []string {
	var pods []corev1.Pod
	if live.GetKind() == "Pod" && p.id.group() == "" {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, &pod) == nil {
			pods = append(pods, pod)
		}
	} else if selector := selectorOf(live); selector != "" {
		pods, _ = podsOf(ctx, p.cluster, live.GetNamespace(), selector)
	}
	var found []string
	for i := range pods {
		pod := &pods[i]
		why := whyNotReady(pod)
		if why == "" || (ended(pod) && pod.Status.Phase == corev1.PodSucceeded) {
			continue
		}
		text := fmt.Sprintf("pod %s %s", pod.Name, why)
		// Of these the pod itself does not tell why.
		if why == "is being started" || strings.HasPrefix(why, "runs and is not ready") {
			if warning := lastWarning(ctx, p.cluster, pod.Namespace, string(pod.UID)); warning != "" {
				text += ", " + warning
			}
		}
		found = append(found, text)
	}
	const most = 3
	if len(found) > most {
		found = append(found[:most], fmt.Sprintf("%d more pods are not ready", len(found)-most))
	}
	return found
}

// selectorOf returns the selector of the pods of a workload, "" when it has none.
func selectorOf(live *unstructured.Unstructured) string {
	plain, there, err := unstructured.NestedMap(live.Object, "spec", "selector")
	if err != nil || !there {
		return ""
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return ""
	}
	var selector metav1.LabelSelector
	if json.Unmarshal(text, &selector) != nil {
		return ""
	}
	parsed, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil || parsed.Empty() {
		return ""
	}
	return parsed.String()
}

// condition is one of the status of an object.
type condition struct{ kind, status, reason, message string }

func conditionsOf(live *unstructured.Unstructured) []condition {
	list, _, err := unstructured.NestedSlice(live.Object, "status", "conditions")
	if err != nil {
		return nil
	}
	var out []condition
	for _, item := range list {
		m, _ := item.(map[string]any)
		text := func(key string) string { s, _ := m[key].(string); return s }
		out = append(out, condition{text("type"), text("status"), text("reason"), text("message")})
	}
	return out
}

// lastWarning returns the newest warning about an object, "" when there is none or it
// may not be read.
func lastWarning(ctx context.Context, cluster *kube.Cluster, namespace, uid string) string {
	events, err := cluster.Typed.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.uid=" + uid + ",type=" + corev1.EventTypeWarning, Limit: 100,
	})
	if err != nil {
		return ""
	}
	var newest *corev1.Event
	for i := range events.Items {
		if e := &events.Items[i]; newest == nil || at(e).After(at(newest)) {
			newest = e
		}
	}
	if newest == nil {
		return ""
	}
	return said("last warning", newest.Reason, newest.Message)
}

// at is when an event was seen last.
func at(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	default:
		return e.EventTime.Time
	}
}
