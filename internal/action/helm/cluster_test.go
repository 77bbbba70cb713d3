package helm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	helmaction "helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/loader"
	helmkube "helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/helm"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

func connector(t *testing.T) *kube.Connector {
	t.Helper()
	return kube.NewConnector(os.Environ())
}

// TestMain lets the library of Helm name itself as the program does: its tests install
// with it.
func TestMain(m *testing.M) {
	helmkube.ManagedFieldsManager = "helm"
	if text := os.Getenv(childVariable); text != "" {
		upgrade(text)
		return
	}
	os.Exit(m.Run())
}

// newWorld makes a namespace with the first release.
func newWorld(t *testing.T) actiontest.World {
	t.Helper()
	return newSpace(t).world()
}

func TestClusterReleaseSuite(t *testing.T) {
	kubetest.Needed(t)
	w, _ := family(t)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: helm.Release(w), Examples: "testdata/release/*.yaml", World: newWorld,
	})
}

func TestClusterRBACSuite(t *testing.T) {
	kubetest.Needed(t)
	w, _ := family(t)
	actiontest.Run(t, actiontest.Suite{
		Action: helm.RBAC(w), Examples: "testdata/rbac/*.yaml", World: newWorld,
	})
}

// TestClusterRBAC asks for the rights of an account that may only read, and of one that
// may do what an upgrade says that it needs.
func TestClusterRBAC(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	w, _ := family(t)
	in := map[string]any{"release": "shop", "namespace": s.Name, "chart": map[string]any{"path": "charts/shop-2.0.0"}}
	list, _, err := helm.Upgrade(w).(action.Accessor).Access(t.Context(), s.env, in)
	if err != nil {
		t.Fatal(err)
	}
	enough := kubetest.Permit(t, s.env, list)
	if obs, err := helm.RBAC(w).Observe(t.Context(), enough, in); err != nil || obs.Status != action.Done {
		t.Errorf("got %s (%s), %v", obs.Status, obs.Reason, err)
	}
	reader := kubetest.Permit(t, s.env, []action.Access{{Group: "*", Resource: "*", Namespace: s.Name, Verbs: []string{"get", "list", "watch"}}})
	obs, err := helm.RBAC(w).Observe(t.Context(), reader, in)
	if err != nil || obs.Status != action.Failed || !strings.Contains(obs.Reason, "does not permit: create secrets in namespace "+s.Name) {
		t.Errorf("got %s (%s), %v", obs.Status, obs.Reason, err)
	}
	in["report"] = true
	obs, err = helm.RBAC(w).Observe(t.Context(), reader, in)
	if missing := fmt.Sprint(obs.Output["missing"]); err != nil || !strings.Contains(missing, "patch deployments.apps") {
		t.Errorf("got %s, %v", missing, err)
	}
}

func TestClusterUpgradeSuite(t *testing.T) {
	kubetest.Needed(t)
	w, k := family(t)
	a := helm.Upgrade(w)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: a, Examples: "testdata/upgrade/*.yaml", World: newWorld,
		Crash: func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
			t.Helper()
			return k.crash(t, a, w, in, before, point)
		},
	})
}

func TestClusterRollbackSuite(t *testing.T) {
	kubetest.Needed(t)
	w, k := family(t)
	a := helm.Rollback(w)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: a, Examples: "testdata/rollback/*.yaml",
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			s := newSpace(t)
			s.upgrade(t, nil)
			return s.world()
		},
		Crash: func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
			t.Helper()
			return k.crash(t, a, w, in, before, point)
		},
	})
}

func TestClusterUninstallSuite(t *testing.T) {
	kubetest.Needed(t)
	w, k := family(t)
	a := helm.Uninstall(w)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: a, Examples: "testdata/uninstall/*.yaml", World: newWorld,
		Crash: func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
			t.Helper()
			return k.crash(t, a, w, in, before, point)
		},
	})
}

// upgrade lets somebody else upgrade the release.
func (s *space) upgrade(t *testing.T, values map[string]any) {
	t.Helper()
	loaded, err := loader.Load(s.env.Dir + "/charts/shop-2.0.0")
	if err != nil {
		t.Fatal(err)
	}
	up := helmaction.NewUpgrade(s.config(t))
	up.Namespace, up.WaitStrategy, up.Timeout = s.Name, helmkube.StatusWatcherStrategy, kubetest.Patience
	if _, err := up.RunWithContext(t.Context(), "shop", loaded, values); err != nil {
		t.Fatal(err)
	}
}

// input is that of an upgrade to the second chart.
func (s *space) input(more map[string]any) map[string]any {
	in := map[string]any{
		"release": "shop", "namespace": s.Name, "chart": map[string]any{"path": "charts/shop-2.0.0"},
	}
	maps.Copy(in, more)
	return in
}

