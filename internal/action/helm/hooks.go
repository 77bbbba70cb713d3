package helm

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	helmkube "helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// hookRun is a hook of a broken off revision, as far as it is in the cluster.
type hookRun struct {
	hook    *release.Hook
	list    helmkube.ResourceList
	running bool
}

// hooks returns what is in the cluster of hooks that a revision had begun.
func (s *session) hooks(ctx context.Context, rel *release.Release) ([]hookRun, error) {
	var found []hookRun
	for _, h := range rel.Hooks {
		if h.LastRun.StartedAt.IsZero() {
			continue
		}
		list, err := s.client.Build(strings.NewReader(h.Manifest), false)
		if err != nil {
			return nil, kube.Failure("read hook "+h.Name+" of "+s.String(), err, action.ExtentNone)
		}
		run := hookRun{hook: h}
		for _, info := range list {
			live, err := s.live(ctx, info)
			if err != nil {
				return nil, err
			}
			// One that is older is not of this revision: hooks are named the same.
			if live == nil || live.GetCreationTimestamp().Time.Before(rel.Info.LastDeployed.Truncate(time.Second)) {
				continue
			}
			run.list = append(run.list, info)
			run.running = run.running || runs(live)
		}
		if len(run.list) > 0 {
			found = append(found, run)
		}
	}
	return found, nil
}

// runs tells whether a job or a pod has not ended.
func runs(live runtime.Object) bool {
	data, err := json.Marshal(live)
	if err != nil {
		return false
	}
	switch live.GetObjectKind().GroupVersionKind().Kind {
	case "Job":
		var job batchv1.Job
		if json.Unmarshal(data, &job) != nil {
			return false
		}
		return !slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
			return (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue
		})
	case "Pod":
		var pod corev1.Pod
		if json.Unmarshal(data, &pod) != nil {
			return false
		}
		return pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
	default:
		return false
	}
}
