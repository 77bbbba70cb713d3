package kubetest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/report"
)

// Permit returns env as that of an account which may do what list says in its cluster,
// and nothing else. The roles are those that refit plan --rbac prints for such a list;
// they go with the test.
func Permit(t *testing.T, env action.Env, list []action.Access) action.Env {
	t.Helper()
	s := New(t)
	s.Apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: refit}}")
	roles := report.BuildRBAC(s.Name, []report.RBACNeed{{Target: env.Target.Name, Access: list}})
	var text strings.Builder
	if err := report.RBACYAML(&text, roles); err != nil {
		t.Fatal(err)
	}
	for _, target := range roles.Targets {
		for _, role := range target.Roles {
			text.WriteString(binding(role, s.Name))
			if role.Namespace == "" {
				t.Cleanup(func() { s.unbind(t, role.Name) })
			}
		}
	}
	s.Apply(text.String())
	env.Target.Config = maps.Clone(env.Target.Config)
	env.Target.Config["kubeconfig"] = s.As("refit")
	delete(env.Target.Config, "context")
	return env
}

// ofPermit tells of the roles that Permit makes, and of their bindings.
func ofPermit(object *unstructured.Unstructured) bool {
	return strings.HasPrefix(object.GetName(), "refit-test-") &&
		(object.GetKind() == "Role" || object.GetKind() == "RoleBinding")
}

// binding binds a role to the account refit of a namespace.
func binding(role report.RBACRole, account string) string {
	kind, namespace := "Role", fmt.Sprintf(", namespace: %q", role.Namespace)
	if role.Namespace == "" {
		kind, namespace = "ClusterRole", ""
	}
	return fmt.Sprintf(`---
apiVersion: rbac.authorization.k8s.io/v1
kind: %[1]sBinding
metadata: {name: %[2]q%[3]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %[1]s, name: %[2]q}
subjects: [{kind: ServiceAccount, name: refit, namespace: %[4]q}]
`, kind, role.Name, namespace, account)
}

// unbind removes a role of the cluster and its binding.
func (s *Space) unbind(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	roles := s.Cluster.Typed.RbacV1()
	for _, err := range []error{
		roles.ClusterRoleBindings().Delete(ctx, name, metav1.DeleteOptions{}),
		roles.ClusterRoles().Delete(ctx, name, metav1.DeleteOptions{}),
	} {
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	}
}
