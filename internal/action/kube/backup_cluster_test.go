package kube_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/kube"
	clusters "github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// platform is a namespace with one of most kinds, which nothing runs in.
const platform = settings + `
---
apiVersion: v1
kind: Secret
metadata: {name: hub, labels: {app: hub}}
stringData: {token: hunter2}
---
apiVersion: v1
kind: Secret
metadata: {name: sh.helm.release.v1.hub.v1, labels: {owner: helm}}
type: helm.sh/release.v1
stringData: {release: hunter2-release}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: sealed, labels: {app: hub}}
immutable: true
data: {a: "1"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: hub}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: hub}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: hub}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: hub}
subjects: [{kind: ServiceAccount, name: hub, namespace: NAMESPACE}]
---
apiVersion: v1
kind: Service
metadata: {name: hub}
spec:
  type: NodePort
  selector: {app: hub}
  ports: [{port: 8081}]
---
apiVersion: v1
kind: Service
metadata: {name: outside}
spec: {ports: [{port: 5432}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: outside-1, labels: {kubernetes.io/service-name: outside}}
addressType: IPv4
ports: [{port: 5432}]
endpoints: [{addresses: [10.1.2.3]}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: hub-db}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", resources: {requests: {storage: 1Gi}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: hub}
spec: {minAvailable: 1, selector: {matchLabels: {app: hub}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: hub}
spec: {podSelector: {matchLabels: {app: hub}}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: hub}
spec: {rules: [{host: hub.example.org, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: hub, port: {number: 8081}}}}]}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cull}
spec:
  schedule: "0 3 * * *"
  suspend: true
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "localhost/refit/pause:1"}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: "localhost/refit/pause:1"}]}}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, default: {memory: 1Gi}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {pods: "0"}}
`

// keyring has the key of backups.
type keyring string

func (k keyring) Resolve(context.Context, map[string]any) (string, error) { return string(k), nil }

func newKeyring(t *testing.T) keyring {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return keyring(identity.String())
}

func savingWorld() kube.World {
	return kube.World{Kube: connectorOf(), Hostname: func() (string, error) { return "node-1", nil }}
}

