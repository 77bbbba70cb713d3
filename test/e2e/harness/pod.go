package harness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod is what most tests need of a pod: one container.
type Pod struct {
	// Name is that of the pod; its label app has the same value.
	Name string
	// Image is one of refit-testbed, as name:tag.
	Image string
	// Command and Env are as in a container. No command is that of the image.
	Command []string
	Args    []string
	Env     map[string]string
	// Mounts maps claims to folders.
	Mounts map[string]string
	// Files are in the folder /etc/refit of the pod.
	Files map[string]string
	// Ready is a command that succeeds when the pod serves; none means that it is
	// ready when it runs.
	Ready []string
	// Account is its service account, "default" if none is named.
	Account string
}

// start is how long a pod may take until it is ready, on a busy machine.
const start = 4 * time.Minute

// Run makes a pod and waits until it is ready.
func (s *Space) Run(p Pod) {
	s.t.Helper()
	if p.Files != nil {
		_, err := s.Client.CoreV1().ConfigMaps(s.Name).Create(s.t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: p.Name}, Data: p.Files,
		}, metav1.CreateOptions{})
		// A pod that comes again has its files.
		if err != nil && !apierrors.IsAlreadyExists(err) {
			s.t.Fatalf("make the files of pod %s: %v", p.Name, err)
		}
	}
	if _, err := s.Client.CoreV1().Pods(s.Name).Create(s.t.Context(), p.object(), metav1.CreateOptions{}); err != nil {
		s.t.Fatalf("make pod %s: %v", p.Name, err)
	}
	s.Await(p.Name)
}

// Await waits until a pod is ready. It gives up early on one that cannot become
// so.
func (s *Space) Await(name string) {
	s.t.Helper()
	s.Within(start, "pod "+name, func(ctx context.Context) (bool, string) {
		pod, err := s.Client.CoreV1().Pods(s.Name).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		ready, final, why := judge(pod)
		if final {
			s.t.Fatalf("pod %s will never be ready: %s", name, why)
		}
		return ready, why
	})
}

// Remove deletes a pod, at once when force is set, as when its node is lost, and
// waits until it is gone.
func (s *Space) Remove(name string, force bool) {
	s.t.Helper()
	options := metav1.DeleteOptions{}
	if force {
		now := int64(0)
		options.GracePeriodSeconds = &now
	}
	pods := s.Client.CoreV1().Pods(s.Name)
	if err := pods.Delete(s.t.Context(), name, options); err != nil {
		s.t.Fatalf("remove pod %s: %v", name, err)
	}
	s.Within(2*time.Minute, "the end of pod "+name, func(ctx context.Context) (bool, string) {
		_, err := pods.Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
}

// judge tells whether a pod is ready, whether it will never be, and why.
func judge(pod *corev1.Pod) (ready, final bool, why string) {
	why = "it is " + string(pod.Status.Phase)
	for _, c := range pod.Status.Conditions {
		switch {
		case c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue:
			return true, false, ""
		case c.Status == corev1.ConditionFalse && c.Message != "":
			why = c.Message
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && w.Reason != "ContainerCreating" {
			why = w.Reason + ": " + w.Message
			final = slices.Contains([]string{"ErrImageNeverPull", "InvalidImageName"}, w.Reason)
		}
		if ended := c.State.Terminated; ended != nil {
			why = fmt.Sprintf("it ended with exit code %d: %s %s", ended.ExitCode, ended.Reason, ended.Message)
			final = pod.Spec.RestartPolicy == corev1.RestartPolicyNever
		}
	}
	return false, final, strings.TrimSpace(why)
}

func (p Pod) object() *corev1.Pod {
	container := corev1.Container{
		Name: "main", Image: "localhost/refit/" + p.Image, Command: p.Command, Args: p.Args,
		// Nothing is ever pulled: what was not loaded fails at once.
		ImagePullPolicy: corev1.PullNever,
		// So that the end of its log is told with its end.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
	}
	for _, name := range slices.Sorted(maps.Keys(p.Env)) {
		container.Env = append(container.Env, corev1.EnvVar{Name: name, Value: p.Env[name]})
	}
	if len(p.Ready) > 0 {
		container.ReadinessProbe = &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: p.Ready}},
			PeriodSeconds: 1, TimeoutSeconds: 5,
		}
	}
	grace := int64(20)
	object := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Labels: map[string]string{"app": p.Name}},
		Spec:       corev1.PodSpec{TerminationGracePeriodSeconds: &grace, ServiceAccountName: p.Account},
	}
	for _, claim := range slices.Sorted(maps.Keys(p.Mounts)) {
		mount := corev1.VolumeMount{Name: claim, MountPath: p.Mounts[claim]}
		container.VolumeMounts = append(container.VolumeMounts, mount)
		object.Spec.Volumes = append(object.Spec.Volumes, corev1.Volume{Name: claim, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
		}})
	}
	if p.Files != nil {
		mount := corev1.VolumeMount{Name: "files", MountPath: "/etc/refit"}
		container.VolumeMounts = append(container.VolumeMounts, mount)
		source := &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: p.Name}}
		object.Spec.Volumes = append(object.Spec.Volumes, corev1.Volume{
			Name: "files", VolumeSource: corev1.VolumeSource{ConfigMap: source},
		})
	}
	object.Spec.Containers = []corev1.Container{container}
	return object
}