// TestClusterUpgradeKeepsOwnership lets the objects and the record of a release of Helm 3
// be as Helm 3 would have left them.
func TestClusterUpgradeKeepsOwnership(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	w, _ := family(t)
	if _, err := helm.Upgrade(w).Run(within(t, time.Minute), s.env, s.input(nil), nil); err != nil {
		t.Fatal(err)
	}
	last := s.last(t)
	if last.Version != 2 || last.Info.Status != common.StatusDeployed || last.ApplyMethod != "csa" {
		t.Errorf("revision %d is %s, applied by %q", last.Version, last.Info.Status, last.ApplyMethod)
	}
	if last.Labels[kube.StepLabel] == "" || last.Labels["refit.dev/revision"] != "2" {
		t.Errorf("the record does not carry the key: %v", last.Labels)
	}
	web, err := s.Cluster.Typed.AppsV1().Deployments(s.Name).Get(t.Context(), "shop-web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range web.ManagedFields {
		if f.Manager != "helm" && !strings.HasPrefix(f.Manager, "kube") {
			t.Errorf("fields belong to %q, by %s", f.Manager, f.Operation)
		}
		if f.Manager == "helm" && f.Operation != metav1.ManagedFieldsOperationUpdate {
			t.Errorf("fields of helm were set by %s", f.Operation)
		}
	}
}

// TestClusterUpgradeGivesUp has a container that cannot be started, again and again: the upgrade
// ends long before its time is over. One that runs for a moment could count as ready then.
func TestClusterUpgradeGivesUp(t *testing.T) {
	t.Parallel()
	w, _ := family(t)
	s := newSpace(t)
	in := s.input(map[string]any{"values": map[string]any{"command": "pause has no shell"}})
	limit := within(t, 10*time.Minute)
	_, err := helm.Upgrade(w).Run(limit, s.env, in, nil)
	failed, ok := errors.AsType[*action.Error](err)
	if !ok || failed.Reason != "NotReady" || failed.Effect != action.ExtentPartial || limit.Err() != nil ||
		!strings.Contains(err.Error(), "was started 5 times: container web ended with exit code 128") {
		t.Errorf("got %v", err)
	}
}

// TestClusterUpgradeExplains tells why an upgrade did not come to its end.
func TestClusterUpgradeExplains(t *testing.T) {
	t.Parallel()
	w, _ := family(t)
	cases := map[string]struct {
		why    string
		values map[string]any
		reason string
		text   string
		extent action.Extent
	}{
		"Removed": {
			"the chart refuses a key that it had",
			map[string]any{"greetings": "x"},
			"ChartRefuses",
			"RENAMED: greetings must be renamed to greeting REMOVED: greetings.all has no replacement", action.ExtentNone,
		},
		"Schema": {
			"the values do not fit the schema",
			map[string]any{"replicas": "two"},
			"ValuesRefused",
			"shop: - at '/replicas': got string, want integer", action.ExtentNone,
		},
		"HookFails": {
			"a hook ends with an error",
			map[string]any{"hook": map[string]any{"command": "echo schema version X is not Y; exit 3"}},
			"HookFailed", "container migrate ended with exit code 3: schema version X is not Y", action.ExtentPartial,
		},
		"HookHangs": {
			"a hook does not end",
			map[string]any{"hook": map[string]any{"command": "sleep 1000"}},
			"HookFailed", "Job/shop-migrate: pod shop-migrate-", action.ExtentPartial,
		},
		"Image": {
			"an image cannot be pulled",
			map[string]any{"image": "localhost/refit/nothing:9"},
			"NotReady", "localhost/refit/nothing:9", action.ExtentPartial,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpace(t)
			a, in := helm.Upgrade(w), s.input(map[string]any{"values": tc.values})
			_, err := a.Run(within(t, 15*time.Second), s.env, in, nil)
			failed, ok := errors.AsType[*action.Error](err)
			if !ok || failed.Reason != tc.reason || failed.Effect != tc.extent || !strings.Contains(err.Error(), tc.text) {
				t.Fatalf("%s: got %v, want %s with %q", tc.why, err, tc.reason, tc.text)
			}
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("more than a line: %q", err)
			}
			s.env.Attempted = true
			want := action.Partial
			if tc.extent == action.ExtentNone {
				want = action.NotStarted
			}
			obs, err := a.Observe(t.Context(), s.env, in)
			if err != nil || obs.Status != want {
				t.Errorf("%s: observed as %s (%s), %v", tc.why, obs.Status, obs.Reason, err)
			}
			if err := a.Undo(within(t, time.Minute), s.env, in, obs.Before); err != nil {
				t.Errorf("%s: %v", tc.why, err)
			}
			if last := s.last(t); last.Chart.Metadata.Version != "1.0.0" || last.Info.Status != common.StatusDeployed {
				t.Errorf("%s: after the way back %s is %s", tc.why, last.Chart.Metadata.Version, last.Info.Status)
			}
		})
	}
}

