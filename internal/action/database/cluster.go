package database

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

// forward is a port of this machine that leads to a pod.
type forward struct {
	port int
	stop context.CancelFunc
	done chan struct{}
}

func (f *forward) close() {
	f.stop()
	<-f.done
}

// forwardTo opens a way to a port of a service, through the API server: it works from
// wherever the cluster itself is reached.
func forwardTo(ctx context.Context, c *kube.Cluster, namespace, service string, port int) (*forward, error) {
	doing := fmt.Sprintf("reach service %s in namespace %s of %s", service, namespace, c.Name)
	pod, number, err := behind(ctx, c, namespace, service, port, doing)
	if err != nil {
		return nil, err
	}
	address := c.Typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).
		SubResource("portforward").URL()
	dialer, err := portforward.NewSPDYOverWebsocketDialer(address, rest.CopyConfig(c.Rest))
	if err != nil {
		return nil, kube.Failure(doing, err, action.ExtentNone)
	}
	transport, upgrader, err := spdy.RoundTripperFor(rest.CopyConfig(c.Rest))
	if err != nil {
		return nil, kube.Failure(doing, err, action.ExtentNone)
	}
	// Servers before Kubernetes 1.31 know SPDY only.
	old := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, "POST", address)
	both := portforward.NewFallbackDialer(dialer, old, isOldServer)
	// It is needed to tidy up when the context has ended. What it would log comes as an
	// error of the connection too.
	quiet, stop := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), logr.Discard()))
	f := &forward{stop: stop, done: make(chan struct{})}
	ready := make(chan struct{})
	forwarder, err := portforward.NewOnAddressesWithContext(quiet, both, []string{"127.0.0.1"},
		[]string{fmt.Sprintf("0:%d", number)}, ready, io.Discard, io.Discard)
	if err != nil {
		stop()
		return nil, kube.Failure(doing, err, action.ExtentNone)
	}
	failed := make(chan error, 1)
	go func() {
		defer close(f.done)
		defer stop()
		failed <- forwarder.ForwardPorts()
	}()
	select {
	case <-ready:
	case err := <-failed:
		return nil, kube.Failure(doing, cmp.Or(err, errors.New("the way has ended")), action.ExtentNone)
	case <-ctx.Done():
		f.close()
		return nil, common(doing, context.Cause(ctx))
	}
	ports, err := forwarder.GetPorts()
	if err != nil || len(ports) == 0 {
		f.close()
		return nil, kube.Failure(doing, cmp.Or(err, errors.New("no port was opened")), action.ExtentNone)
	}
	f.port = int(ports[0].Local)
	return f, nil
}

// behind returns a pod of a service that is ready, and the port that it listens on.
func behind(
	ctx context.Context, c *kube.Cluster, namespace, service string, port int, doing string,
) (string, int, error) {
	s, err := c.Typed.CoreV1().Services(namespace).Get(ctx, service, metav1.GetOptions{})
	if err != nil {
		return "", 0, kube.Failure(doing, err, action.ExtentNone)
	}
	at := slices.IndexFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return int(p.Port) == port })
	if at < 0 || len(s.Spec.Selector) == 0 {
		return "", 0, failure(reasonConnection, "correct database.service and database.port", false,
			"%s: it has no port %d, or no pods of its own", doing, port)
	}
	pod, err := findPod(ctx, c, namespace, labels(s.Spec.Selector), doing)
	if err != nil {
		return "", 0, err
	}
	target := s.Spec.Ports[at].TargetPort
	if target.Type == intstr.Int {
		return pod.Name, cmp.Or(target.IntValue(), port), nil
	}
	for _, container := range pod.Spec.Containers {
		for _, p := range container.Ports {
			if p.Name == target.StrVal {
				return pod.Name, int(p.ContainerPort), nil
			}
		}
	}
	return "", 0, failure(reasonConnection, "correct the service", false,
		"%s: its pod has no port %q", doing, target.StrVal)
}

func labels(m map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, key+"="+m[key])
	}
	return strings.Join(parts, ",")
}

// isOldServer tells of an API server, or a proxy before it, that knows no websockets.
func isOldServer(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

// findPod returns a pod that is ready, by its name or by labels.
func findPod(ctx context.Context, c *kube.Cluster, namespace, nameOrLabels, doing string) (*corev1.Pod, error) {
	pods := c.Typed.CoreV1().Pods(namespace)
	if !strings.ContainsAny(nameOrLabels, "=,!() ") {
		pod, err := pods.Get(ctx, nameOrLabels, metav1.GetOptions{})
		if err != nil {
			return nil, kube.Failure(doing, err, action.ExtentNone)
		}
		if !isReady(pod) {
			return nil, failure(reasonUnreachable, "wait until it is", true,
				"%s: pod %s is not ready", doing, nameOrLabels)
		}
		return pod, nil
	}
	list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: nameOrLabels})
	if err != nil {
		return nil, kube.Failure(doing, err, action.ExtentNone)
	}
	for i := range list.Items {
		if isReady(&list.Items[i]) {
			return &list.Items[i], nil
		}
	}
	return nil, failure(reasonUnreachable, "wait until there is one, or correct the labels", true,
		"%s: of %d pods with labels %s none is ready", doing, len(list.Items), nameOrLabels)
}

func isReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// podBox starts programs in a container.
type podBox struct {
	cluster                   *kube.Cluster
	namespace, pod, container string
	// log takes what programs say.
	log io.Writer
}

func (b *podBox) where() string { return fmt.Sprintf("in pod %s of namespace %s", b.pod, b.namespace) }

func (b *podBox) candidates(names []string) []string { return names }

func (b *podBox) versionOf(ctx context.Context, program string) (string, error) {
	var out strings.Builder
	exit, _, err := b.exec(ctx, []string{program, "--version"}, nil, &out)
	if err != nil || exit != 0 {
		return "", err
	}
	return strings.TrimSpace(out.String()), nil
}

// environScript starts its arguments with the variables, and the file, that the first
// two lines of standard input hold: nothing of them is an argument that others of the
// node could read. What follows is the standard input of the program.
const environScript = `set -eu
IFS= read -r REFIT_ENV
IFS= read -r REFIT_FILE
eval "$(printf %s "$REFIT_ENV" | base64 -d)"
unset REFIT_ENV
if [ -n "$REFIT_FILE" ]; then
  umask 077
  file=$(mktemp)
  trap 'rm -f "$file"' EXIT INT TERM HUP
  printf %s "$REFIT_FILE" | base64 -d > "$file"
  if [ -n "${REFIT_FILE_VARIABLE-}" ]; then export "$REFIT_FILE_VARIABLE=$file"; fi
  unset REFIT_FILE
  first=$1; shift
  case ${1-} in *=REFIT_SECRET_FILE) one=${1%REFIT_SECRET_FILE}$file; shift; set -- "$one" "$@";; esac
  "$first" "$@"
else
  exec "$@"
fi
`

func (b *podBox) run(ctx context.Context, program string, c call) error {
	var vars strings.Builder
	for _, key := range slices.Sorted(maps.Keys(c.env)) {
		fmt.Fprintf(&vars, "export %s='%s'\n", key, strings.ReplaceAll(c.env[key], "'", `'\''`))
	}
	if c.fileVariable != "" {
		fmt.Fprintf(&vars, "REFIT_FILE_VARIABLE=%s\n", c.fileVariable)
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) + "\n" }
	var from io.Reader = strings.NewReader(encode(vars.String()) + encode(c.secret))
	var sticky *stickyReader
	if c.from != nil {
		sticky = &stickyReader{r: c.from}
		from = io.MultiReader(from, sticky)
	}
	args := []string{"sh", "-c", environScript, "sh", program}
	for _, arg := range c.args {
		args = append(args, strings.ReplaceAll(arg, fileArgument, fileName))
	}
	var to *stickyWriter
	out := io.Discard
	if c.to != nil {
		to = &stickyWriter{w: c.to}
		out = to
	}
	exit, said, err := b.exec(ctx, args, from, out)
	return toolFailure(program, exit, said, err, sticky, to)
}

// exec runs a command and returns how it ended and the end of what it has said.
func (b *podBox) exec(
	ctx context.Context, args []string, from io.Reader, to io.Writer,
) (exit int, said string, err error) {
	doing := fmt.Sprintf("run %s %s", args[0], b.where())
	request := b.cluster.Typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(b.namespace).Name(b.pod).
		SubResource("exec").VersionedParams(&corev1.PodExecOptions{
		Container: b.container, Command: args, Stdin: from != nil, Stdout: true, Stderr: true,
	}, scheme.ParameterCodec)
	socket, err := remotecommand.NewWebSocketExecutor(b.cluster.Rest, "GET", request.URL().String())
	if err != nil {
		return 0, "", kube.Failure(doing, err, action.ExtentNone)
	}
	old, err := remotecommand.NewSPDYExecutor(b.cluster.Rest, "POST", request.URL())
	if err != nil {
		return 0, "", kube.Failure(doing, err, action.ExtentNone)
	}
	executor, err := remotecommand.NewFallbackExecutor(socket, old, isOldServer)
	if err != nil {
		return 0, "", kube.Failure(doing, err, action.ExtentNone)
	}
	stderr := &lastLines{log: b.log}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: from, Stdout: to, Stderr: stderr})
	if code, ok := errors.AsType[utilexec.CodeExitError](err); ok {
		return code.Code, stderr.String(), nil
	}
	if err != nil {
		if known := common(doing, err); known != nil {
			return 0, "", known
		}
		return 0, "", kube.Failure(doing, err, action.ExtentUnknown)
	}
	return 0, stderr.String(), nil
}

