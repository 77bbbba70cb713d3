package kube

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/secret"
)

// seen says how a Job is.
func (o oneJob) seen(ctx context.Context, job *batchv1.Job) (action.Observed[JobOutput], error) {
	none := action.Observed[JobOutput]{}
	switch condition := jobEnd(job); condition.Type {
	case batchv1.JobComplete:
		out, err := o.output(ctx, o.capture(nil), nil)
		return action.Observed[JobOutput]{Status: action.Done, Output: &out, Reason: o.String() + " has succeeded"}, err
	case batchv1.JobFailed:
		pod, err := o.pod(ctx)
		if err != nil {
			return none, err
		}
		why := o.why(ctx, pod, condition)
		if o.unchanged(pod) {
			return action.Observed[JobOutput]{
				Status: action.NotStarted, Reason: fmt.Sprintf("%s has failed and changed nothing: %s", o, why),
			}, nil
		}
		return action.Observed[JobOutput]{Status: action.Failed, Reason: fmt.Sprintf("%s has failed: %s", o, why)}, nil
	default:
		return action.Observed[JobOutput]{
			Status: action.InProgress, Reason: o.String() + " is under way",
			Progress: &action.Progress{
				Note: fmt.Sprintf("%s: %d pods active, %d failed", o.name, job.Status.Active, job.Status.Failed),
			},
		}, nil
	}
}

// jobEnd returns the condition that says how a Job has ended, the zero one while it
// goes on.
func jobEnd(job *batchv1.Job) batchv1.JobCondition {
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return batchv1.JobCondition{}
}

// pod returns the newest pod of the Job, nil when there is none.
func (o oneJob) pod(ctx context.Context) (*corev1.Pod, error) {
	list, err := o.cluster.Typed.CoreV1().Pods(o.in.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: batchv1.JobNameLabel + "=" + o.name,
	})
	if err != nil {
		return nil, failed(ctx, "look for the pod of "+o.String(), err, action.ExtentNone)
	}
	if len(list.Items) == 0 {
		return nil, nil //nolint:nilnil // that there is none is an answer
	}
	newest := slices.MaxFunc(list.Items, func(a, b corev1.Pod) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	return &newest, nil
}

// mainStatus returns how the container of a pod is that decides: the one that failed, else
// the first.
func mainStatus(pod *corev1.Pod) *corev1.ContainerStatus {
	if pod == nil {
		return nil
	}
	all := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	for i := range all {
		if t := all[i].State.Terminated; t != nil && t.ExitCode != 0 {
			return &all[i]
		}
	}
	if len(pod.Status.ContainerStatuses) > 0 {
		return &pod.Status.ContainerStatuses[0]
	}
	return nil
}

// unchanged tells whether the Job has failed with a code that means that nothing was
// changed.
func (o oneJob) unchanged(pod *corev1.Pod) bool {
	s := mainStatus(pod)
	return s != nil && s.State.Terminated != nil &&
		slices.Contains(o.in.UnchangedExits, int(s.State.Terminated.ExitCode))
}

// why says in one line why a Job has failed: what its container said last, and what
// Kubernetes says.
func (o oneJob) why(ctx context.Context, pod *corev1.Pod, condition batchv1.JobCondition) string {
	var parts []string
	if s := mainStatus(pod); s != nil && s.State.Terminated != nil {
		t := s.State.Terminated
		text := fmt.Sprintf("container %s ended with exit code %d", s.Name, t.ExitCode)
		if t.Reason != "" && t.Reason != "Error" {
			text += " (" + t.Reason + ")"
		}
		parts = append(parts, text)
		if out, err := o.output(ctx, o.capture(nil), pod); err == nil {
			result := exec.Result{Stdout: out.Stdout}
			if line := result.LastLine(); line != "" {
				parts = append(parts, line)
			}
		}
	}
	if pod != nil && pod.Status.Reason != "" {
		parts = append(parts, strings.TrimSpace("the pod was ended: "+pod.Status.Reason+" "+pod.Status.Message))
	}
	if condition.Reason == batchv1.JobReasonDeadlineExceeded || len(parts) == 0 {
		parts = append(parts, condition.Reason+": "+condition.Message)
	}
	return secret.NewRedactor(o.secrets...).Text(strings.Join(parts, ": "))
}

// output reads the log of the newest pod; pod may be nil.
func (o oneJob) output(ctx context.Context, capture *exec.Capture, pod *corev1.Pod) (JobOutput, error) {
	out := JobOutput{Job: o.name}
	if pod == nil {
		var err error
		if pod, err = o.pod(ctx); err != nil || pod == nil {
			return out, err
		}
	}
	out.Pod = pod.Name
	s := mainStatus(pod)
	if s == nil {
		return out, nil
	}
	if s.State.Terminated != nil {
		out.ExitCode = int(s.State.Terminated.ExitCode)
	}
	err := o.read(ctx, pod.Name, corev1.PodLogOptions{Container: s.Name, TailLines: new(int64(5000))}, capture)
	if err != nil {
		return out, err
	}
	printed := capture.End(0).Output()
	out.Stdout, out.Truncated = printed.Stdout, printed.Truncated
	return out, nil
}

// read copies a log. One that is gone is empty.
func (o oneJob) read(ctx context.Context, pod string, opts corev1.PodLogOptions, capture *exec.Capture) error {
	doing := fmt.Sprintf("read the log of pod %s in namespace %s", pod, o.in.Namespace)
	stream, err := o.cluster.Typed.CoreV1().Pods(o.in.Namespace).GetLogs(pod, &opts).Stream(ctx)
	if apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) { // it has never run
		return nil
	}
	if err != nil {
		return failed(ctx, doing, err, action.ExtentNone)
	}
	defer func() { _ = stream.Close() }() // it was only read
	if _, err := bufio.NewReader(stream).WriteTo(capture.Stdout); err != nil {
		return failed(ctx, doing, err, action.ExtentNone)
	}
	return nil
}