// platformSpace is a platform in a namespace of its own, with an empty store.
func platformSpace(t *testing.T) (*kubetest.Space, action.Env) {
	t.Helper()
	space := kubetest.New(t)
	space.Apply(strings.ReplaceAll(platform, "NAMESPACE", space.Name))
	env := space.Env()
	env.Secrets = newKeyring(t)
	if err := os.Mkdir(filepath.Join(env.Dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	return space, env
}

// storeState lists a store without what differs between two that were made the same way.
func storeState(t *testing.T, env action.Env) string {
	t.Helper()
	var lines []string
	names, err := filepath.Glob(filepath.Join(env.Dir, "store", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	digits := regexp.MustCompile(`[0-9a-f]{8,}|[0-9]{10,}`)
	for _, name := range names {
		rel, _ := filepath.Rel(env.Dir, name)
		lines = append(lines, digits.ReplaceAllString(rel, "#"))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// scratches are the namespaces that proofs of a world have left.
func scratches(t *testing.T, space *kubetest.Space, env action.Env) string {
	t.Helper()
	// Tests that run at once have steps of the same key, of other runs.
	list, err := space.Cluster.Typed.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{
		LabelSelector: "refit.dev/scratch=kube.verify," + clusters.StepLabel + "=" + clusters.LabelValue(env.Key+"\x00"+env.Origin),
	})
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for i := range list.Items {
		text += "\n" + list.Items[i].Name
	}
	return text
}

var ports = regexp.MustCompile(`"nodePort":[0-9]+`)

// savingSuite is the world of a suite; saved tells that there is a backup.
func savingSuite(t *testing.T, isSaved bool, meanwhile func(*kubetest.Space)) actiontest.World {
	t.Helper()
	space, env := platformSpace(t)
	env.Origin = space.Name // Namespaces of proofs are named after it.
	id := ""
	if isSaved {
		id = saveIn(t, space, env, nil)
	}
	if meanwhile != nil {
		meanwhile(space)
	}
	return actiontest.World{
		Env: env, Adapt: func(in map[string]any) {
			if _, given := in["backup"]; given {
				in["backup"] = id
			}
			if _, given := in["namespace"]; given {
				in["namespace"] = space.Name
			}
		},
		State: func(t *testing.T) string {
			t.Helper()
			text := strings.ReplaceAll(space.State(t)+"\n"+storeState(t, env), space.Name, "NAMESPACE")
			return ports.ReplaceAllString(controllerIDs.ReplaceAllString(text, ""), "") + scratches(t, space, env)
		},
	}
}

var controllerIDs = regexp.MustCompile(`,?"(batch\.kubernetes\.io/)?controller-uid":"[^"]*"|"(volume\w+|clusterIPs?|ip)":("[^"]*"|\[[^\]]*\])`)

// saveIn makes a backup with another step, and returns its id.
func saveIn(t *testing.T, space *kubetest.Space, env action.Env, more map[string]any) string {
	t.Helper()
	env.Key = "run-0/backup"
	in := map[string]any{"namespace": space.Name, "store": "file:store", "key": map[string]any{"env": "BACKUP_KEY"}}
	for name, value := range more {
		if in[name] = value; value == nil {
			delete(in, name)
		}
	}
	out, err := kube.Backup(savingWorld()).Run(t.Context(), env, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out["backup"].(string)
}

// breaking breaks Run off at the change of a number.
func breaking(newAction func(kube.World) action.Action) func(*testing.T, actiontest.World, map[string]any, map[string]any, int) bool {
	return func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
		t.Helper()
		reached := false
		dying := savingWorld()
		dying.Before = func(string) error {
			if point--; point < 0 {
				reached = true
				return errors.New("the process has ended")
			}
			return nil
		}
		if _, err := newAction(dying).Run(t.Context(), w.Env, in, before); (err != nil) != reached {
			t.Errorf("Run: %v", err)
		}
		return reached
	}
}

func TestClusterBackupSuite(t *testing.T) {
	t.Parallel()
	kubetest.Needed(t)
	actiontest.Run(t, actiontest.Suite{
		Action: kube.Backup(savingWorld()), Examples: "testdata/backup/*.yaml",
		World: func(t *testing.T) actiontest.World { t.Helper(); return savingSuite(t, false, nil) },
	})
}

func TestClusterVerifySuite(t *testing.T) {
	t.Parallel()
	kubetest.Needed(t)
	actiontest.Run(t, actiontest.Suite{
		Action: kube.Verify(savingWorld()), Examples: "testdata/verify/parsed.yaml", Crash: breaking(kube.Verify),
		World: func(t *testing.T) actiontest.World { t.Helper(); return savingSuite(t, true, nil) },
	})
}

// damage changes, removes and adds objects after a backup.
func damage(t *testing.T) func(*kubetest.Space) {
	t.Helper()
	return func(space *kubetest.Space) {
		foreign(t, space, configMapKind(), "hub-config", `{"data":{"logins":"off","more":"x"}}`)
		foreign(t, space, deploymentKind(), "hub", `{"spec":{"minReadySeconds":7}}`)
		foreign(t, space, schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, "hub", `{"stringData":{"token":"broken"}}`)
		space.Delete(schema.GroupVersionKind{Version: "v1", Kind: "Service"}, "hub")
		space.Delete(configMapKind(), "sealed")
		space.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sealed, labels: {app: hub}}\nimmutable: true\ndata: {a: \"2\"}\n" +
			"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: added}\n")
	}
}

func TestClusterRestoreSuite(t *testing.T) {
	t.Parallel()
	kubetest.Needed(t)
	actiontest.Run(t, actiontest.Suite{
		Action: kube.Restore(savingWorld()), Examples: "testdata/restore-namespace/*.yaml", Crash: breaking(kube.Restore),
		World: func(t *testing.T) actiontest.World { t.Helper(); return savingSuite(t, true, damage(t)) },
	})
}

// TestClusterVerifyInScratch proves a backup at level 3, and breaks it off on the way.
func TestClusterVerifyInScratch(t *testing.T) {
	t.Parallel()
	space, env := platformSpace(t)
	env.Origin = space.Name
	id := saveIn(t, space, env, nil)
	in := map[string]any{"store": "file:store", "backup": id, "key": map[string]any{"env": "BACKUP_KEY"}}
	for _, point := range []int{0, 1, 9, 100} {
		w := actiontest.World{Env: env}
		w.Env.Key = fmt.Sprintf("run-1/verify-%d", point)
		reached := breaking(kube.Verify)(t, w, in, nil, point)
		if left := scratches(t, space, w.Env); (left != "") != (reached && point > 0) {
			t.Errorf("broken off at %d (%t) it leaves %q", point, reached, left)
		}
		w.Env.Attempted = true
		if reached {
			observed(t, kube.Verify(savingWorld()), w.Env, in, action.NotStarted)
		}
		out, err := kube.Verify(savingWorld()).Run(t.Context(), w.Env, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if out["made"] != int64(14) || out["tried"] != int64(8) || fmt.Sprint(out["untried"]) != "[]" {
			t.Errorf("it says %v", out)
		}
		if left := scratches(t, space, w.Env); left != "" {
			t.Errorf("it leaves %q", left)
		}
		observed(t, kube.Verify(savingWorld()), w.Env, in, action.Done)
	}
}

// TestClusterRestoreAll brings a namespace back that is gone, and says what it must not
// touch.
func TestClusterRestoreAll(t *testing.T) {
	t.Parallel()
	space, env := platformSpace(t)
	id := saveIn(t, space, env, nil)
	before := space.State(t)
	was := ownersOf(t, space)
	a, namespaces := kube.Restore(savingWorld()), space.Cluster.Typed.CoreV1().Namespaces()
	if err := namespaces.Delete(t.Context(), space.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	space.Within(kubetest.Patience, "the end of the namespace", func(ctx context.Context) (bool, string) {
		_, err := namespaces.Get(ctx, space.Name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
	in := map[string]any{
		"store": "file:store", "backup": id, "namespace": space.Name, "key": map[string]any{"env": "BACKUP_KEY"},
	}
	observed(t, a, env, in, action.NotStarted)
	preview, err := a.Preview(t.Context(), env, in)
	if err != nil || !strings.Contains(preview.Summary, "is encrypted") {
		t.Errorf("preview: %v, %v", preview, err)
	}
	log := &strings.Builder{}
	env.Log = log
	out, err := a.Run(t.Context(), env, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(out, log); strings.Contains(text, "hunter") || strings.Contains(text, "aHVudGVy") {
		t.Errorf("it shows a value: %s", text)
	}
	if was != ownersOf(t, space) {
		t.Errorf("the fields had the owners %s, they have %s", was, ownersOf(t, space))
	}
	clean := func(text string) string { return controllerIDs.ReplaceAllString(text, "") }
	if after := space.State(t); clean(after) != clean(before) {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	env.Attempted = true
	if again := observed(t, a, env, in, action.Done); fmt.Sprint(again.Output) != fmt.Sprint(out) {
		t.Errorf("Run says %v, Observe %v", out, again.Output)
	}
}

// ownersOf names who owns fields of some objects.
func ownersOf(t *testing.T, space *kubetest.Space) string {
	t.Helper()
	return owners(read(t, space, configMapKind(), "hub-config")) + " " + owners(read(t, space, deploymentKind(), "hub"))
}

// TestClusterRestoreRefuses meets what cannot be changed, and another cluster.
func TestClusterRestoreRefuses(t *testing.T) {
	t.Parallel()
	space, env := platformSpace(t)
	plain := map[string]any{"secrets": "skip", "key": nil}
	id := saveIn(t, space, env, plain)
	in := map[string]any{"store": "file:store", "backup": id}
	a := kube.Restore(savingWorld())
	jobs := schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}
	space.Delete(jobs, "migrate")
	space.Within(kubetest.Patience, "the end of the job", func(ctx context.Context) (bool, string) {
		_, err := space.Cluster.Typed.BatchV1().Jobs(space.Name).Get(ctx, "migrate", metav1.GetOptions{})
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
	space.Apply("apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {suspend: true, template: {spec: " +
		"{restartPolicy: Never, containers: [{name: other, image: \"localhost/refit/pause:2\"}]}}}\n")
	foreign(t, space, configMapKind(), "hub-config", `{"data":{"logins":"maybe"}}`)
	space.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: added}\n")
	observed(t, a, env, in, action.NotStarted)
	preview, err := a.Preview(t.Context(), env, in)
	if err != nil || !strings.Contains(preview.Diff, "-  logins: maybe\n+  logins: \"on\"") ||
		!strings.Contains(preview.Summary, "0 are made, 2 changed") {
		t.Errorf("preview: %v, %v", preview, err)
	}
	_, err = a.Run(t.Context(), env, in, nil)
	reasonIs(t, err, "CannotChange", action.ExtentPartial, "job migrate", "delete it")
	env.Attempted = true
	observed(t, a, env, in, action.Partial)
	space.Delete(jobs, "migrate")
	out, err := a.Run(t.Context(), env, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(out["extra"]) != "[ConfigMap added]" || out["extraAll"] != int64(1) {
		t.Errorf("extra: %v", out)
	}
}

// TestClusterRestoreClaims makes a claim again: with its volume when that was kept for
// it, else with a new one, which it says.
func TestClusterRestoreClaims(t *testing.T) {
	t.Parallel()
	space, env := platformSpace(t)
	volumes := space.Cluster.Typed.CoreV1().PersistentVolumes()
	claims := space.Cluster.Typed.CoreV1().PersistentVolumeClaims(space.Name)
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: space.Name},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: quantity("1Gi")},
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: "/nonexistent"},
			},
			ClaimRef: &corev1.ObjectReference{Namespace: space.Name, Name: "hub-db"},
		},
	}
	if _, err := volumes.Create(t.Context(), volume, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		space.Delete(schema.GroupVersionKind{Version: "v1", Kind: "PersistentVolume"}, space.Name)
	})
	bound := func() {
		space.Within(kubetest.Patience, "the volume of the claim", func(ctx context.Context) (bool, string) {
			c, err := claims.Get(ctx, "hub-db", metav1.GetOptions{})
			return err == nil && c.Status.Phase == corev1.ClaimBound && c.Spec.VolumeName == space.Name, fmt.Sprint(c, err)
		})
	}
	gone := func() {
		if err := claims.Delete(t.Context(), "hub-db", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		space.Within(kubetest.Patience, "the end of the claim", func(ctx context.Context) (bool, string) {
			_, err := claims.Get(ctx, "hub-db", metav1.GetOptions{})
			return apierrors.IsNotFound(err), fmt.Sprint(err)
		})
	}
	bound()
	id := saveIn(t, space, env, nil)
	in := map[string]any{"store": "file:store", "backup": id, "key": map[string]any{"env": "BACKUP_KEY"}}
	a := kube.Restore(savingWorld())
	gone()
	out, err := a.Run(t.Context(), env, in, nil)
	if err != nil || fmt.Sprint(out["claims"]) != "[]" {
		t.Fatalf("it says %v, %v", out, err)
	}
	bound()
	gone()
	is, err := volumes.Get(t.Context(), space.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	is.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "another", Name: "claim", UID: "1"}
	if _, err := volumes.Update(t.Context(), is, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	out, err = a.Run(t.Context(), env, in, nil)
	if err != nil || fmt.Sprint(out["claims"]) != "[hub-db]" {
		t.Fatalf("it says %v, %v", out, err)
	}
}

// TestClusterRestoreOwners brings back what belongs to something that has another UID by
// then, and to something that is gone.
func TestClusterRestoreOwners(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(settings)
	env := space.Env()
	if err := os.Mkdir(filepath.Join(env.Dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	uid := func(name string) string { return string(read(t, space, configMapKind(), name).GetUID()) }
	ref := func(name string) string {
		return fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","name":%q,"uid":%q}`, name, uid(name))
	}
	foreign(t, space, configMapKind(), "hub-cache-1", `{"metadata":{"ownerReferences":[`+ref("hub-config")+`]}}`)
	foreign(t, space, configMapKind(), "hub-cache-2", `{"metadata":{"ownerReferences":[`+ref("hub-cache-keep")+`]}}`)
	id := saveIn(t, space, env, map[string]any{"secrets": "skip", "key": nil, "selector": "app=hub"})
	for _, name := range []string{"hub-config", "hub-cache-1", "hub-cache-2"} {
		space.Delete(configMapKind(), name)
	}
	out, err := kube.Restore(savingWorld()).Run(t.Context(), env, map[string]any{"store": "file:store", "backup": id}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, owner := range map[string]string{"hub-cache-1": "hub-config", "hub-cache-2": "hub-cache-keep"} {
		var got []string
		for _, o := range read(t, space, configMapKind(), name).GetOwnerReferences() {
			got = append(got, string(o.UID))
		}
		if want := uid(owner); !slices.Equal(got, []string{want}) {
			t.Errorf("%s belongs to %v, want %s: %v", name, got, want, out)
		}
	}
}

// TestClusterBackupLeavesOut saves nothing that the cluster makes itself.
func TestClusterBackupLeavesOut(t *testing.T) {
	t.Parallel()
	space, env := platformSpace(t)
	space.Apply("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: runs}\nspec: {replicas: 1, selector: {matchLabels: {a: b}}, " +
		"template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: \"localhost/refit/pause:1\"}]}}}\n")
	space.Within(kubetest.Patience, "the replicaset", func(ctx context.Context) (bool, string) {
		list, err := space.Cluster.Typed.AppsV1().ReplicaSets(space.Name).List(ctx, metav1.ListOptions{})
		return err == nil && len(list.Items) == 2, fmt.Sprint(err)
	})
	id := saveIn(t, space, env, map[string]any{"secrets": "skip", "key": nil})
	data, err := os.ReadFile(filepath.Join(env.Dir, "store", id, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"ReplicaSet", "Event", "Endpoints", "Lease", "Secret", "Pod", "kube-root-ca.crt"} {
		if strings.Contains(string(data), `"`+kind+`"`) {
			t.Errorf("%s is saved", kind)
		}
	}
	for _, kind := range []string{"Deployment", "EndpointSlice", "Service", "PersistentVolumeClaim", "outside-1", "runs"} {
		if !strings.Contains(string(data), `"`+kind+`"`) {
			t.Errorf("%s is not saved", kind)
		}
	}
}

// TestClusterBackupRights does everything with an account that may do what the actions
// say that they need, and no more.
func TestClusterBackupRights(t *testing.T) {
	t.Parallel()
	space, env := platformSpace(t)
	env.Origin = space.Name
	env.Proof = 3
	key := map[string]any{"env": "BACKUP_KEY"}
	save := map[string]any{"namespace": space.Name, "store": "file:store", "key": key}
	account := limited(t, space, env, kube.Backup(savingWorld()), save)
	out, err := kube.Backup(savingWorld()).Run(t.Context(), account, save, nil)
	if err != nil {
		t.Fatal(err)
	}
	if out["proof"] != int64(3) {
		t.Errorf("it says %v", out)
	}
	restore := map[string]any{"store": "file:store", "backup": out["backup"], "namespace": space.Name, "key": key}
	damage(t)(space)
	account = limited(t, space, env, kube.Restore(savingWorld()), restore)
	observed(t, kube.Restore(savingWorld()), account, restore, action.NotStarted)
	if _, err := kube.Restore(savingWorld()).Run(t.Context(), account, restore, nil); err != nil {
		t.Error(err)
	}
	account.Attempted = true
	observed(t, kube.Restore(savingWorld()), account, restore, action.Done)
}

// limited returns the environment of a step with an account of its own, which may do
// what an action says that it needs.
func limited(t *testing.T, space *kubetest.Space, env action.Env, a action.Action, in map[string]any) action.Env {
	t.Helper()
	list, known, err := a.(action.Accessor).Access(t.Context(), env, in)
	if err != nil || !known {
		t.Fatal(known, err)
	}
	name := space.Name + "-" + strings.TrimPrefix(a.Spec().Name, "kube.")
	space.Apply("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: " + name + "}\n")
	var inSpace, everywhere []rbacv1.PolicyRule
	for _, access := range list {
		rule := rbacv1.PolicyRule{
			APIGroups: []string{access.Group}, Resources: []string{access.Resource}, ResourceNames: access.Names,
			Verbs: access.Verbs,
		}
		if access.Namespace == space.Name {
			inSpace = append(inSpace, rule)
		} else {
			everywhere = append(everywhere, rule)
		}
	}
	rbac, subjects := space.Cluster.Typed.RbacV1(), []rbacv1.Subject{
		{Kind: "ServiceAccount", Name: name, Namespace: space.Name},
	}
	meta := metav1.ObjectMeta{Name: name}
	for _, err := range []error{
		second(rbac.Roles(space.Name).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: inSpace}, metav1.CreateOptions{})),
		second(rbac.RoleBindings(space.Name).Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: meta, Subjects: subjects, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: name},
		}, metav1.CreateOptions{})),
		second(rbac.ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: everywhere}, metav1.CreateOptions{})),
		second(rbac.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
			ObjectMeta: meta, Subjects: subjects, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: name},
		}, metav1.CreateOptions{})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, kind := range []string{"ClusterRole", "ClusterRoleBinding"} {
			space.Delete(schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: kind}, name)
		}
	})
	env.Target.Config = map[string]any{"kubeconfig": space.As(name)}
	return env
}

