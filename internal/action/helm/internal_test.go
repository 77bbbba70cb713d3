package helm

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	a := map[string]any{"a": int64(1), "b": map[string]any{"c": "x", "d": []any{1.0}}, "e": nil}
	b := map[string]any{"a": 1.0, "b": map[string]any{"c": "y", "d": []any{int64(1)}}, "f.g": true}
	if diff := cmp.Diff([]string{"b.c", "e", `["f.g"]`}, differences(a, b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := differences(a, a); got != nil {
		t.Errorf("the same differs at %v", got)
	}
}

func TestManifestDiff(t *testing.T) {
	t.Parallel()
	before := "---\n# Source: a\nkind: Secret\nmetadata: {name: s}\ndata: {a: Zmlyc3Q=, b: c2FtZQ==}\n" +
		"---\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: one}\n---\nkind: ConfigMap\nmetadata: {name: gone}\n"
	after := "---\n# Source: b\nmetadata: {name: c}\nkind: ConfigMap\ndata: {x: two, db_password: hunter2}\n" +
		"---\nkind: Secret\nmetadata: {name: s}\ndata: {a: c2Vjb25k, b: c2FtZQ==, c: bmV3}\n"
	want := `--- ConfigMap/c
+++ ConfigMap/c
@@ -1,5 +1,6 @@
 data:
-  x: one
+  db_password: ***
+  x: two
 kind: ConfigMap
 metadata:
   name: c
--- ConfigMap/gone
+++ /dev/null
@@ -1,3 +0,0 @@
-kind: ConfigMap
-metadata:
-  name: gone
--- Secret/s
+++ Secret/s
@@ -1,6 +1,7 @@
 data:
-  a: '***'
+  a: '*** (changed)'
   b: '***'
+  c: '***'
 kind: Secret
 metadata:
   name: s
`
	if diff := cmp.Diff(want, manifestDiff(before, after)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := manifestDiff(before, before); got != "" {
		t.Errorf("the same differs:\n%s", got)
	}
}

func TestRendering(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ err, reason, text string }{
		"Fail": {
			"execution error at (jupyterhub/templates/NOTES.txt:157:4): \n\nBREAKING: The config values passed contained " +
				"no longer accepted options.\n\nRENAMED: hub.uid must be migrated to\n  hub.containerSecurityContext.runAsUser\n",
			reasonChartRefuses, "do: the chart refuses the values (jupyterhub/templates/NOTES.txt:157:4): BREAKING: The config " +
				"values passed contained no longer accepted options. RENAMED: hub.uid must be migrated to " +
				"hub.containerSecurityContext.runAsUser: change the values as it says",
		},
		"Kubernetes": {
			"chart requires kubeVersion: >=1.32 which is incompatible with Kubernetes v1.28.0",
			reasonClusterUnfit, "requires kubeVersion: >=1.32",
		},
		"Template": {"template: hub/templates/a.yaml:1:2: executing \"x\"", reasonChartInvalid, "cannot be rendered"},
		"Taken": {
			"unable to continue with update: ConfigMap \"a\" in namespace \"b\" exists and cannot be imported into the " +
				"current release: invalid ownership metadata", reasonObjectTaken, "ConfigMap \"a\"",
		},
		"Deployed": {"\"hub\" has no deployed releases", reasonRevisionNotFound, "no deployed releases"},
	}
	for name, tc := range cases {
		failed := rendering("do", errors.New(tc.err))
		if failed == nil || failed.Reason != tc.reason || !strings.Contains(failed.Error(), tc.text) {
			t.Errorf("%s: got %v, want %s with %q", name, failed, tc.reason, tc.text)
		}
	}
	if failed := rendering("do", errors.New("connection refused")); failed != nil {
		t.Errorf("got %v", failed)
	}
}

// revisionOf makes a revision; what is in the cluster is its config.
func revisionOf(number int, status common.Status, config, stamp string, back int) *release.Release {
	r := &release.Release{
		Version: number, Config: map[string]any{"x": config},
		Chart: &chartv2.Chart{Metadata: &chartv2.Metadata{Name: "hub", Version: "1"}},
		Info:  &release.Info{Status: status, RollbackRevision: back, LastDeployed: time.Unix(0, 0)},
	}
	if stamp != "" {
		r.Labels = map[string]string{kube.StepLabel: stamp, revisionLabel: "2"}
	}
	return r
}

func TestStanding(t *testing.T) {
	t.Parallel()
	env := action.Env{Key: "run-1/step-1", Origin: "a"}
	stamp := stampOf(env)
	other := env
	other.Origin = "b"
	if stampOf(other) == stamp || stampOfUndo(env) == stamp {
		t.Error("runs of the same name on two machines have one stamp")
	}
	st := standing{stamp: stamp, undoStamp: stampOfUndo(env), revisions: []*release.Release{
		revisionOf(1, common.StatusSuperseded, "old", "", 0),
		revisionOf(2, common.StatusSuperseded, "new", stamp, 0),
		revisionOf(3, common.StatusDeployed, "newer", stamp, 0), // it inherits the labels
	}}
	if !st.ours(st.revisions[1]) || st.ours(st.revisions[2]) || st.ours(st.revisions[0]) {
		t.Error("the revision of the step is the one whose number its label has")
	}
	before, begun := st.beforeOurs()
	if !begun || before.Version != 1 {
		t.Errorf("before: got %v, %v", before, begun)
	}
	state := st.state(st.revisions[0])
	st.revisions = append(st.revisions, revisionOf(4, common.StatusDeployed, "old", "", 1))
	if diff := cmp.Diff(state, st.state(st.last())); diff != "" {
		t.Errorf("going back leaves another state (-before +after):\n%s", diff)
	}
	if to := st.target(state); to == nil || to.Version != 1 {
		t.Errorf("the way back leads to %v", to)
	}
	st.revisions = st.revisions[1:] // Helm keeps ten
	if to := st.target(state); to == nil || to.Version != 4 {
		t.Errorf("the way back leads to %v", to)
	}
	if to := st.target(map[string]any{"revision": 2.0, "content": "other"}); to != nil {
		t.Errorf("another content is no way back: %v", to)
	}
}

func TestUnsettled(t *testing.T) {
	t.Parallel()
	s := &session{}
	s.release, s.namespace = "jhub", "hub"
	for status, want := range map[common.Status]string{
		common.StatusDeployed:       "",
		common.StatusPendingUpgrade: "is pending-upgrade since 2027-01-11T09:00:00Z: somebody is at it",
		common.StatusFailed:         "is failed since 2027-01-11T09:00:00Z, not deployed: timed out: upgrade or roll back first",
	} {
		last := &release.Release{Version: 2, Info: &release.Info{
			Status: status, Description: "timed out", LastDeployed: time.Date(2027, 1, 11, 9, 0, 0, 0, time.UTC),
		}}
		if got := unsettled(s, last); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", status, got, want)
		}
	}
}
