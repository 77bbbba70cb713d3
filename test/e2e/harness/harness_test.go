package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestMain(m *testing.M) { Main(m) }

// A pod writes to a volume, serves behind a Service to another by its name, is
// reached by exec and by a forwarded port; what a failed test would leave is kept
// without the value of a secret.
func TestSpace(t *testing.T) {
	t.Parallel()
	s := New(t)
	s.Volume("data", "10Mi")
	s.Service("web", 8080)
	s.Run(Pod{
		Name: "web", Image: "busybox:1", Command: []string{"probe", "serve", ":8080", "hello"},
		Mounts: map[string]string{"data": "/data"}, Ready: []string{"probe", "get", "http://127.0.0.1:8080/"},
	})
	s.Run(Pod{Name: "client", Image: "busybox:1", Command: []string{"sleep", "1000"}, Env: map[string]string{"A": "b"}})
	if got := s.Must("client", "sh", "-c", "probe get http://web:8080/ && echo $A"); got != "hello from web\nb" {
		t.Errorf("the Service answers %q", got)
	}
	if text, err := s.Exec(t.Context(), "web", "sh", "-c", "echo no >&2; exit 3"); err == nil || text != "" ||
		!strings.Contains(err.Error(), `run "sh" in pod web: command terminated with exit code 3: no`) {
		t.Errorf("a command that fails: %q, %v", text, err)
	}
	if address := s.Forward("web", 8080); !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("forwarded to %s", address)
	}
	s.Must("web", "sh", "-c", "echo kept > /data/x")
	s.Remove("web", true)
	s.Run(Pod{Name: "web", Image: "busybox:1", Command: []string{"sleep", "1000"}, Mounts: map[string]string{"data": "/data"}})
	if got := s.Must("web", "cat", "/data/x"); got != "kept" {
		t.Errorf("the volume holds %q", got)
	}

	dir := t.TempDir()
	if err := s.keepAll(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"events.txt": "Pod/client", "pods.yaml": "name: client", "claims.yaml": "name: data", "services.yaml": "port: 8080",
		"client.main.log": "",
	} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	waiting := func(reason, message string) []corev1.ContainerStatus {
		return []corev1.ContainerStatus{{State: corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
		}}}
	}
	for name, c := range map[string]struct {
		status       corev1.PodStatus
		ready, final bool
		why          string
	}{
		"pending": {corev1.PodStatus{Phase: corev1.PodPending}, false, false, "it is Pending"},
		"ready": {corev1.PodStatus{Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionTrue},
		}}, true, false, ""},
		"no image": {
			corev1.PodStatus{ContainerStatuses: waiting("ErrImageNeverPull", "not there")},
			false, true,
			"ErrImageNeverPull: not there",
		},
		"comes again": {
			corev1.PodStatus{ContainerStatuses: waiting("CrashLoopBackOff", "back-off")},
			false, false,
			"CrashLoopBackOff: back-off",
		},
		"no room": {corev1.PodStatus{Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes are available"},
		}}, false, false, "0/1 nodes are available"},
	} {
		ready, final, why := judge(&corev1.Pod{Status: c.status})
		if ready != c.ready || final != c.final || why != c.why {
			t.Errorf("%s: ready %v, final %v, %q", name, ready, final, why)
		}
	}
}
