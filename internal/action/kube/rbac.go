package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// Right is what somebody may do, or wants to.
type Right struct {
	Verbs     []string `json:"verbs" doc:"What is done: get, list, watch, create, update, patch, delete, or *."`
	Group     string   `json:"group,omitempty" doc:"API group of the resource, such as apps; default that of pods and secrets."`
	Resource  string   `json:"resource" doc:"Plural name of the resource, such as deployments, or pods/exec."`
	Namespace string   `json:"namespace,omitempty" doc:"Namespace, or * for all of them and for kinds without namespaces; default that of the step."`
	Names     []string `json:"names,omitempty" doc:"Names of objects; default any."`
}

// RBACInput is the input of kube.rbac.
type RBACInput struct {
	Namespace string  `json:"namespace,omitempty" doc:"Namespace of the rights that name none; default *."`
	Rights    []Right `json:"rights" doc:"What is asked for."`
	Report    bool    `json:"report,omitempty" doc:"Hands the rights that are missing out instead of failing."`
}

// RBACOutput is the output of kube.rbac.
type RBACOutput struct {
	Allowed int      `json:"allowed" doc:"How many of the rights are there, each verb and each name counted."`
	Missing []string `json:"missing" doc:"Rights that are missing, in words such as delete deployments.apps in namespace jhub."`
}

// allNamespaces stands for all namespaces, and for kinds that have none.
const allNamespaces = "*"

// mostRights is how many questions one step may ask.
const mostRights = 500

// RBAC returns the action kube.rbac.
func RBAC(connector *kube.Connector) action.Action {
	return action.Define(action.Definition[RBACInput, RBACOutput]{
		Name:    "kube.rbac",
		Version: 1,
		Summary: "Check that the account of Refit may do what is needed.",
		Effect:  action.ReadOnly,
		Targets: []string{kube.KindTarget},
		Check:   checkRBAC,
		Preview: func(_ context.Context, _ action.Env, in RBACInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("ask for %d rights", len(in.questions()))}, nil
		},
		Observe: func(ctx context.Context, env action.Env, in RBACInput) (action.Observed[RBACOutput], error) {
			cluster, err := connector.Connect(env)
			if err != nil {
				return action.Observed[RBACOutput]{}, err
			}
			out, err := askRights(ctx, cluster, in.questions())
			if err != nil {
				return action.Observed[RBACOutput]{}, err
			}
			if why := out.Refusal(cluster); why != "" && !in.Report {
				return action.Observed[RBACOutput]{Status: action.Failed, Reason: why}, nil
			}
			return action.Saw(out), nil
		},
		// Everybody may ask what they may do.
		Access: action.NoAccess[RBACInput],
	})
}

func checkRBAC(in RBACInput) error {
	if len(in.Rights) == 0 {
		return errors.New("field \"rights\" is empty")
	}
	for i, r := range in.Rights {
		switch {
		case len(r.Verbs) == 0 || slices.Contains(r.Verbs, ""):
			return fmt.Errorf("field \"rights\", entry %d: it has no verbs", i)
		case r.Resource == "" || strings.ContainsAny(r.Resource, " .") || strings.Count(r.Resource, "/") > 1:
			return fmt.Errorf("field \"rights\", entry %d: %q is no resource such as deployments or pods/exec",
				i, r.Resource)
		}
	}
	if n := len(in.questions()); n > mostRights {
		return fmt.Errorf("field \"rights\" asks for %d rights, at most %d are possible", n, mostRights)
	}
	return nil
}

// question is one right: one verb on one name.
type question struct{ verb, group, resource, namespace, name string }

// String returns it as people say it.
func (q question) String() string {
	text := q.verb + " " + q.resource
	if q.group != "" {
		base, sub, _ := strings.Cut(q.resource, "/")
		text = q.verb + " " + base + "." + q.group
		if sub != "" {
			text += "/" + sub
		}
	}
	if q.name != "" {
		text += " " + q.name
	}
	if q.namespace != "" {
		return text + " in namespace " + q.namespace
	}
	return text + " in the cluster"
}

