package kube

import (
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

func (j jobs) run(ctx context.Context, env action.Env, in JobInput, _ map[string]any) (JobOutput, error) {
	o, err := j.of(ctx, env, in)
	if err != nil {
		return JobOutput{}, err
	}
	if err := o.make(ctx, env); err != nil {
		return JobOutput{}, err
	}
	return o.follow(ctx, env)
}

// make makes the Job, unless it is there. One that has failed and changed nothing is
// made anew.
func (o oneJob) make(ctx context.Context, env action.Env) error {
	client := o.cluster.Typed.BatchV1().Jobs(o.in.Namespace)
	old, err := o.get(ctx)
	if err != nil {
		return err
	}
	if old != nil && jobEnd(old).Type != batchv1.JobFailed {
		return nil
	}
	if old != nil {
		pod, err := o.pod(ctx)
		if err != nil {
			return err
		}
		if !o.unchanged(pod) {
			return nil
		}
		if err := o.remove(ctx); err != nil {
			return err
		}
	}
	spec, err := o.in.podSpec(o.name)
	if err != nil {
		return err
	}
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name: o.name, Labels: ownLabels(env), Annotations: map[string]string{kube.KeyAnnotation: env.Key},
		},
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(o.in.BackoffLimit)), //nolint:gosec // it was checked
			Template:     corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: ownLabels(env)}, Spec: spec},
		},
	}
	if o.in.Deadline > 0 {
		job.Spec.ActiveDeadlineSeconds = new(int64(o.in.Deadline / time.Second))
	}
	if o.in.TTL > 0 {
		job.Spec.TTLSecondsAfterFinished = new(int32(o.in.TTL / time.Second)) //nolint:gosec // 68 years
	}
	made, err := client.Create(ctx, job, metav1.CreateOptions{FieldManager: kube.FieldOwner})
	if apierrors.IsAlreadyExists(err) {
		return nil // Somebody else of this run has made it meanwhile.
	}
	if err != nil {
		return failed(ctx, "make "+o.String(), err, action.ExtentUnknown)
	}
	return o.hand(ctx, env, made)
}

// hand makes the Secret that the containers of the Job wait for; it goes with the Job.
func (o oneJob) hand(ctx context.Context, env action.Env, job *batchv1.Job) error {
	if len(o.in.SecretEnv) == 0 {
		return nil
	}
	_, err := o.cluster.Typed.CoreV1().Secrets(o.in.Namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: o.name, Labels: ownLabels(env), OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "batch/v1", Kind: "Job", Name: job.Name, UID: job.UID,
			}},
		},
		StringData: o.variables, Immutable: new(true),
	}, metav1.CreateOptions{FieldManager: kube.FieldOwner})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return failed(ctx, "make the secret of "+o.String(), err, action.ExtentPartial)
	}
	return nil
}

// remove removes the Job with its pods, and waits until it is gone.
func (o oneJob) remove(ctx context.Context) error {
	client := o.cluster.Typed.BatchV1().Jobs(o.in.Namespace)
	err := client.Delete(ctx, o.name, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationForeground)})
	if err != nil && !apierrors.IsNotFound(err) {
		return failed(ctx, "remove "+o.String(), err, action.ExtentUnknown)
	}
	for {
		job, err := o.get(ctx)
		if err != nil || job == nil {
			return err
		}
		if err := wait.For(ctx, jobEvery); err != nil {
			return failed(ctx, "wait until "+o.String()+" is gone", err, action.ExtentUnknown)
		}
	}
}

// follow waits until the Job has ended, and hands out the log of its pods meanwhile.
func (o oneJob) follow(ctx context.Context, env action.Env) (JobOutput, error) {
	doing := "wait for " + o.String()
	began := env.Now()
	seenPod, capture := "", (*exec.Capture)(nil)
	for {
		job, pod, err := o.look(ctx, env, doing)
		if err != nil {
			return JobOutput{}, err
		}
		condition := jobEnd(job)
		if pod != nil && pod.Name != seenPod && started(pod) {
			seenPod, capture = pod.Name, o.capture(env.Log)
			read, err := o.readOn(ctx, pod, capture)
			if err != nil {
				return JobOutput{}, err
			}
			if read {
				continue
			}
		}
		switch {
		case condition.Type == batchv1.JobComplete:
			return o.succeeded(pod, capture), nil
		case condition.Type == batchv1.JobFailed:
			return JobOutput{}, o.failure(ctx, pod, condition)
		case pod == nil || !started(pod):
			why := stuck(pod, job)
			env.Report(action.Progress{Note: o.name + ": " + why})
			if limit := o.startLimit(); env.Now().Sub(began) > limit {
				return JobOutput{}, o.neverStarted(ctx, why, limit)
			}
		}
		if err := wait.For(ctx, jobEvery); err != nil {
			return JobOutput{}, failed(ctx, doing, err, action.ExtentUnknown)
		}
	}
}

