package helm_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/archive"
	"github.com/refitproject/refit/internal/action/helm"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// proved makes a proved backup of a folder, and returns how it is named.
func (s *space) proved(t *testing.T) map[string]any {
	t.Helper()
	homes := filepath.Join(s.env.Dir, "homes")
	for _, dir := range []string{homes, filepath.Join(s.env.Dir, "store")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(homes, "a"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := "file://" + filepath.Join(s.env.Dir, "store")
	w := archive.World{Hostname: os.Hostname}
	env := s.env
	env.Proof = 2
	out, err := archive.Backup(w).Run(t.Context(), env, map[string]any{"path": "homes", "store": store, "name": "homes"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"store": store, "backup": out["backup"]}
}

// volumes is a chart with a claim that goes, one that stays, and a stateful set.
const volumes = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: homes}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      automountServiceAccountToken: false
      volumes:
        - {name: homes, persistentVolumeClaim: {claimName: homes}}
        - {name: kept, persistentVolumeClaim: {claimName: kept}}
      containers:
        - name: db
          image: localhost/refit/pause:1
          imagePullPolicy: IfNotPresent
          volumeMounts: [{name: data, mountPath: /data}, {name: homes, mountPath: /homes}, {name: kept, mountPath: /kept}]
`

// TestClusterUninstallGuards refuses to delete what nobody has a copy of.
func TestClusterUninstallGuards(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	w, _ := family(t)
	a := helm.Uninstall(w)
	chart := filepath.Join(s.env.Dir, "charts", "shop-2.0.0", "templates", "volumes.yaml")
	if err := os.WriteFile(chart, []byte(volumes), 0o600); err != nil {
		t.Fatal(err)
	}
	s.upgrade(t, nil)
	in := map[string]any{"release": "shop", "namespace": s.Name}
	before := s.state(t)

	p, err := a.Preview(t.Context(), s.env, in)
	if err != nil || !strings.Contains(p.Summary, "claim data-db-0 is deleted, and its data with it; "+
		"claim homes is deleted, and its data with it; claim kept is kept") {
		t.Errorf("preview: %q, %v", p.Summary, err)
	}
	_, err = a.Run(t.Context(), s.env, in, nil)
	if action.ReasonOf(err) != "ClaimsWouldDie" || !strings.Contains(err.Error(), "homes (volume pvc-") ||
		!strings.Contains(err.Error(), "data-db-0 (volume pvc-") || strings.Contains(err.Error(), "kept (") {
		t.Errorf("volumes of policy Delete: got %v", err)
	}
	s.retain(t)
	if _, err = a.Run(t.Context(), s.env, in, nil); action.ReasonOf(err) != "BackupNeeded" {
		t.Errorf("no backup: got %v", err)
	}
	maps.Copy(in, s.proved(t))
	in["level"] = int64(3)
	if _, err = a.Run(t.Context(), s.env, in, nil); action.ReasonOf(err) != "BackupNeeded" {
		t.Errorf("a proof of too low a level: got %v", err)
	}
	if now := s.state(t); now != before {
		t.Errorf("something was changed:\n%s\n%s", before, now)
	}
	delete(in, "level")
	out, err := a.Run(within(t, kubetest.Patience), s.env, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if claims := fmt.Sprint(out["claims"]); !strings.Contains(claims, "fate:kept name:kept policy:Retain") {
		t.Errorf("claims: %s", claims)
	}
	if s.history(t) != nil {
		t.Error("the records are still there")
	}
	if _, err := s.Cluster.Typed.CoreV1().PersistentVolumeClaims(s.Name).Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

// retain keeps the volumes of all claims, until the test has ended.
func (s *space) retain(t *testing.T) {
	t.Helper()
	set := func(ctx context.Context, name string, policy corev1.PersistentVolumeReclaimPolicy) error {
		patch := fmt.Sprintf(`{"spec":{"persistentVolumeReclaimPolicy":%q}}`, policy)
		_, err := s.Cluster.Typed.CoreV1().PersistentVolumes().Patch(
			ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		return err
	}
	list, err := s.Cluster.Typed.CoreV1().PersistentVolumeClaims(s.Name).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		name := list.Items[i].Spec.VolumeName
		if name == "" {
			continue
		}
		if err := set(t.Context(), name, corev1.PersistentVolumeReclaimRetain); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := set(context.Background(), name, corev1.PersistentVolumeReclaimDelete); err != nil {
				t.Error(err)
			}
		})
	}
}
