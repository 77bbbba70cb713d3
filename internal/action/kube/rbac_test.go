package kube_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

func TestClusterRBACSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Action:   kube.RBAC(space.Connector),
		Examples: "testdata/rbac/*.yaml",
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			space := kubetest.New(t)
			return actiontest.World{Env: space.Env(), State: space.State, Adapt: inNamespace(space)}
		},
	})
}

// rolled is an account with few rights.
const rolled = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: refit}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: refit}
rules:
- {apiGroups: [apps], resources: [deployments], resourceNames: [hub], verbs: [get, patch]}
- {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: refit}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: refit}
subjects: [{kind: ServiceAccount, name: refit}]
`

func TestClusterRBAC(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Apply(rolled)
	rights := []any{
		map[string]any{"verbs": []any{"get", "patch", "delete"}, "group": "apps", "resource": "deployments", "names": []any{"hub", "proxy"}},
		map[string]any{"verbs": []any{"create"}, "resource": "pods/exec"},
		map[string]any{"verbs": []any{"list"}, "resource": "nodes", "namespace": "*"},
		map[string]any{"verbs": []any{"get"}, "resource": "secrets", "namespace": "kube-system"},
	}
	in := map[string]any{"namespace": space.Name, "rights": rights, "report": true}
	// Who may do everything misses nothing.
	obs, err := kube.RBAC(space.Connector).Observe(t.Context(), space.Env(), in)
	if err != nil || obs.Output["allowed"] != int64(9) || len(obs.Output["missing"].([]any)) != 0 {
		t.Fatalf("got %v, %v", obs, err)
	}
	env := asAccount(t, space, "refit")
	obs, err = kube.RBAC(space.Connector).Observe(t.Context(), env, in)
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, m := range obs.Output["missing"].([]any) {
		missing = append(missing, strings.ReplaceAll(m.(string), space.Name, "NS"))
	}
	slices.Sort(missing)
	want := []string{
		"delete deployments.apps hub in namespace NS", "delete deployments.apps proxy in namespace NS",
		"get deployments.apps proxy in namespace NS", "get secrets in namespace kube-system",
		"list nodes in the cluster", "patch deployments.apps proxy in namespace NS",
	}
	if diff := cmp.Diff(want, missing); diff != "" || obs.Output["allowed"] != int64(3) {
		t.Errorf("%v are allowed, -want +missing:\n%s", obs.Output["allowed"], diff)
	}
	delete(in, "report")
	obs, err = kube.RBAC(space.Connector).Observe(t.Context(), env, in)
	if err != nil || obs.Status != action.Failed || !strings.Contains(obs.Reason, "delete deployments.apps hub in namespace "+space.Name) {
		t.Errorf("got %s (%s), %v", obs.Status, obs.Reason, err)
	}
}

// mostNames is one more than may be asked for.
const mostNames = 501

// many is one right for each of n names.
func many(n int) []any {
	var names []any
	for i := range n {
		names = append(names, fmt.Sprintf("pod-%d", i))
	}
	return []any{map[string]any{"verbs": []any{"get"}, "resource": "pods", "names": names}}
}

func TestRBACInput(t *testing.T) {
	t.Parallel()
	right := func(key string, value any) map[string]any {
		r := map[string]any{"verbs": []any{"get"}, "resource": "pods"}
		r[key] = value
		return map[string]any{"rights": []any{r}}
	}
	checkInputs(t, kube.RBAC(nil), right("group", "apps"), map[string]struct {
		change map[string]any
		want   string
	}{
		"None":     {map[string]any{"rights": []any{}}, `field "rights" is empty`},
		"Verbs":    {right("verbs", []any{}), "entry 0: it has no verbs"},
		"Resource": {right("resource", "deployments.apps"), `"deployments.apps" is no resource`},
		"Most":     {map[string]any{"rights": many(mostNames)}, "asks for 501 rights"},
	})
}
