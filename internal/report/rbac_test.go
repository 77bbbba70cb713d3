package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/report"
)

func TestRBAC(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		access []action.Access
		open   []string
		want   []string // lines of the rules, with the role before them
	}{
		"Names": {
			"Verbs on one object are one rule, objects with the same verbs too.",
			[]action.Access{
				{Group: "apps", Resource: "deployments", Namespace: "jhub", Names: []string{"hub"}, Verbs: []string{"get"}},
				{Group: "apps", Resource: "deployments", Namespace: "jhub", Names: []string{"proxy", "hub"}, Verbs: []string{"patch", "get"}},
			},
			nil,
			[]string{"Role refit-hub-prod jhub", `["apps"] ["deployments"] ["hub", "proxy"] ["get", "patch"]`},
		},
		"All": {
			"What all objects permit is not said of one of them again.",
			[]action.Access{
				{Resource: "secrets", Namespace: "jhub", Verbs: []string{"get"}},
				{Resource: "secrets", Namespace: "jhub", Names: []string{"hub"}, Verbs: []string{"get", "delete"}},
			},
			nil,
			[]string{"Role refit-hub-prod jhub", `["" ] ["secrets"] ["get"]`, `[""] ["secrets"] ["hub"] ["delete"]`},
		},
		"Cluster": {
			"What the cluster role permits is left out of the others, and resources with the same verbs share a rule.",
			[]action.Access{
				{Resource: "pods", Verbs: []string{"list"}},
				{Resource: "nodes", Verbs: []string{"list"}},
				{Resource: "pods", Namespace: "jhub", Verbs: []string{"list", "get"}},
				{Resource: "pods", Namespace: "other", Names: []string{"a"}, Verbs: []string{"list"}},
			},
			nil,
			[]string{"ClusterRole refit-hub-prod", `[""] ["nodes", "pods"] ["list"]`, "Role refit-hub-prod jhub", `[""] ["pods"] ["get"]`},
		},
		"Open": {
			"What is not known stands above the roles, once.", nil,
			[]string{"to-2/b: later", "to-2/a: later", "to-2/b: later"},
			[]string{"# Not in here: to-2/a: later", "# Not in here: to-2/b: later"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			r := report.BuildRBAC("Hub prod", []report.RBACNeed{{Target: "cluster", Access: tc.access, Open: tc.open}})
			if err := report.RBACYAML(&out, r); err != nil {
				t.Fatal(err)
			}
			var got []string
			if !strings.HasPrefix(out.String(), "# Target cluster: ") {
				t.Errorf("got %s", out.String())
			}
			for i := range r.Targets[0].Open {
				got = append(got, strings.Split(out.String(), "\n")[i+1])
			}
			for _, role := range r.Targets[0].Roles {
				kind := "Role " + role.Name + " " + role.Namespace
				if role.Namespace == "" {
					kind = "ClusterRole " + role.Name
				}
				got = append(got, kind)
				if !strings.Contains(out.String(), "kind: "+strings.Fields(kind)[0]+"\nmetadata:\n  name: "+role.Name) {
					t.Errorf("%s is not in\n%s", kind, out.String())
				}
				for _, rule := range role.Rules {
					parts := []string{quoteAll(rule.APIGroups), quoteAll(rule.Resources)}
					if len(rule.ResourceNames) > 0 {
						parts = append(parts, quoteAll(rule.ResourceNames))
					}
					got = append(got, strings.Join(append(parts, quoteAll(rule.Verbs)), " "))
				}
			}
			for i := range tc.want {
				tc.want[i] = strings.ReplaceAll(tc.want[i], `["" ]`, `[""]`)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func quoteAll(list []string) string { return `["` + strings.Join(list, `", "`) + `"]` }