// lastLines keeps the end of what a program says and hands all of it to a log.
type lastLines struct {
	log  io.Writer
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (l *lastLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.log != nil {
		_, _ = l.log.Write(p) // nobody waits for the log
	}
	const keep = 4 << 10
	l.text = append(l.text, p...)
	l.text = l.text[max(0, len(l.text)-keep):]
	return len(p), nil
}

// String returns what was kept.
func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// toolbox returns where the programs of the database are run. leave removes what was
// made for that.
func (p *place) toolbox(ctx context.Context, cluster *kube.Cluster) (box toolbox, leave func(), err error) {
	via := p.at.via()
	none := func() {}
	switch {
	case via.Pod != "":
		pod, err := findPod(ctx, cluster, p.at.Namespace, via.Pod, "find the pod of the programs")
		if err != nil {
			return nil, nil, err
		}
		container := cmp.Or(via.Container, pod.Spec.Containers[0].Name)
		return &podBox{
			cluster: cluster, namespace: p.at.Namespace, pod: pod.Name, container: container, log: p.env.Log,
		}, none, nil
	case via.Image != "":
		return p.helper(ctx, cluster, "")
	default:
		return p.world.newMachine(p.env, via.Folder, p.password), none, nil
	}
}

// helperLife is how long a pod of ours lives when nobody removes it.
const helperLife = 6 * time.Hour

// helper makes a pod of an image that does nothing until programs are started in it,
// with a claim mounted at /data when there is one. leave removes it. One that an
// attempt before has left is used, or replaced when it has ended.
func (p *place) helper(
	ctx context.Context, cluster *kube.Cluster, claim string,
) (box *podBox, leave func(), err error) {
	pods := cluster.Typed.CoreV1().Pods(p.at.Namespace)
	made := p.helperPod(claim)
	doing := fmt.Sprintf("start pod %s in namespace %s", made.Name, p.at.Namespace)
	leave = func() { p.removeHelper(ctx, cluster, made.Name) }
	for {
		_, err := pods.Create(ctx, made, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return nil, nil, kube.Failure(doing, err, action.ExtentNone)
		}
		pod, err := pods.Get(ctx, made.Name, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			leave()
			return nil, nil, kube.Failure(doing, err, action.ExtentNone)
		}
		if err == nil && pod.DeletionTimestamp == nil {
			if isReady(pod) {
				return &podBox{
					cluster: cluster, namespace: p.at.Namespace, pod: made.Name, container: "refit", log: p.env.Log,
				}, leave, nil
			}
			if why := hopeless(pod); why != "" {
				leave()
				return nil, nil, failure(reasonToolMissing, "correct database.via.image, or what it needs", true,
					"%s: %s", doing, why)
			}
		}
		if err := wait.For(ctx, patience); err != nil {
			leave()
			return nil, nil, common(doing, err)
		}
	}
}

// removeHelper removes a pod of ours, also when the context has ended.
func (p *place) removeHelper(ctx context.Context, cluster *kube.Cluster, pod string) {
	if p.broken() {
		return
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	pods, now := cluster.Typed.CoreV1().Pods(p.at.Namespace), int64(0)
	err := pods.Delete(ending, pod, metav1.DeleteOptions{GracePeriodSeconds: &now})
	if err != nil && !apierrors.IsNotFound(err) {
		_, _ = fmt.Fprintf(p.env.LogWriter(), "pod %s is left: %s\n", pod, flat(err)) // nobody waits for the log
	}
}

// hopeless says why a pod will not start; "" while it may.
func hopeless(pod *corev1.Pod) string {
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return "it has ended: " + pod.Status.Message
	}
	for _, s := range pod.Status.ContainerStatuses {
		w := s.State.Waiting
		if w != nil && slices.Contains([]string{
			"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError",
			"CreateContainerError", "RunContainerError",
		}, w.Reason) {
			return w.Reason + ": " + w.Message
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse &&
			c.Reason == corev1.PodReasonUnschedulable && !strings.Contains(c.Message, "unbound") {
			return c.Message
		}
	}
	return ""
}

func (p *place) helperPod(claim string) *corev1.Pod {
	life := int64(helperLife / time.Second)
	no := false
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "refit-database-" + p.names().step,
			Labels: map[string]string{
				kube.StepLabel: kube.LabelValue(p.env.Key), kube.RunLabel: kube.LabelValue(p.env.Origin),
			},
			Annotations: map[string]string{kube.KeyAnnotation: p.env.Key},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, ActiveDeadlineSeconds: &life, AutomountServiceAccountToken: &no,
			Containers: []corev1.Container{{
				Name: "refit", Image: p.at.via().Image, ImagePullPolicy: corev1.PullIfNotPresent,
				Command: []string{"sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 1; done"},
			}},
		},
	}
	if claim != "" {
		pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
		}}}
		pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	}
	return pod
}
