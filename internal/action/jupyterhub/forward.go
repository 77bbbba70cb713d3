package jupyterhub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	dialing "k8s.io/apimachinery/pkg/util/httpstream" //nolint:staticcheck // client-go v0.37 takes this one only
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// PortForward reaches Services through the API of their cluster, as kubectl
// port-forward does.
type PortForward struct{ Kube *kube.Connector }

var _ Forwarder = PortForward{}

// Forward implements Forwarder. It listens on the loopback of this machine until it
// is ended; a pod that goes takes the connections with it.
func (p PortForward) Forward(ctx context.Context, env action.Env, at Service) (Dial, func(), error) {
	cluster, err := p.Kube.Connect(env)
	if err != nil {
		return nil, nil, err
	}
	pod, port, err := podOf(ctx, cluster, at)
	if err != nil {
		return nil, nil, err
	}
	doing := fmt.Sprintf("forward a port to pod %s in namespace %s", pod, at.Namespace)
	dialer, err := dialerTo(cluster, at.Namespace, pod)
	if err != nil {
		return nil, nil, kube.Failure(doing, err, action.ExtentNone)
	}
	stop, ready, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	forward, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"},
		[]string{"0:" + strconv.Itoa(port)}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		return nil, nil, kube.Failure(doing, err, action.ExtentNone)
	}
	go func() { ended <- forward.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-ended:
		if err == nil {
			err = errors.New("it ended at once")
		}
		return nil, nil, kube.Failure(doing, err, action.ExtentNone)
	case <-ctx.Done():
		close(stop)
		return nil, nil, kube.Failure(doing, ctx.Err(), action.ExtentNone)
	}
	ports, err := forward.GetPorts()
	if err != nil || len(ports) != 1 {
		close(stop)
		return nil, nil, kube.Failure(doing, errors.Join(err, errors.New("no port was opened")), action.ExtentNone)
	}
	local := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(ports[0].Local)))
	dial := func(ctx context.Context) (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, "tcp", local) }
	return dial, func() { close(stop) }, nil
}

// dialerTo speaks WebSocket, and SPDY with servers that do not.
func dialerTo(cluster *kube.Cluster, namespace, pod string) (dialing.Dialer, error) {
	address := cluster.Typed.CoreV1().RESTClient().Post().
		Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(cluster.Rest)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, address)
	dialer, err := portforward.NewSPDYOverWebsocketDialer(address, cluster.Rest)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialer(dialer, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// podOf finds a pod that is behind a Service, and the port of it.
func podOf(ctx context.Context, cluster *kube.Cluster, at Service) (pod string, port int, err error) {
	doing := fmt.Sprintf("find the pods of service %s in namespace %s", at.Name, at.Namespace)
	service, err := cluster.Typed.CoreV1().Services(at.Namespace).Get(ctx, at.Name, metav1.GetOptions{})
	if err != nil {
		return "", 0, kube.Failure(doing, err, action.ExtentNone)
	}
	i := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return int(p.Port) == at.Port })
	if i < 0 || len(service.Spec.Selector) == 0 {
		return "", 0, &action.Error{
			Reason: kube.ReasonNotFound, Effect: action.ExtentNone, Remedy: "correct service and port, or give url",
			Err: fmt.Errorf("%s: it has no port %d with pods behind it", doing, at.Port),
		}
	}
	pods, err := cluster.Typed.CoreV1().Pods(at.Namespace).List(ctx,
		metav1.ListOptions{LabelSelector: labels.SelectorFromSet(service.Spec.Selector).String()})
	if err != nil {
		return "", 0, kube.Failure(doing, err, action.ExtentNone)
	}
	for _, p := range pods.Items {
		if port := portOf(p, service.Spec.Ports[i]); port != 0 && isReady(p) {
			return p.Name, port, nil
		}
	}
	return "", 0, &action.Error{
		Reason: reasonUnavailable, Retryable: true, Effect: action.ExtentNone,
		Remedy: "wait until its pod is ready, or look at its log",
		Err:    fmt.Errorf("%s: none of %d is ready", doing, len(pods.Items)),
	}
}

func isReady(p corev1.Pod) bool {
	return p.DeletionTimestamp == nil && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// portOf returns the port of a pod that a port of a Service leads to, 0 for none.
func portOf(p corev1.Pod, port corev1.ServicePort) int {
	switch {
	case port.TargetPort.Type == intstr.Int && port.TargetPort.IntVal != 0:
		return int(port.TargetPort.IntVal)
	case port.TargetPort.Type == intstr.Int:
		return int(port.Port)
	}
	for _, c := range p.Spec.Containers {
		for _, named := range c.Ports {
			if named.Name == port.TargetPort.StrVal {
				return int(named.ContainerPort)
			}
		}
	}
	return 0
}
