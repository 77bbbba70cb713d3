package helm_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action/helm"
)

// helm3Variable names the program helm of version 3; make e2e sets it.
const helm3Variable = "REFIT_HELM3"

// helm3 runs the program helm, as a person would.
func (s *space) helm3(t *testing.T, args ...string) string {
	t.Helper()
	args = append(args, "--namespace", s.Name, "--kubeconfig", s.Kubeconfig)
	cmd := exec.CommandContext(t.Context(), os.Getenv(helm3Variable), args...)
	cmd.Dir = s.env.Dir
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+s.env.Dir, "HELM_CONFIG_HOME="+s.env.Dir, "HELM_DATA_HOME="+s.env.Dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("helm %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestClusterHelm3GoesOn installs with Helm 3, upgrades with Refit, and lets Helm 3 go on:
// it lists, compares, upgrades and rolls back.
func TestClusterHelm3GoesOn(t *testing.T) {
	t.Parallel()
	if os.Getenv(helm3Variable) == "" {
		if os.Getenv("REFIT_TEST") == "all" {
			t.Fatalf("%s does not name the program helm of version 3: make e2e builds it", helm3Variable)
		}
		t.Skipf("needs the program helm of version 3: set %s", helm3Variable)
	}
	s := newSpace(t)
	s.helm3(t, "uninstall", "shop", "--wait")
	s.helm3(t, "install", "shop", "charts/shop-1.0.0", "-f", "values-1.yaml", "--wait", "--timeout", "2m")
	w, _ := family(t)
	a, in := helm.Upgrade(w), s.input(map[string]any{"valuesFile": "values.yaml", "values": map[string]any{"replicas": int64(2)}})
	obs, err := a.Observe(t.Context(), s.env, in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Run(within(t, time.Minute), s.env, in, obs.Before); err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		args []string
		want string
	}{
		{[]string{"list"}, "shop-2.0.0\t2.1"},
		{[]string{"list"}, "deployed"},
		{[]string{"history", "shop"}, "superseded"},
		{[]string{"get", "values", "shop"}, "greeting: good day\nreplicas: 2\n"},
		{[]string{"get", "manifest", "shop"}, "name: shop-extra"},
		{[]string{"status", "shop"}, "The shop 2.1 is open."},
		{[]string{"upgrade", "shop", "charts/shop-2.0.0", "-f", "values.yaml", "--dry-run=server"}, "replicas: 1"},
		{[]string{"upgrade", "shop", "charts/shop-2.0.0", "-f", "values.yaml", "--wait", "--timeout", "2m"}, "REVISION: 3"},
	} {
		if out := s.helm3(t, check.args...); !strings.Contains(out, check.want) {
			t.Errorf("helm %s lacks %q:\n%s", strings.Join(check.args, " "), check.want, out)
		}
	}
	// The revision of Helm 3 inherits the labels, and is none of the step for that.
	s.env.Attempted = true
	if obs, err := a.Observe(t.Context(), s.env, in); err != nil || obs.Status != "unknown" {
		t.Errorf("after somebody has gone on: got %s (%s), %v", obs.Status, obs.Reason, err)
	}
	if err := a.Undo(t.Context(), s.env, in, obs.Before); err == nil || !strings.Contains(err.Error(), "revision 3") {
		t.Errorf("Undo of what somebody else made: %v", err)
	}
	s.helm3(t, "rollback", "shop", "2", "--wait", "--timeout", "2m")
	if out := s.helm3(t, "get", "values", "shop"); !strings.Contains(out, "replicas: 2") {
		t.Errorf("after the rollback: %s", out)
	}
	s.helm3(t, "rollback", "shop", "1", "--wait", "--timeout", "2m")
	if out := s.helm3(t, "list"); !strings.Contains(out, "shop-1.0.0") {
		t.Errorf("after the rollback: %s", out)
	}
}