// TestClusterUpgradeLeavesOthers never touches a release that somebody else works on.
func TestClusterUpgradeLeavesOthers(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	w, _ := family(t)
	a, in := helm.Upgrade(w), s.input(nil)
	// A helm that was killed leaves such a record.
	record := *s.last(t)
	record.Version, record.Labels = 2, map[string]string{kube.StepLabel: "of-another-step", "refit.dev/revision": "2"}
	info := *record.Info
	info.Status, info.LastDeployed = common.StatusPendingUpgrade, time.Now()
	record.Info = &info
	if err := s.config(t).Releases.Create(&record); err != nil {
		t.Fatal(err)
	}
	before := s.state(t)
	obs, err := a.Observe(t.Context(), s.env, in)
	if err != nil || obs.Status != action.InProgress {
		t.Errorf("somebody works on it now: got %s (%s), %v", obs.Status, obs.Reason, err)
	}
	s.env.Now = func() time.Time { return time.Now().Add(time.Hour) }
	obs, err = a.Observe(t.Context(), s.env, in)
	if err != nil || obs.Status != action.Unknown || !strings.Contains(obs.Reason, "revision 2") {
		t.Errorf("nobody knows what has become of it: got %s (%s), %v", obs.Status, obs.Reason, err)
	}
	if _, err := a.Run(t.Context(), s.env, in, nil); action.ReasonOf(err) != "ReleasePending" {
		t.Errorf("Run: got %v", err)
	}
	if now := s.state(t); now != before {
		t.Errorf("the release was touched:\n%s\n%s", before, now)
	}
}

// TestClusterUpgradeInterrupted ends in time, and leaves a record that Helm goes on from.
func TestClusterUpgradeInterrupted(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	w, _ := family(t)
	in := s.input(map[string]any{"values": map[string]any{"image": "localhost/refit/nothing:9"}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var begin time.Time
	s.env.Progress = func(p action.Progress) {
		if strings.HasPrefix(p.Note, "waiting until") {
			begin = time.Now()
			cancel()
		}
	}
	_, err := helm.Upgrade(w).Run(ctx, s.env, in, nil)
	if took := time.Since(begin); action.ReasonOf(err) != "Interrupted" || took > 8*time.Second {
		t.Errorf("it took %s: %v", took, err)
	}
	if last := s.last(t); last.Version != 2 || last.Info.Status != common.StatusFailed {
		t.Errorf("revision %d is %s", last.Version, last.Info.Status)
	}
}

// TestClusterUpgradePreview shows what would change, and no secret.
func TestClusterUpgradePreview(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	w, _ := family(t)
	in := s.input(map[string]any{"values": map[string]any{"greeting": "good day", "password": "second"}})
	p, err := helm.Upgrade(w).Preview(t.Context(), s.env, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-  greeting: hello\n", "+  greeting: good day\n", "+++ ConfigMap/shop-extra", "*** (changed)"} {
		if !strings.Contains(p.Diff, want) {
			t.Errorf("the difference lacks %q:\n%s", want, p.Diff)
		}
	}
	if strings.Contains(p.Diff, "first") || strings.Contains(p.Diff, "second") {
		t.Errorf("the difference has a secret:\n%s", p.Diff)
	}
	if !strings.Contains(p.Summary, "from shop-1.0.0 to shop-2.0.0") {
		t.Errorf("summary: %s", p.Summary)
	}
}

// TestClusterReleaseDiffers finds values that somebody has changed.
func TestClusterReleaseDiffers(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	w, _ := family(t)
	s.write(t, "values-1.yaml", "greeting: hello\npassword: other\nreplicas: 1\n")
	in := map[string]any{"release": "shop", "valuesFile": "values-1.yaml", "namespace": s.Name}
	obs, err := helm.Release(w).Observe(t.Context(), s.env, in)
	if err != nil || obs.Status != action.Failed || !strings.Contains(obs.Reason, "at password, replicas:") {
		t.Errorf("got %s (%s), %v", obs.Status, obs.Reason, err)
	}
	if strings.Contains(obs.Reason, "first") || strings.Contains(obs.Reason, "other") {
		t.Errorf("the reason has a secret: %s", obs.Reason)
	}
	in["release"] = "shed"
	if _, err := helm.Release(w).Observe(t.Context(), s.env, in); action.ReasonOf(err) != "ReleaseNotFound" {
		t.Errorf("got %v", err)
	}
}
