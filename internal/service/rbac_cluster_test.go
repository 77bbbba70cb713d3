package service_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/engine/worker"
	"github.com/refitproject/refit/internal/kube/kubetest"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
	secretresolver "github.com/refitproject/refit/internal/secret"
	"github.com/refitproject/refit/internal/service"
)

// rightsProcedure uses every action on clusters that says what it needs.
const rightsProcedure = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: rights, summary: Do a little of everything.}
targets: {cluster: {kind: kubernetes}}
inputs:
  namespace: {type: string, description: Namespace.}
stages:
  - id: all
    steps:
      images:
        phase: prepare
        action: kube.prepull
        target: cluster
        with: {namespace: "${inputs.namespace}", images: ["localhost/refit/busybox:1"]}
      may:
        phase: preflight
        action: kube.rbac
        target: cluster
        with:
          namespace: "${inputs.namespace}"
          rights: [{verbs: [create, get], resource: pods/exec, names: [shell]}]
      job:
        phase: upgrade
        action: kube.job
        target: cluster
        with:
          namespace: "${inputs.namespace}"
          image: localhost/refit/busybox:1
          command: [sh, -c, 'test "$TOKEN" = hunter2-in-the-cluster']
          secretEnv: {TOKEN: {kubernetes: {namespace: "${inputs.namespace}", name: hub, key: token}}}
        reversible: "no: it is a test"
      shell:
        phase: upgrade
        action: kube.exec
        target: cluster
        with: {namespace: "${inputs.namespace}", pod: shell, command: ["true"]}
        reversible: "no: it is a test"
`

// TestClusterRightsAreEnough carries a plan out by an account that has exactly the
// roles that are printed for it, lock and identity included.
func TestClusterRightsAreEnough(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Images("busybox")
	space.Apply(`
apiVersion: v1
kind: Secret
metadata: {name: hub}
stringData: {token: hunter2-in-the-cluster}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: refit}
---
apiVersion: v1
kind: Pod
metadata: {name: shell}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: "localhost/refit/busybox:1", command: [sleep, "3600"]}]
`)
	space.Within(2*time.Minute, "the pod", func(ctx context.Context) (bool, string) {
		pod, err := space.Cluster.Typed.CoreV1().Pods(space.Name).Get(ctx, "shell", metav1.GetOptions{})
		return err == nil && len(pod.Status.ContainerStatuses) == 1 && pod.Status.ContainerStatuses[0].Ready, "it is not ready"
	})
	dir := t.TempDir()
	platform := filepath.Join(dir, "platform.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("procedure.yaml", rightsProcedure)
	describe := func(kubeconfig string) {
		t.Helper()
		write("platform.yaml", `apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: `+space.Name+`}
procedure: ./procedure.yaml
inputs: {namespace: `+space.Name+`}
allowScratch: true
targets: {cluster: {kind: kubernetes, kubeconfig: `+kubeconfig+`, lockNamespace: `+space.Name+`}}
`)
	}
	describe(space.Kubeconfig)
	s := realService(t)
	planned, err := s.Plan(t.Context(), service.PlanRequest{Platform: platform})
	if err != nil {
		t.Fatal(err)
	}
	roles, err := s.RBAC(t.Context(), planned.Plan, planned.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if open := roles.Targets[0].Open; len(open) > 0 {
		t.Errorf("something is not known: %v", open)
	}
	bind(t, space, roles)
	describe(space.As("refit"))
	mine, err := s.Plan(t.Context(), service.PlanRequest{Platform: platform})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "plan.json")
	if err := s.SavePlan(file, mine.Plan, false); err != nil {
		t.Fatal(err)
	}
	id, err := s.Apply(t.Context(), service.ApplyRequest{
		CheckRequest: service.CheckRequest{PlanFile: file}, Digest: mine.Plan.Digest,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	drive := service.DriveRequest{Runs: []string{id}, Linger: 5 * time.Second}
	results, err := s.Drive(ctx, drive)
	if err == nil && results[0].View != nil && results[0].View.Status == run.Waiting { // there is no way back
		gate, err := s.Gate(ctx, service.GateQuery{Run: id}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Approve(ctx, gate, "", "it is a test"); err != nil {
			t.Fatal(err)
		}
		results, _ = s.Drive(ctx, drive)
	}
	if err != nil || results[0].Err != nil || results[0].View == nil || results[0].View.Status != run.Succeeded {
		var text strings.Builder
		if results != nil && results[0].View != nil {
			_ = report.RunText(&text, *results[0].View, report.TextOptions{})
		}
		t.Fatalf("got %+v, %v\n%s", results, err, text.String())
	}
}

// realService is a service as the program has it.
func realService(t *testing.T) *service.Service {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	clients := all.NewClients(append(os.Environ(), action.StateVariable+"="+state))
	registry, err := all.NewRegistry(clients)
	if err != nil {
		t.Fatal(err)
	}
	secrets := secretresolver.Resolver{Programs: clients.Programs, Stores: clients.Archive.Stores, Clusters: clients.Kube}
	s, err := service.New(service.Options{
		Registry: registry, Shipped: fstest.MapFS{}, Now: time.Now, Version: "test", StateDir: state, LookPath: exec.LookPath,
		Progress: func(service.Note) {}, Secrets: secrets,
		Person: func() (service.Person, error) { return service.Person{Name: "ada", Host: "laptop"}, nil },
		Engine: func(ctx context.Context, keyed func(string) (string, error)) (engine.Engine, error) {
			w, err := worker.New(worker.Options{
				Registry: registry, Secrets: func(dir string) action.Secrets { return secrets.In(dir) }, Now: time.Now, Keyed: keyed,
			})
			if err != nil {
				return nil, err
			}
			return local.Open(ctx, local.Options{
				Dir: state, Worker: w, Catalog: registry, Now: time.Now, Host: "laptop", Form: "test",
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// bind makes the roles and binds them to the account refit of the namespace.
func bind(t *testing.T, space *kubetest.Space, roles report.RBAC) {
	t.Helper()
	client := space.Cluster.Typed.RbacV1()
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "refit", Namespace: space.Name}}
	for _, role := range roles.Targets[0].Roles {
		var rules []rbacv1.PolicyRule
		for _, r := range role.Rules {
			rules = append(rules, rbacv1.PolicyRule{
				APIGroups: r.APIGroups, Resources: r.Resources, ResourceNames: r.ResourceNames, Verbs: r.Verbs,
			})
		}
		var err error
		meta := metav1.ObjectMeta{Name: role.Name}
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name}
		if role.Namespace == "" {
			ref.Kind = "ClusterRole"
			t.Cleanup(func() {
				ctx := context.Background()
				_ = client.ClusterRoleBindings().Delete(ctx, role.Name, metav1.DeleteOptions{})
				_ = client.ClusterRoles().Delete(ctx, role.Name, metav1.DeleteOptions{})
			})
			if _, err = client.ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{}); err == nil {
				_, err = client.ClusterRoleBindings().Create(t.Context(),
					&rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
			}
		} else if _, err = client.Roles(role.Namespace).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{}); err == nil {
			_, err = client.RoleBindings(role.Namespace).Create(t.Context(),
				&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
