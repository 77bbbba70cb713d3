package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Answers tells whether the API server says that it is ready.
func (c *Client) Answers(ctx context.Context) error {
	if _, err := c.Typed.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err != nil {
		return fmt.Errorf("ask the API server: %w", err)
	}
	return nil
}

// Nodes returns how many nodes there are and how many of them are ready.
func (c *Client) Nodes(ctx context.Context) (all, ready int, err error) {
	list, err := c.Typed.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return 0, 0, fmt.Errorf("list nodes: %w", err)
	}
	for _, n := range list.Items {
		for _, condition := range n.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	return len(list.Items), ready, nil
}

// Pods returns how many pods there are that have not ended, and how many of them
// are ready.
func (c *Client) Pods(ctx context.Context) (all, ready int, err error) {
	list, err := c.Typed.CoreV1().Pods("").List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return 0, 0, fmt.Errorf("list pods: %w", err)
	}
	for _, p := range list.Items {
		if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue
		}
		all++
		for _, condition := range p.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	return all, ready, nil
}

// Available tells whether a Deployment has all of its pods, and if not, why in
// one line.
func (c *Client) Available(ctx context.Context, namespace, name string) (bool, string, error) {
	d, err := c.Typed.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return false, "", fmt.Errorf("read a Deployment: %w", err)
	}
	if d.Status.ObservedGeneration == d.Generation && d.Status.AvailableReplicas >= *d.Spec.Replicas {
		return true, "", nil
	}
	pods, err := c.Typed.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector),
	})
	if err != nil {
		return false, "", fmt.Errorf("list pods: %w", err)
	}
	why := "it has no pod yet"
	for _, p := range pods.Items {
		why = fmt.Sprintf("pod %s is %s", p.Name, p.Status.Phase)
		for _, s := range p.Status.ContainerStatuses {
			if s.State.Waiting != nil {
				why = fmt.Sprintf("pod %s: %s %s", p.Name, s.State.Waiting.Reason, s.State.Waiting.Message)
			}
		}
	}
	return false, why, nil
}
