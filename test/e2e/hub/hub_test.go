package hub

import (
	"context"
	_ "embed" // For the configuration.
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/test/e2e/harness"
)

//go:embed testdata/jupyterhub_config.py
var config string

func TestMain(m *testing.M) { harness.Main(m) }

const token = "the-token-of-the-test"

// hub is a JupyterHub of one release.
type hub struct {
	release, version string
	space            *harness.Space
	t                *testing.T
	// address is the proxy on this machine.
	address string
}

// Each release serves behind its proxy, starts a pod with a volume for a user,
// and after it was killed finds the user's server again, which went on.
func TestServes(t *testing.T) {
	t.Parallel()
	for release, version := range map[string]string{"3": "3.0.0", "5": "5.5.0"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			h := hub{release: release, version: version, space: harness.New(t), t: t}
			h.space.Images("configurable-http-proxy", "jupyterhub-"+release, "jupyter-"+release)
			h.permit()
			pod := h.start()
			h.answers()

			if code, text := h.ask(t.Context(), http.MethodPost, "/hub/api/users/ada"); code != http.StatusCreated && code != http.StatusConflict {
				t.Fatalf("make a user: %d: %s", code, text)
			}
			if code, text := h.ask(t.Context(), http.MethodPost, "/hub/api/users/ada/server"); code != http.StatusAccepted &&
				code != http.StatusCreated {
				t.Fatalf("start a server: %d: %s", code, text)
			}
			h.serverReady()
			h.space.Must("jupyter-ada", "sh", "-c", "echo mine > /home/jovyan/note")

			h.space.Remove("hub", true)
			h.space.Run(pod)
			h.answers()
			h.serverReady()
			if got := h.space.Must("jupyter-ada", "cat", "/home/jovyan/note"); got != "mine" {
				t.Errorf("the user's volume holds %q", got)
			}
			if code, text := h.ask(t.Context(), http.MethodDelete, "/hub/api/users/ada/server"); code != http.StatusNoContent &&
				code != http.StatusAccepted {
				t.Fatalf("stop a server: %d: %s", code, text)
			}
			h.space.Within(2*time.Minute, "the end of the user's server", func(ctx context.Context) (bool, string) {
				pods, err := h.space.Client.CoreV1().Pods(h.space.Name).List(ctx, metav1.ListOptions{})
				return err == nil && len(pods.Items) == 2, fmt.Sprintf("%d pods, %v", len(pods.Items), err)
			})
			if _, err := h.space.Client.CoreV1().PersistentVolumeClaims(h.space.Name).Get(t.Context(), "home-ada",
				metav1.GetOptions{}); err != nil {
				t.Errorf("the user's volume went with the server: %v", err)
			}
		})
	}
}

// start starts the proxy and the hub, and returns the pod of the hub.
func (h *hub) start() harness.Pod {
	h.space.Service("hub", 8081)
	h.space.Service("proxy", 8000, 8001)
	h.space.Volume("hub", "50Mi")
	secret := map[string]string{"CONFIGPROXY_AUTH_TOKEN": "the-token-of-the-proxy"}
	h.space.Run(harness.Pod{
		Name: "proxy", Image: "configurable-http-proxy:5.3.0", Env: secret,
		Args: []string{"--ip=0.0.0.0", "--port=8000", "--api-ip=0.0.0.0", "--api-port=8001", "--default-target=http://hub:8081"},
	})
	python := "import urllib.request as r; r.urlopen('http://127.0.0.1:8081/hub/api/')"
	pod := harness.Pod{
		Name: "hub", Image: "jupyterhub:" + h.version, Account: "hub",
		Files: map[string]string{"jupyterhub_config.py": config},
		Env: map[string]string{
			"CONFIGPROXY_AUTH_TOKEN": secret["CONFIGPROXY_AUTH_TOKEN"], "API_TOKEN": token, "PASSWORD": "a-password",
			"NAMESPACE": h.space.Name, "SINGLE_USER": "localhost/refit/jupyter:" + h.version,
		},
		Mounts: map[string]string{"hub": "/srv/jupyterhub"},
		Ready:  []string{"python3", "-c", python},
	}
	h.space.Run(pod)
	h.address = h.space.Forward("proxy", 8000)
	return pod
}

// permit lets the hub make pods and volumes in its namespace.
func (h *hub) permit() {
	h.t.Helper()
	h.space.Account("hub", rbacv1.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"pods", "persistentvolumeclaims", "secrets", "services"},
		Verbs: []string{"get", "watch", "list", "create", "delete"},
	}, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"get", "watch", "list"}})
}

// answers waits until the hub answers through the proxy, as what it is.
func (h *hub) answers() {
	h.t.Helper()
	h.space.Within(2*time.Minute, "the hub behind its proxy", func(ctx context.Context) (bool, string) {
		code, text := h.ask(ctx, http.MethodGet, "/hub/api/")
		var about struct{ Version string }
		if code != http.StatusOK || json.Unmarshal([]byte(text), &about) != nil {
			return false, fmt.Sprintf("%d: %s", code, text)
		}
		if about.Version != h.version {
			h.t.Fatalf("the hub says that it is %s, want %s", about.Version, h.version)
		}
		return true, ""
	})
}

// serverReady waits until the user's server answers through the proxy.
func (h *hub) serverReady() {
	h.t.Helper()
	h.space.Within(4*time.Minute, "the user's server", func(ctx context.Context) (bool, string) {
		code, text := h.ask(ctx, http.MethodGet, "/hub/api/users/ada")
		var user struct {
			Servers map[string]struct{ Ready bool }
		}
		if code != http.StatusOK || json.Unmarshal([]byte(text), &user) != nil || !user.Servers[""].Ready {
			return false, fmt.Sprintf("%d: %s", code, text)
		}
		code, text = h.ask(ctx, http.MethodGet, "/user/ada/api/status")
		return code == http.StatusOK && strings.Contains(text, `"kernels"`), fmt.Sprintf("%d: %s", code, text)
	})
}

// ask sends a request through the proxy; code 0 is no answer.
func (h *hub) ask(ctx context.Context, method, path string) (code int, text string) {
	return harness.Ask(ctx, method, "http://"+h.address+path, token)
}