// look returns the Job while it is followed, and its newest pod, nil when there is none.
func (o oneJob) look(ctx context.Context, env action.Env, doing string) (*batchv1.Job, *corev1.Pod, error) {
	job, err := o.get(ctx)
	if err == nil && job != nil {
		err = o.hand(ctx, env, job) // after a crash between the two
	}
	var pod *corev1.Pod
	if err == nil {
		pod, err = o.pod(ctx)
	}
	if err != nil {
		return nil, nil, action.WithExtent(err, action.ExtentUnknown)
	}
	if job == nil {
		return nil, nil, &action.Error{
			Reason: reasonJobLost, Effect: action.ExtentUnknown, Remedy: "see what it has done, then refit settle",
			Err: fmt.Errorf("%s: it was removed while it ran", doing),
		}
	}
	return job, pod, nil
}

// readOn hands out the log of a pod until its container ends; then the Job is to be
// looked at again. It returns false when there is no container to read from.
func (o oneJob) readOn(ctx context.Context, pod *corev1.Pod, capture *exec.Capture) (bool, error) {
	s := mainStatus(pod)
	if s == nil {
		return false, nil
	}
	err := o.read(ctx, pod.Name, corev1.PodLogOptions{Container: s.Name, Follow: true}, capture)
	if err != nil {
		return false, action.WithExtent(err, action.ExtentUnknown)
	}
	return true, nil
}

func (o oneJob) startLimit() time.Duration {
	if o.in.Start > 0 {
		return o.in.Start
	}
	return defaultStart
}

// succeeded is the output of a Job whose log was followed.
func (o oneJob) succeeded(pod *corev1.Pod, capture *exec.Capture) JobOutput {
	out := JobOutput{Job: o.name}
	if pod != nil {
		out.Pod = pod.Name
	}
	if capture != nil {
		printed := capture.End(0).Output()
		out.Stdout, out.Truncated = printed.Stdout, printed.Truncated
	}
	return out
}

// failure is the error of a Job that has failed.
func (o oneJob) failure(ctx context.Context, pod *corev1.Pod, condition batchv1.JobCondition) error {
	out := &action.Error{
		Reason: reasonJobFailed, Effect: action.ExtentUnknown,
		Remedy: fmt.Sprintf("mend the cause; kubectl delete job -n %s %s lets refit retry run it again",
			o.in.Namespace, o.name),
		Err: fmt.Errorf("%s: %s", o, o.why(ctx, pod, condition)),
	}
	if o.unchanged(pod) {
		out.Effect, out.Retryable, out.Remedy = action.ExtentNone, true, "mend the cause, then refit retry"
	}
	return out
}

// neverStarted removes a Job whose container has never run, so that it does not run
// later, when nobody looks.
func (o oneJob) neverStarted(ctx context.Context, why string, limit time.Duration) error {
	if err := o.remove(ctx); err != nil {
		return err
	}
	return &action.Error{
		Reason: reasonJobNotStarted, Retryable: true, Effect: action.ExtentNone,
		Remedy: "mend that, then refit retry; the job was removed",
		Err:    fmt.Errorf("%s did not run within %s: %s", o, limit, why),
	}
}

// started tells whether a container of a pod runs or has run.
func started(pod *corev1.Pod) bool {
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if s.State.Running != nil || s.State.Terminated != nil || s.LastTerminationState.Terminated != nil {
			return true
		}
	}
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// stuck says what a pod waits for that does not run yet.
func stuck(pod *corev1.Pod, job *batchv1.Job) string {
	if pod == nil {
		for _, c := range job.Status.Conditions {
			if c.Message != "" {
				return c.Reason + ": " + c.Message
			}
		}
		return "it has no pod yet: kubectl describe says why"
	}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if w := s.State.Waiting; w != nil && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating" {
			return fmt.Sprintf("container %s waits: %s", s.Name, waitingText(w))
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return "it finds no node: " + c.Message
		}
	}
	return "its pod is being started"
}
