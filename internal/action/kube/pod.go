package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// The reasons of errors about pods.
const (
	reasonNoPod       = "NoPod"
	reasonNoContainer = "NoContainer"
	reasonNotRunning  = "NotRunning"
)

// defaultContainer is the annotation by which kubectl chooses a container.
const defaultContainer = "kubectl.kubernetes.io/default-container"

// checkNamespace refuses what is no name of a namespace.
func checkNamespace(namespace string) error {
	if namespace == "" || strings.ContainsAny(namespace, "/%?# ") {
		return fmt.Errorf("field \"namespace\" is %q, needs the name of a namespace", namespace)
	}
	return nil
}

// podChoice says which container is meant.
type podChoice struct{ namespace, pod, selector, container string }

func (c podChoice) check() error {
	if err := checkNamespace(c.namespace); err != nil {
		return err
	}
	switch {
	case (c.pod == "") == (c.selector == ""):
		return errors.New("one of the fields \"pod\" and \"selector\" is needed: " +
			"name a pod, or its labels such as app=hub")
	case strings.ContainsAny(c.pod, "/%?# "):
		return fmt.Errorf("field \"pod\" is %q, needs the name of a pod", c.pod)
	}
	if _, err := labels.Parse(c.selector); err != nil {
		return fmt.Errorf("field \"selector\" is %q, which is no selector such as app=hub,component=hub", c.selector)
	}
	return nil
}

// String names what is looked for as messages do.
func (c podChoice) String() string {
	if c.pod != "" {
		return fmt.Sprintf("pod %s in namespace %s", c.pod, c.namespace)
	}
	return fmt.Sprintf("a pod with %s in namespace %s", c.selector, c.namespace)
}

// find returns a pod that runs, the same one each time while none comes or goes, and
// the name of its container.
func (c podChoice) find(ctx context.Context, cluster *kube.Cluster) (pod, container string, err error) {
	pods := cluster.Typed.CoreV1().Pods(c.namespace)
	var found []corev1.Pod
	if c.pod != "" {
		one, err := pods.Get(ctx, c.pod, metav1.GetOptions{})
		if err != nil {
			return "", "", failed(ctx, "read "+c.String(), err, action.ExtentNone)
		}
		found = append(found, *one)
	} else {
		list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: c.selector})
		if err != nil {
			return "", "", failed(ctx, "look for "+c.String(), err, action.ExtentNone)
		}
		found = list.Items
	}
	if len(found) == 0 {
		return "", "", c.refuse(reasonNoPod, true, "start it, or correct selector", "there is none")
	}
	slices.SortFunc(found, func(a, b corev1.Pod) int {
		return cmp.Or(ready(b)-ready(a), cmp.Compare(a.Name, b.Name))
	})
	best := &found[0]
	if container, err = c.containerOf(best); err != nil {
		return "", "", err
	}
	if why := notRunning(best, container); why != "" {
		return "", "", c.refuse(reasonNotRunning, true, "wait until it runs: kube.wait does",
			"container %s of pod %s %s", container, best.Name, why)
	}
	return best.Name, container, nil
}

func (c podChoice) refuse(reason string, retryable bool, remedy, format string, args ...any) error {
	return &action.Error{
		Reason: reason, Retryable: retryable, Effect: action.ExtentNone, Remedy: remedy,
		Err: fmt.Errorf("look for %s: %s", c, fmt.Sprintf(format, args...)),
	}
}

// ready orders pods: those that serve come first.
func ready(p corev1.Pod) int {
	if p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning {
		return 0
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return 2
		}
	}
	return 1
}

// containerOf returns the container that is meant, as kubectl chooses it.
func (c podChoice) containerOf(p *corev1.Pod) (string, error) {
	var names []string
	for i := range p.Spec.Containers {
		names = append(names, p.Spec.Containers[i].Name)
	}
	want := cmp.Or(c.container, p.Annotations[defaultContainer], names[0])
	if !slices.Contains(names, want) {
		return "", c.refuse(reasonNoContainer, false, "name one of "+strings.Join(names, ", "),
			"pod %s has no container %s", p.Name, want)
	}
	return want, nil
}

// notRunning says why a container does not run; nothing when it does.
func notRunning(p *corev1.Pod, container string) string {
	if p.DeletionTimestamp != nil {
		return "is being deleted"
	}
	for i := range p.Status.ContainerStatuses {
		s := &p.Status.ContainerStatuses[i]
		switch {
		case s.Name != container:
		case s.State.Running != nil:
			return ""
		case s.State.Waiting != nil:
			return "does not run: " + waitingText(s.State.Waiting)
		case s.State.Terminated != nil:
			return fmt.Sprintf("has ended with exit code %d", s.State.Terminated.ExitCode)
		}
	}
	return "has not been started: the pod is " + string(p.Status.Phase)
}

// waitingText says why a container waits.
func waitingText(w *corev1.ContainerStateWaiting) string {
	if w.Message == "" {
		return w.Reason
	}
	return w.Reason + ": " + w.Message
}
