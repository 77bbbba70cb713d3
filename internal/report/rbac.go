package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// RBACNeed is what one target is asked for.
type RBACNeed struct {
	// Target is the name of the target.
	Target string
	Access []action.Access
	// Open says in a line each of what is not known before the run, or not at all.
	Open []string
}

// RBAC is the least that an account must be permitted to carry a plan out.
type RBAC struct {
	Targets []RBACTarget `json:"targets"`
}

// RBACTarget is what one cluster must permit.
type RBACTarget struct {
	Target string `json:"target"`
	// Roles are those with a namespace, and one without for the cluster.
	Roles []RBACRole `json:"roles"`
	// Open is what is not in the roles: it is not known before the run.
	Open []string `json:"open,omitempty"`
}

// RBACRole is a role of one namespace, or of the cluster.
type RBACRole struct {
	Name      string     `json:"name"`
	Namespace string     `json:"namespace,omitempty"`
	Rules     []RBACRule `json:"rules"`
}

// RBACRule is one rule as Kubernetes writes it.
type RBACRule struct {
	APIGroups     []string `json:"apiGroups"`
	Resources     []string `json:"resources"`
	ResourceNames []string `json:"resourceNames,omitempty"`
	Verbs         []string `json:"verbs"`
}

// BuildRBAC makes the roles for a platform.
func BuildRBAC(platform string, needs []RBACNeed) RBAC {
	out := RBAC{Targets: []RBACTarget{}}
	for _, n := range needs {
		open := slices.Compact(slices.Sorted(slices.Values(n.Open)))
		t := RBACTarget{Target: n.Target, Roles: []RBACRole{}, Open: open}
		byNamespace := map[string][]action.Access{}
		for _, a := range n.Access {
			byNamespace[a.Namespace] = append(byNamespace[a.Namespace], a)
		}
		for _, namespace := range slices.Sorted(maps.Keys(byNamespace)) {
			rules := rbacRules(byNamespace[namespace], byNamespace[""], namespace != "")
			if len(rules) > 0 {
				t.Roles = append(t.Roles, RBACRole{Name: rbacName(platform), Namespace: namespace, Rules: rules})
			}
		}
		out.Targets = append(out.Targets, t)
	}
	return out
}

var notInName = regexp.MustCompile(`[^a-z0-9.-]+`)

func rbacName(platform string) string {
	return "refit-" + strings.Trim(notInName.ReplaceAllString(strings.ToLower(platform), "-"), "-.")
}

// rbacRight is one verb on one object, or on all of a resource where name is empty.
type rbacRight struct{ group, resource, name, verb string }

func rightsOf(list []action.Access) map[rbacRight]bool {
	rights := map[rbacRight]bool{}
	for _, a := range list {
		names := a.Names
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			for _, verb := range a.Verbs {
				rights[rbacRight{a.Group, a.Resource, name, verb}] = true
			}
		}
	}
	return rights
}

// rbacRules makes rules that permit what is in list and nothing else. What all objects
// of a resource, or the whole cluster, permit already is left out.
func rbacRules(list, cluster []action.Access, within bool) []RBACRule {
	rights := rightsOf(list)
	everywhere := map[rbacRight]bool{}
	if within {
		everywhere = rightsOf(cluster)
	}
	// Verbs by resource and name, then names and resources with the same verbs together.
	verbs := map[[3]string][]string{}
	for r := range rights {
		all := rbacRight{r.group, r.resource, "", r.verb}
		if r.name != "" && rights[all] || everywhere[all] || everywhere[r] {
			continue
		}
		key := [3]string{r.group, r.resource, r.name}
		verbs[key] = append(verbs[key], r.verb)
	}
	type part struct{ group, verbs, rest string }
	names := map[part][]string{} // by group, verbs and resource
	for key, v := range verbs {
		slices.Sort(v)
		p := part{key[0], strings.Join(v, " "), key[1]}
		names[p] = append(names[p], key[2])
	}
	resources := map[part][]string{} // by group, verbs and names
	for p, n := range names {
		slices.Sort(n)
		// The empty name stands for all objects and has a rule of its own.
		if n[0] == "" {
			key := part{p.group, p.verbs, ""}
			resources[key] = append(resources[key], p.rest)
			n = n[1:]
		}
		if len(n) > 0 {
			key := part{p.group, p.verbs, strings.Join(n, " ")}
			resources[key] = append(resources[key], p.rest)
		}
	}
	var rules []RBACRule
	for p, r := range resources {
		slices.Sort(r)
		rules = append(rules, RBACRule{
			APIGroups: []string{p.group}, Resources: r,
			ResourceNames: strings.Fields(p.rest), Verbs: strings.Fields(p.verbs),
		})
	}
	slices.SortFunc(rules, func(a, b RBACRule) int {
		return cmp.Or(
			cmp.Compare(a.APIGroups[0], b.APIGroups[0]), slices.Compare(a.Resources, b.Resources),
			slices.Compare(a.ResourceNames, b.ResourceNames), slices.Compare(a.Verbs, b.Verbs))
	})
	return rules
}

// RBACYAML writes the roles as manifests that kubectl applies. The error is that of w.
func RBACYAML(w io.Writer, r RBAC) error {
	var b strings.Builder
	if len(r.Targets) == 0 {
		b.WriteString("# The plan asks no cluster for anything.\n")
	}
	for _, t := range r.Targets {
		fmt.Fprintf(&b, "# Target %s: bind these roles to the account of Refit.\n", t.Target)
		for _, line := range t.Open {
			fmt.Fprintf(&b, "# Not in here: %s\n", line)
		}
		for _, role := range t.Roles {
			b.WriteString("---\napiVersion: rbac.authorization.k8s.io/v1\n")
			if role.Namespace == "" {
				fmt.Fprintf(&b, "kind: ClusterRole\nmetadata:\n  name: %s\nrules:\n", role.Name)
			} else {
				fmt.Fprintf(&b, "kind: Role\nmetadata:\n  name: %s\n  namespace: %s\nrules:\n",
					role.Name, role.Namespace)
			}
			for _, rule := range role.Rules {
				fmt.Fprintf(&b, "  - apiGroups: %s\n    resources: %s\n",
					flowList(rule.APIGroups), flowList(rule.Resources))
				if len(rule.ResourceNames) > 0 {
					fmt.Fprintf(&b, "    resourceNames: %s\n", flowList(rule.ResourceNames))
				}
				fmt.Fprintf(&b, "    verbs: %s\n", flowList(rule.Verbs))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// flowList writes texts as a list of YAML on one line.
func flowList(list []string) string {
	quoted := make([]string, len(list))
	for i, text := range list {
		quoted[i] = fmt.Sprintf("%q", text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
