package accept

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
)

// box is the image that tests use.
const box = "localhost/refit/busybox:1"

// namespace makes a namespace of the test's own and removes it after it.
func namespace(t *testing.T) string {
	t.Helper()
	ns, err := the.client.Typed.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "accept-"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		now := int64(0)
		options := metav1.DeleteOptions{GracePeriodSeconds: &now}
		if err := the.client.Typed.CoreV1().Namespaces().Delete(context.Background(), ns.Name, options); err != nil {
			t.Error(err)
		}
	})
	within(t, "the service account of "+ns.Name, func(ctx context.Context) (bool, string) {
		_, err := the.client.Typed.CoreV1().ServiceAccounts(ns.Name).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, fmt.Sprint(err)
	})
	return ns.Name
}

// server makes a pod that serves text on port 8080, and waits until it is ready.
func server(t *testing.T, ns, name, text string, change func(*corev1.PodSpec)) {
	t.Helper()
	now := int64(0)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &now,
			Containers: []corev1.Container{{
				Name: "server", Image: box, Command: []string{"probe", "serve", ":8080", text},
				ReadinessProbe: &corev1.Probe{
					ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}},
					PeriodSeconds: 1,
				},
			}},
		},
	}
	if change != nil {
		change(&pod.Spec)
	}
	if _, err := the.client.Typed.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	within(t, "pod "+name, func(ctx context.Context) (bool, string) {
		p, err := the.client.Typed.CoreV1().Pods(ns).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%s %+v", p.Status.Phase, p.Status.ContainerStatuses)
	})
}

// execute runs a command in a pod.
func execute(ctx context.Context, ns, pod string, command ...string) (string, error) {
	request := the.client.Typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(ns).Name(pod).
		SubResource("exec").VersionedParams(&corev1.PodExecOptions{
		Container: "server", Command: command, Stdout: true, Stderr: true,
	}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(the.client.Config, http.MethodGet, request.URL().String())
	if err != nil {
		return "", err
	}
	// Two, because they are written to at the same time.
	var stdout, stderr bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr})
	return stdout.String() + stderr.String(), err
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

func TestExecAndLogs(t *testing.T) {
	t.Parallel()
	root(t)
	ns := namespace(t)
	server(t, ns, "web", "hello", nil)
	text, err := execute(t.Context(), ns, "web", "probe", "get", "http://127.0.0.1:8080/from-exec")
	if err != nil || text != "hello from web\n" {
		t.Errorf("exec: %q, %v", text, err)
	}
	if _, err := execute(t.Context(), ns, "web", "sh", "-c", "exit 7"); err == nil || !strings.Contains(err.Error(), "7") {
		t.Errorf("exec with exit code 7: %v", err)
	}
	within(t, "the log", func(ctx context.Context) (bool, string) {
		log, err := the.client.Typed.CoreV1().Pods(ns).GetLogs("web", &corev1.PodLogOptions{}).DoRaw(ctx)
		return strings.Contains(string(log), "GET /from-exec\n"), fmt.Sprintf("%q, %v", log, err)
	})
}

func TestPortForward(t *testing.T) {
	t.Parallel()
	root(t)
	ns := namespace(t)
	server(t, ns, "web", "forwarded", nil)
	url := the.client.Typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(ns).Name("web").
		SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(the.client.Config)
	if err != nil {
		t.Fatal(err)
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	forwarder, err := portforward.New(dialer, []string{"0:8080"}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	text, err := get(t.Context(), fmt.Sprintf("http://127.0.0.1:%d/", ports[0].Local))
	if err != nil || text != "forwarded from web\n" {
		t.Errorf("got %q, %v", text, err)
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServiceAndDNS(t *testing.T) {
	t.Parallel()
	root(t)
	ns := namespace(t)
	server(t, ns, "web", "served", nil)
	server(t, ns, "client", "", nil)
	service, err := the.client.Typed.CoreV1().Services(ns).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, Selector: map[string]string{"app": "web"},
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// From another pod and from the pod itself, by all forms of the name.
	for from, name := range map[string]string{"client": "web", "web": "web." + ns + ".svc.cluster.local"} {
		within(t, "the Service from "+from, func(ctx context.Context) (bool, string) {
			text, err := execute(ctx, ns, from, "probe", "get", "http://"+name+"/")
			return text == "served from web\n", fmt.Sprintf("%q, %v", text, err)
		})
	}
	text, err := execute(t.Context(), ns, "client", "probe", "resolve", "web."+ns)
	if err != nil || strings.TrimSpace(text) != service.Spec.ClusterIP {
		t.Errorf("the name resolves to %q, not to %s, %v", text, service.Spec.ClusterIP, err)
	}
	if text, err := execute(t.Context(), ns, "client", "probe", "resolve", "refit.example.org"); err == nil ||
		!strings.Contains(text, "no such host") {
		t.Errorf("a name outside: %q, %v", text, err)
	}
	// From the machine: by the node's port and by the Service's address.
	node, _, _ := strings.Cut(strings.TrimPrefix(the.client.Config.Host, "https://"), ":")
	for _, url := range []string{
		"http://" + net.JoinHostPort(node, strconv.Itoa(int(service.Spec.Ports[0].NodePort))) + "/",
		"http://" + service.Spec.ClusterIP + "/",
	} {
		within(t, url, func(ctx context.Context) (bool, string) {
			text, err := get(ctx, url)
			return text == "served from web\n", fmt.Sprintf("%q, %v", text, err)
		})
	}
}

func TestVolume(t *testing.T) {
	t.Parallel()
	root(t)
	ns := namespace(t)
	claims := the.client.Typed.CoreV1().PersistentVolumeClaims(ns)
	_, err := claims.Create(t.Context(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Mi")},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mount := func(spec *corev1.PodSpec) {
		spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
		}}}
		spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	}
	server(t, ns, "writer", "", mount)
	if text, err := execute(t.Context(), ns, "writer", "sh", "-c", "echo kept > /data/x"); err != nil {
		t.Fatal(text, err)
	}
	// It is protected for as long as a pod uses it.
	if err := claims.Delete(t.Context(), "data", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	claim, err := claims.Get(t.Context(), "data", metav1.GetOptions{})
	if err != nil || claim.DeletionTimestamp == nil || len(claim.Finalizers) == 0 {
		t.Fatalf("a claim in use: %+v, %v", claim.ObjectMeta, err)
	}
	text, err := execute(t.Context(), ns, "writer", "cat", "/data/x")
	if err != nil || text != "kept\n" {
		t.Errorf("the volume holds %q, %v", text, err)
	}
	if err := the.client.Typed.CoreV1().Pods(ns).Delete(t.Context(), "writer", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	within(t, "the end of the claim and its volume", func(ctx context.Context) (bool, string) {
		_, err := claims.Get(ctx, "data", metav1.GetOptions{})
		_, gone := the.client.Typed.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		return apierrors.IsNotFound(err) && apierrors.IsNotFound(gone), fmt.Sprintf("claim: %v, volume: %v", err, gone)
	})
}