func (in RBACInput) questions() []question {
	list := make([]action.Access, len(in.Rights))
	for i, r := range in.Rights {
		a := action.Access{Group: r.Group, Resource: r.Resource, Namespace: r.Namespace, Names: r.Names, Verbs: r.Verbs}
		if a.Namespace == "" {
			a.Namespace = in.Namespace
		}
		if a.Namespace == allNamespaces {
			a.Namespace = ""
		}
		list[i] = a
	}
	return questionsOf(list)
}

// questionsOf returns each right of a list once.
func questionsOf(list []action.Access) []question {
	var all []question
	seen := map[question]bool{}
	for _, a := range list {
		names := a.Names
		if len(names) == 0 {
			names = []string{""}
		}
		for _, verb := range a.Verbs {
			for _, name := range names {
				q := question{verb, a.Group, a.Resource, a.Namespace, name}
				if !seen[q] {
					seen[q] = true
					all = append(all, q)
				}
			}
		}
	}
	return all
}

// MayI asks a cluster whether the account of Refit may do what list says. It changes
// nothing. The error is an *action.Error.
func MayI(ctx context.Context, cluster *kube.Cluster, list []action.Access) (RBACOutput, error) {
	return askRights(ctx, cluster, questionsOf(list))
}

// askRights asks for each right, but for those that the rules of a namespace give as a
// whole: one question for many.
func askRights(ctx context.Context, cluster *kube.Cluster, questions []question) (RBACOutput, error) {
	out := RBACOutput{Missing: []string{}}
	rules := map[string][]authorizationv1.ResourceRule{}
	for _, q := range questions {
		if _, asked := rules[q.namespace]; !asked && q.namespace != "" {
			found, err := rulesOf(ctx, cluster, q.namespace)
			if err != nil {
				return out, err
			}
			rules[q.namespace] = found
		}
		allowed := slices.ContainsFunc(rules[q.namespace], q.within)
		if !allowed {
			var err error
			if allowed, err = mayI(ctx, cluster, q); err != nil {
				return out, err
			}
		}
		if allowed {
			out.Allowed++
		} else {
			out.Missing = append(out.Missing, q.String())
		}
	}
	return out, nil
}

// Refusal says which rights of a cluster are missing, "" when none is.
func (o RBACOutput) Refusal(cluster *kube.Cluster) string {
	if len(o.Missing) == 0 {
		return ""
	}
	const most = 10
	shown := o.Missing
	if len(shown) > most {
		shown = append(slices.Clone(shown[:most]), fmt.Sprintf("%d more", len(shown)-most))
	}
	return fmt.Sprintf("%s does not permit: %s; refit plan --rbac prints a role for all of them",
		cluster.Name, strings.Join(shown, ", "))
}

// rulesOf returns what the account may do in a namespace, as far as the server can say.
func rulesOf(ctx context.Context, cluster *kube.Cluster, namespace string) ([]authorizationv1.ResourceRule, error) {
	answer, err := cluster.Typed.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx,
		&authorizationv1.SelfSubjectRulesReview{
			Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace},
		}, metav1.CreateOptions{})
	if err != nil {
		doing := "ask " + cluster.Name + " what is permitted in namespace " + namespace
		return nil, failed(ctx, doing, err, action.ExtentNone)
	}
	return answer.Status.ResourceRules, nil
}

// within tells whether a rule gives the right.
func (q question) within(r authorizationv1.ResourceRule) bool {
	has := func(list []string, value string) bool {
		return slices.Contains(list, value) || slices.Contains(list, "*")
	}
	if len(r.ResourceNames) > 0 && (q.name == "" || !slices.Contains(r.ResourceNames, q.name)) {
		return false
	}
	return has(r.Verbs, q.verb) && has(r.APIGroups, q.group) && has(r.Resources, q.resource)
}

// mayI asks for one right.
func mayI(ctx context.Context, cluster *kube.Cluster, q question) (bool, error) {
	resource, sub, _ := strings.Cut(q.resource, "/")
	answer, err := cluster.Typed.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx,
		&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: q.namespace, Verb: q.verb,
				Group: q.group, Resource: resource, Subresource: sub, Name: q.name,
			},
		}}, metav1.CreateOptions{})
	if err != nil {
		return false, failed(ctx, "ask "+cluster.Name+" whether it permits to "+q.String(), err, action.ExtentNone)
	}
	return answer.Status.Allowed, nil
}
