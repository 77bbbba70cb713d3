package kube_test

import (
	"context"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

func TestClusterJobSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit:   kubetest.Permit,
		Action:   kube.Job(space.Connector),
		Examples: "testdata/job/*.yaml",
		World:    kubetest.PodWorld,
		Slow:     map[string]any{"namespace": "-", "image": box, "command": []any{"sleep", "60"}},
	})
}

func TestClusterJob(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Images("busybox")
	job := kube.Job(space.Connector)
	cases := map[string]struct {
		reason string
		in     map[string]any
		want   string // of the output, or of the error: reason, effect, a part of the text
		again  action.Status
	}{
		"Log": {"All that it printed is kept.", map[string]any{"command": []any{"sh", "-c", "echo one; sleep 1; echo two >&2"}}, "one\ntwo", action.Done},
		"Exit": {
			"It failed, and says why.",
			map[string]any{"command": []any{"sh", "-c", "echo revision is unknown; exit 3"}},
			"JobFailed unknown container main ended with exit code 3: revision is unknown", action.Failed,
		},
		"Nothing": {"A code that means that nothing was changed.", map[string]any{
			"command": []any{"sh", "-c", "echo locked; exit 75"}, "unchangedExits": []any{int64(75)},
		}, "JobFailed none container main ended with exit code 75: locked", action.NotStarted},
		"Deadline": {
			"Kubernetes has ended it.",
			map[string]any{"command": []any{"sleep", "60"}, "deadline": "3s"},
			"JobFailed unknown DeadlineExceeded", action.Failed,
		},
		"Image": {"An image that cannot be pulled: nothing has run, and nothing will.", map[string]any{
			"image": "localhost/refit/none:1", "start": "4s",
		}, "JobNotStarted none did not run within 4s: container main waits: ", action.NotStarted},
		"Refused": {"What the cluster refuses was not made.", map[string]any{"pod": map[string]any{
			"containers": []any{map[string]any{"name": "A b", "image": box}},
		}, "image": nil}, "Invalid none ", action.NotStarted},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := map[string]any{"namespace": space.Name, "image": box}
			for key, value := range tc.in {
				in[key] = value
				if value == nil {
					delete(in, key)
				}
			}
			env := space.Env()
			env.Key = "run-1/" + name
			out, err := job.Run(t.Context(), env, in, nil)
			got, _ := out["stdout"].(string)
			if err != nil {
				failed, ok := err.(*action.Error) //nolint:errorlint // actions return nothing else
				if !ok {
					t.Fatal(err)
				}
				got = failed.Reason + " " + string(failed.Effect) + " " + err.Error()
			}
			for _, part := range strings.SplitN(tc.want, " ", 3) {
				if !strings.Contains(got, part) {
					t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
				}
			}
			env.Attempted = true
			obs, err := job.Observe(t.Context(), env, in)
			if err != nil || obs.Status != tc.again {
				t.Errorf("%s: observed %s (%s), %v", tc.reason, obs.Status, obs.Reason, err)
			}
		})
	}
}

// TestClusterJobIsFollowedOn lets a driver end while its job runs: the next one sees
// it, and does not run it again.
func TestClusterJobIsFollowedOn(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Images("busybox")
	job, env := kube.Job(space.Connector), space.Env()
	in := map[string]any{"namespace": space.Name, "image": box, "command": []any{"sh", "-c", "echo begun; sleep 4; echo done"}}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := job.Run(ctx, env, in, nil)
	failed, ok := err.(*action.Error) //nolint:errorlint // actions return nothing else
	if !ok || failed.Reason != "Interrupted" || failed.Effect != action.ExtentUnknown {
		t.Fatalf("got %v", err)
	}
	env.Attempted = true
	obs, err := job.Observe(t.Context(), env, in)
	if err != nil || obs.Status != action.InProgress {
		t.Fatalf("got %s (%s), %v", obs.Status, obs.Reason, err)
	}
	space.Within(time.Minute, "the end of the job", func(ctx context.Context) (bool, string) {
		obs, err = job.Observe(ctx, env, in)
		return err == nil && obs.Status == action.Done, obs.Reason
	})
	if obs.Output["stdout"] != "begun\ndone" {
		t.Errorf("got %v", obs.Output)
	}
	list, err := space.Cluster.Typed.BatchV1().Jobs(space.Name).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 || list.Items[0].Status.Succeeded != 1 {
		t.Errorf("got %d jobs, %v", len(list.Items), err)
	}
	// Removed by Kubernetes after a time, it cannot be told from one that never was.
	in["ttl"] = "24h"
	if err := space.Cluster.Typed.BatchV1().Jobs(space.Name).Delete(t.Context(), list.Items[0].Name, metav1.DeleteOptions{
		PropagationPolicy: new(metav1.DeletePropagationBackground),
	}); err != nil {
		t.Fatal(err)
	}
	space.Within(time.Minute, "the job to go", func(ctx context.Context) (bool, string) {
		obs, err = job.Observe(ctx, env, in)
		return err == nil && obs.Status == action.Unknown, obs.Reason
	})
	// One of somebody else is never taken for it.
	space.Cluster.Typed.BatchV1().Jobs(space.Name)
	foreign := list.Items[0].DeepCopy()
	foreign.ObjectMeta = metav1.ObjectMeta{Name: list.Items[0].Name}
	foreign.Spec.Selector, foreign.Spec.Template.Labels, foreign.Status = nil, nil, batchv1.JobStatus{}
	if _, err := space.Cluster.Typed.BatchV1().Jobs(space.Name).Create(t.Context(), foreign, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := job.Observe(t.Context(), env, in); action.ReasonOf(err) != "Conflict" {
		t.Errorf("a job of somebody else: got %v", err)
	}
}

func TestJobInput(t *testing.T) {
	t.Parallel()
	checkInputs(t, kube.Job(nil), map[string]any{"namespace": "jhub", "image": box}, map[string]struct {
		change map[string]any
		want   string
	}{
		"Neither":  {map[string]any{"image": nil}, `one of the fields "image" and "pod" is needed`},
		"Both":     {map[string]any{"pod": map[string]any{"a": 1}}, `one of the fields "image" and "pod" is needed`},
		"Name":     {map[string]any{"name": "Migrate"}, `field "name" is "Migrate"`},
		"LongName": {map[string]any{"name": strings.Repeat("a", 31)}, `needs up to 30 of a-z`},
		"PodTypo":  {map[string]any{"image": nil, "pod": map[string]any{"container": []any{}}}, `field "pod" is no PodSpec: unknown field "container"`},
		"PodEmpty": {map[string]any{"image": nil, "pod": map[string]any{"hostNetwork": true}}, `field "pod" has no containers`},
		"Restart": {map[string]any{"image": nil, "pod": map[string]any{
			"restartPolicy": "Always", "containers": []any{map[string]any{"name": "a"}},
		}}, "its restartPolicy is Always"},
		"Twice":    {map[string]any{"env": map[string]any{"A": "b"}, "secretEnv": map[string]any{"A": map[string]any{"env": "X"}}}, `"A" stands in env and in secretEnv`},
		"Variable": {map[string]any{"env": map[string]any{"A=B": "b"}}, `"A=B" cannot be the name`},
		"TTL":      {map[string]any{"ttl": "1s"}, `field "ttl" is shorter than a minute`},
		"Backoff":  {map[string]any{"backoffLimit": int64(-1)}, `field "backoffLimit" is -1`},
		"Deadline": {map[string]any{"deadline": "10ms"}, `field "deadline" is shorter than a second`},
	})
}
