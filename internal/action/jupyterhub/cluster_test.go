package jupyterhub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/jupyterhub"
	"github.com/refitproject/refit/internal/action/jupyterhub/hubtest"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// hubInCluster is a hub behind a Service with a named port, as its chart makes it.
func hubInCluster(t *testing.T, s *kubetest.Space) {
	t.Helper()
	s.Images("jupyterhub-5")
	quoted := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	s.Apply(fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: hub}
data: %s
---
apiVersion: v1
kind: Service
metadata: {name: hub}
spec:
  selector: {component: hub}
  ports: [{name: hub, port: 8081, targetPort: http}, {name: other, port: 8082, targetPort: none}]
---
apiVersion: v1
kind: Pod
metadata: {name: hub, labels: {component: hub}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: hub
      image: localhost/refit/jupyterhub:5.5.0
      imagePullPolicy: IfNotPresent
      command: [sh, -c, "cp /config/*.py . && exec jupyterhub -f config.py"]
      env:
        - {name: HUBTEST_DIR, value: /srv/jupyterhub}
        - {name: HUBTEST_HOST, value: "0.0.0.0:8081"}
        - {name: HUBTEST_VERSION, value: "5.5.0"}
        - {name: HOME, value: /srv/jupyterhub}
        - {name: HUBTEST_TOKENS, value: %s}
      ports: [{name: http, containerPort: 8081}]
      readinessProbe: {httpGet: {path: /hub/health, port: http}, periodSeconds: 1, timeoutSeconds: 5}
      volumeMounts: [{name: config, mountPath: /config}]
  volumes: [{name: config, configMap: {name: hub}}]
`, quoted(hubtest.Files()), quoted(hubtest.Tokens(hubtest.Options{Token: token(), Narrow: narrow}))))
}

// TestClusterPortForward reaches a hub in a pod that nothing outside of the cluster
// leads to.
func TestClusterPortForward(t *testing.T) {
	t.Parallel()
	s := kubetest.New(t)
	hubInCluster(t, s)
	env := s.Env()
	w := jupyterhub.World{
		HTTP: http.DefaultClient, Forward: jupyterhub.PortForward{Kube: s.Connector}, Done: jupyterhub.Ledger{Dir: t.TempDir()},
	}
	in := func(more map[string]any) map[string]any {
		out := map[string]any{"namespace": s.Name}
		maps.Copy(out, more)
		return out
	}
	obs, err := jupyterhub.Check(w).Observe(t.Context(), env, in(map[string]any{"for": "4m", "version": "5.5.0"}))
	if err != nil || obs.Status != action.Done {
		t.Fatalf("check: %v, %+v", err, obs)
	}
	reference := map[string]any{"env": "HUB_TOKEN"}
	out, err := jupyterhub.Spawn(w).Run(t.Context(), env, in(map[string]any{"token": reference}), nil)
	if err != nil {
		t.Fatalf("spawn: %v", err)
	}
	if name, _ := out["user"].(string); !strings.HasPrefix(name, "refit-check-") {
		t.Errorf("spawn: %v", out)
	}
	obs, err = jupyterhub.Users(w).Observe(t.Context(), env, in(map[string]any{"token": reference}))
	if err != nil || obs.Output["users"] != int64(0) {
		t.Errorf("users: %v, %+v", err, obs)
	}
	for want, more := range map[string]map[string]any{
		"find the pods of service none": {"service": "none"},
		"it has no port 99":             {"port": int64(99)},
		"none of 1 is ready":            {"port": int64(8082)}, // its port has no name in the pod
		"give the address":              {"basePath": "/elsewhere"},
	} {
		more["token"] = reference
		_, err := jupyterhub.Users(w).Observe(t.Context(), env, in(more))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: got %v, want %s", more, err, want)
		}
	}
	grace := int64(0)
	if err := s.Cluster.Typed.CoreV1().Pods(s.Name).Delete(t.Context(), "hub", metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil {
		t.Fatal(err)
	}
	s.Within(time.Minute, "the end of the hub", func(ctx context.Context) (bool, string) {
		_, err := jupyterhub.Users(w).Observe(ctx, env, in(map[string]any{"token": reference}))
		return action.ReasonOf(err) == "HubUnavailable", fmt.Sprint(err)
	})
}
