package jupyterhub

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// permitted makes an account that may do what refit plan --rbac prints for the way to the
// newest version, and nothing else, and returns its name.
func (s *site) permitted() string {
	s.t.Helper()
	s.platform()
	text := s.refit.Must(exitDone, "plan", "platform.yaml", "--to", newest.chart, "--rbac")
	const account = "refit"
	_, err := s.Client.CoreV1().ServiceAccounts(s.Name).Create(s.t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	documents := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for count := 0; ; count++ {
		var role rbacv1.ClusterRole // one with a namespace is a Role, of the same fields
		err := documents.Decode(&role)
		if errors.Is(err, io.EOF) {
			if count == 0 {
				s.t.Fatalf("there is no role: %s", text)
			}
			return account
		}
		if err != nil {
			s.t.Fatalf("%v: %s", err, text)
		}
		if len(role.Rules) > 0 {
			s.bind(role, account)
		}
	}
}

// bind makes a role and gives it to an account of the namespace, for the time of the test.
func (s *site) bind(role rbacv1.ClusterRole, account string) {
	s.t.Helper()
	ctx, options := s.t.Context(), metav1.CreateOptions{}
	// Tests that run at once have platforms of the same name.
	meta := metav1.ObjectMeta{Name: role.Name + "-" + s.Name, Namespace: role.Namespace}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: s.Name}}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name}
	roles := s.Client.RbacV1()
	var err1, err2 error
	if role.Namespace == "" {
		ref.Kind = "ClusterRole"
		_, err1 = roles.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: role.Rules}, options)
		_, err2 = roles.ClusterRoleBindings().Create(ctx,
			&rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, options)
	} else {
		_, err1 = roles.Roles(role.Namespace).Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: role.Rules}, options)
		_, err2 = roles.RoleBindings(role.Namespace).Create(ctx,
			&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, options)
	}
	if err := errors.Join(err1, err2); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx, options := context.WithoutCancel(ctx), metav1.DeleteOptions{} // That of the test has ended.
		for _, err := range []error{
			roles.ClusterRoleBindings().Delete(ctx, meta.Name, options),
			roles.ClusterRoles().Delete(ctx, meta.Name, options),
		} {
			if err != nil && !apierrors.IsNotFound(err) {
				s.t.Error(err)
			}
		}
	})
}

// TestFullPermissionMissing has an account that lacks one right in the middle of what the
// upgrade needs: it is found before the hub is stopped.
func TestFullPermissionMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	before := s.work()
	s.Kubeconfig = s.kubeconfig(s.permitted(), s.Config.Host)
	roles := s.Client.RbacV1().Roles(s.Name)
	list, err := roles.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		role := &list.Items[i]
		if !strings.HasPrefix(role.Name, "refit-hub") {
			continue
		}
		for r := range role.Rules {
			kept := role.Rules[r].Verbs[:0]
			for _, verb := range role.Rules[r].Verbs {
				if verb != "patch" || role.Rules[r].APIGroups[0] != "apps" {
					kept = append(kept, verb)
				}
			}
			role.Rules[r].Verbs = kept
		}
		if _, err := roles.Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	text := unwrap(s.apply(exitBlocked))
	if !strings.Contains(text, "does not permit: ") || !strings.Contains(text, "patch deployments.apps") {
		t.Errorf("it does not say what is missing: %s", text)
	}
	s.is(middle, before)
}
