package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
)

// Exec runs a command in a pod and returns what it wrote to its output. A command
// that fails is an error with what it wrote to its other output; nothing fails the
// test.
func (s *Space) Exec(ctx context.Context, pod string, command ...string) (string, error) {
	request := s.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(s.Name).Name(pod).
		SubResource("exec").VersionedParams(&corev1.PodExecOptions{Command: command, Stdout: true, Stderr: true},
		scheme.ParameterCodec)
	// Not by SPDY, which at times loses what a command wrote that ends at once.
	executor, err := remotecommand.NewWebSocketExecutor(s.Config, http.MethodGet, request.URL().String())
	if err != nil {
		return "", fmt.Errorf("run %q in pod %s: %w", command[0], pod, err)
	}
	// Not one for both: they are written to at the same time.
	var out, complaint bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &complaint})
	if err != nil {
		said := strings.TrimSpace(complaint.String())
		return out.String(), fmt.Errorf("run %q in pod %s: %w: %s", command[0], pod, err, said)
	}
	return out.String(), nil
}

// Must runs a command in a pod and returns what it wrote, without space around
// it. The test fails when the command does.
func (s *Space) Must(pod string, command ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	text, err := s.Exec(ctx, pod, command...)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// Forward makes a port of a pod reachable on this machine until the test ends,
// and returns the address.
func (s *Space) Forward(pod string, port int) string {
	s.t.Helper()
	url := s.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(s.Name).Name(pod).
		SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(s.Config)
	if err != nil {
		s.t.Fatalf("forward port %d of pod %s: %v", port, pod, err)
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)},
		stop, ready, io.Discard, io.Discard)
	if err != nil {
		s.t.Fatalf("forward port %d of pod %s: %v", port, pod, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	s.t.Cleanup(func() {
		close(stop)
		if err := <-ended; err != nil {
			s.t.Logf("forwarding port %d of pod %s ended: %v", port, pod, err) // With its pod, often.
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		s.t.Fatalf("forward port %d of pod %s: %v", port, pod, err)
	case <-time.After(time.Minute):
		s.t.Fatalf("forward port %d of pod %s: nothing within a minute", port, pod)
	}
	ports, err := forwarder.GetPorts()
	if err != nil || len(ports) != 1 {
		s.t.Fatalf("forward port %d of pod %s: %d ports, %v", port, pod, len(ports), err)
	}
	return fmt.Sprintf("127.0.0.1:%d", ports[0].Local)
}
