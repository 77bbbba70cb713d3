package secret

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/kube"
)

// inCluster reads an entry of a Secret of a cluster.
func (r Resolver) inCluster(ctx context.Context, from InCluster) (string, error) {
	target, err := ClusterOf(r.Targets, r.Own, from.Target)
	if err != nil {
		return "", err
	}
	if r.Clusters == nil {
		return "", unavailable(errors.New("clusters cannot be asked here"), "use env, file or command")
	}
	cluster, err := r.Clusters.Connect(action.Env{Target: target, Dir: r.Dir})
	if err != nil {
		return "", withReason(err, err)
	}
	found, err := cluster.Typed.CoreV1().Secrets(from.Namespace).Get(ctx, from.Name, metav1.GetOptions{})
	if err != nil {
		failed := kube.Failure("read it from "+cluster.Name, err, action.ExtentNone)
		out := withReason(failed, failed)
		if action.ReasonOf(failed) == kube.ReasonNotFound {
			out.Remedy = "create it, or correct namespace and name"
		}
		return "", out
	}
	value, ok := found.Data[from.Key]
	if !ok {
		keys := slices.Sorted(maps.Keys(found.Data))
		remedy := diag.DidYouMean(from.Key, keys)
		if remedy == "" {
			remedy = "correct key, or add it to the secret"
		}
		return "", unavailable(fmt.Errorf("the secret in %s has no such key", cluster.Name), remedy)
	}
	return withoutLineEnd(string(value)), nil
}

// ClusterOf returns the target whose Secret is meant by a reference of a step on the
// target own that names the target name, each of which may be empty: never one of
// several by chance.
func ClusterOf(targets []action.Target, own, name string) (action.Target, error) {
	var clusters []action.Target
	var names []string
	for _, t := range targets {
		if t.Kind != kube.KindTarget {
			if t.Name == name && name != "" {
				return action.Target{}, unavailable(fmt.Errorf("target %q is of kind %s", name, t.Kind),
					"name a target of kind "+kube.KindTarget)
			}
			continue
		}
		if t.Name == name || name == "" && t.Name == own {
			return t, nil
		}
		clusters, names = append(clusters, t), append(names, t.Name)
	}
	switch {
	case len(clusters) == 0:
		return action.Target{}, unavailable(errors.New("the platform has no target of kind "+kube.KindTarget),
			"declare the cluster as a target, or use env, file or command")
	case name != "":
		remedy := diag.DidYouMean(name, names)
		if remedy == "" {
			remedy = "it has " + strings.Join(names, ", ")
		}
		return action.Target{}, unavailable(fmt.Errorf("the platform has no target %q", name), remedy)
	case len(clusters) > 1:
		return action.Target{}, unavailable(
			fmt.Errorf("it can be in any of the targets %s", strings.Join(names, ", ")),
			"add target: and the name of the one that is meant")
	}
	return clusters[0], nil
}