func second[T any](_ T, err error) error { return err }

// TestClusterRestoreElsewhere takes a namespace to another one, and refuses another
// cluster.
func TestClusterRestoreElsewhere(t *testing.T) {
	t.Parallel()
	space, env := platformSpace(t)
	id, to := saveIn(t, space, env, nil), space.Name+"-to"
	t.Cleanup(func() { space.Delete(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, to) })
	a := kube.Restore(savingWorld())
	in := map[string]any{
		"store": "file:store", "backup": id, "namespace": to, "key": map[string]any{"env": "BACKUP_KEY"},
		"kinds": []any{
			map[string]any{"apiVersion": "v1", "kind": "Secret"},
			map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding"},
		},
	}
	out, err := a.Run(t.Context(), env, in, nil)
	if err != nil || out["objects"] != int64(3) || out["namespace"] != to {
		t.Fatalf("it says %v, %v", out, err)
	}
	binding, err := space.Cluster.Typed.RbacV1().RoleBindings(to).Get(t.Context(), "hub", metav1.GetOptions{})
	if err != nil || binding.Subjects[0].Namespace != to {
		t.Errorf("it binds %v, %v", binding, err)
	}
	in["kinds"] = []any{map[string]any{"apiVersion": "v1", "kind": "Service"}}
	// Its port of the nodes is taken by the one that was saved: it gets another one.
	if out, err = a.Run(t.Context(), env, in, nil); err != nil || out["objects"] != int64(2) {
		t.Errorf("it says %v, %v", out, err)
	}
	observed(t, a, env, in, action.Done)
}
