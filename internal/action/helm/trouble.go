package helm

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	helmkube "helm.sh/helm/v4/pkg/kube"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/resource"
)

func objectName(info *resource.Info) string {
	return info.Object.GetObjectKind().GroupVersionKind().Kind + "/" + info.Name
}

// trouble looks why objects are not ready: what their pods wait for, or how these have
// ended. It says the first that it finds of each object, "" when it finds nothing.
func (s *session) trouble(ctx context.Context, list helmkube.ResourceList) string {
	var found []string
	for _, info := range list {
		for _, pod := range s.podsOf(ctx, info) {
			if text := s.podTrouble(ctx, &pod); text != "" {
				found = append(found, fmt.Sprintf("%s: pod %s: %s", objectName(info), pod.Name, text))
				break
			}
		}
	}
	return squeeze(strings.Join(found, "; "))
}

// crashLimit is how often a container may end while it is waited for. By then Kubernetes
// has let 70 seconds pass between the attempts, with which servers come back that it needs.
const crashLimit = 4

// crashes are the restarts of containers when waiting began, by pod and container.
type crashes map[string]int32

// crashing says which pod has a container that ended too often since waiting began, ""
// for none. With begin it only counts.
func (s *session) crashing(ctx context.Context, list helmkube.ResourceList, seen crashes, begin bool) string {
	for _, info := range list {
		for _, pod := range s.podsOf(ctx, info) {
			for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
				id := string(pod.UID) + "/" + c.Name
				if begin {
					seen[id] = c.RestartCount
				}
				w := c.State.Waiting
				if c.RestartCount-seen[id] < crashLimit || w == nil || w.Reason != "CrashLoopBackOff" {
					continue
				}
				text := s.containerTrouble(ctx, &pod, c)
				return squeeze(fmt.Sprintf("%s: pod %s was started %d times: %s",
					objectName(info), pod.Name, c.RestartCount+1, text))
			}
		}
	}
	return ""
}

// podsOf returns the pods of an object; none when nobody can tell, because it only
// explains what is known to be wrong.
func (s *session) podsOf(ctx context.Context, info *resource.Info) []corev1.Pod {
	pods := s.typed.CoreV1().Pods(info.Namespace)
	switch info.Object.GetObjectKind().GroupVersionKind().Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job":
	case "Pod":
		if pod, err := pods.Get(ctx, info.Name, metav1.GetOptions{}); err == nil {
			return []corev1.Pod{*pod}
		}
		return nil
	default:
		return nil
	}
	live, err := s.cluster.For(info.Mapping, info.Namespace).Get(ctx, info.Name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	match, _, err := unstructured.NestedStringMap(live.Object, "spec", "selector", "matchLabels")
	if err != nil || len(match) == 0 {
		return nil
	}
	list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: labels.Set(match).String()})
	if err != nil {
		return nil
	}
	return list.Items
}

// podTrouble says what is wrong with a pod, "" for nothing.
func (s *session) podTrouble(ctx context.Context, pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return "is not scheduled: " + c.Message
		}
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if text := s.containerTrouble(ctx, pod, c); text != "" {
			return text
		}
	}
	return phaseTrouble(pod)
}

// containerTrouble says how a container has ended or what it waits for, "" for nothing.
func (s *session) containerTrouble(ctx context.Context, pod *corev1.Pod, c corev1.ContainerStatus) string {
	w, ended := c.State.Waiting, c.State.Terminated
	if ended == nil && w != nil && w.Reason == "CrashLoopBackOff" {
		ended = c.LastTerminationState.Terminated
	}
	switch {
	case ended != nil && ended.ExitCode != 0:
		text := fmt.Sprintf("container %s ended with exit code %d", c.Name, ended.ExitCode)
		if ended.Reason != "" && ended.Reason != "Error" {
			text += " (" + ended.Reason + ")"
		}
		if line := s.lastLine(ctx, pod, c); line != "" {
			text += ": " + line
		}
		return text
	case w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing":
		return fmt.Sprintf("container %s waits: %s: %s", c.Name, w.Reason, w.Message)
	}
	return ""
}

// phaseTrouble says why a pod is not done with its work, "" for nothing. No container
// of it is known to be in trouble.
func phaseTrouble(pod *corev1.Pod) string {
	switch pod.Status.Phase {
	case corev1.PodFailed:
		return "failed: " + pod.Status.Reason + " " + pod.Status.Message
	case corev1.PodRunning:
		for _, c := range pod.Status.ContainerStatuses {
			if !c.Ready && c.State.Running != nil {
				return fmt.Sprintf("container %s runs and is not ready", c.Name)
			}
		}
		if pod.Spec.RestartPolicy != corev1.RestartPolicyAlways {
			return "still runs"
		}
	case corev1.PodPending:
		return "is still being started"
	case corev1.PodSucceeded, corev1.PodUnknown:
	}
	return ""
}

// lastLine is the last thing that a container has said.
func (s *session) lastLine(ctx context.Context, pod *corev1.Pod, c corev1.ContainerStatus) string {
	lines, most := int64(5), int64(4<<10)
	options := &corev1.PodLogOptions{
		Container: c.Name, TailLines: &lines, LimitBytes: &most, Previous: c.State.Terminated == nil,
	}
	stream, err := s.typed.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, options).Stream(ctx)
	if err != nil {
		return ""
	}
	defer func() { _ = stream.Close() }() // it was read
	last := ""
	scanner := bufio.NewScanner(io.LimitReader(stream, most))
	for scanner.Scan() {
		if line := strings.TrimSpace(scanner.Text()); line != "" {
			last = line
		}
	}
	return last
}
