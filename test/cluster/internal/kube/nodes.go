package kube

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MakeNodes makes n nodes for kwok to play.
func (c *Client) MakeNodes(ctx context.Context, n int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(20)
	for i := range n {
		group.Go(func() error {
			name := fmt.Sprintf("node-%04d", i)
			size := corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("32"), corev1.ResourceMemory: resource.MustParse("256Gi"),
				corev1.ResourcePods: resource.MustParse("110"),
			}
			node := &corev1.Node{
				ObjectMeta: metav1.ObjectMeta{
					Name:        name,
					Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
					Labels:      map[string]string{"kubernetes.io/hostname": name, "type": "kwok"},
				},
				Status: corev1.NodeStatus{Capacity: size, Allocatable: size},
			}
			if _, err := c.Typed.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
				return fmt.Errorf("make node %q: %w", name, err)
			}
			return nil
		})
	}
	return group.Wait()
}
