package detect

import (
	"cmp"
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/kube"
)

// maxObjects is how many objects of a list are looked at.
const maxObjects = 500

// Found is a platform that was found.
type Found struct {
	Release Release
	// Inputs are in the order of the rules.
	Inputs []Input
}

// Input is what was found out about an input of the procedure.
type Input struct {
	// Name has dots before the members of objects.
	Name string
	// Value is nil when it was not found.
	Value any
	// Otherwise is what a person does then.
	Otherwise string
	// Why says what stood in the way, where that is known: a list that may not be read.
	Why string
}

// Find returns the platforms of a cluster that the rules describe, by namespace and
// name. What may not be read leaves inputs open and is said there; the error is an
// *action.Error about the releases themselves.
func (r *Rules) Find(ctx context.Context, cluster *kube.Cluster) ([]Found, error) {
	releases, err := releases(ctx, cluster, r.Chart)
	if err != nil {
		return nil, err
	}
	var out []Found
	for i := range releases {
		f := Found{Release: releases[i].Release}
		scope := expr.Scope{varRelease: f.Release.plain(), varValues: releases[i].values}
		why := map[string]string{}
		for _, l := range r.lists {
			objects, err := read(ctx, cluster, f.Release.Namespace, l)
			if err != nil {
				why[l.name] = err.Error()
			}
			scope[l.name] = objects
		}
		for _, in := range r.inputs {
			f.Inputs = append(f.Inputs, in.evaluate(scope, why))
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Release.Namespace, b.Release.Namespace),
			cmp.Compare(a.Release.Name, b.Release.Name))
	})
	return out, nil
}

func (in input) evaluate(scope expr.Scope, why map[string]string) Input {
	out := Input{Name: in.name, Otherwise: in.otherwise}
	if in.value == nil {
		return out
	}
	// An expression over values that a chart of another version does not have cannot be
	// computed: then it was not found.
	value, err := in.value.Eval(scope)
	if err == nil && value != "" {
		out.Value = value
	}
	if out.Value == nil {
		for _, reference := range in.value.References() {
			if text := why[reference[0]]; text != "" {
				out.Why = text
			}
		}
	}
	return out
}

// read lists objects as plain values.
func read(ctx context.Context, cluster *kube.Cluster, namespace string, l list) ([]any, error) {
	out := []any{}
	version, err := schema.ParseGroupVersion(l.apiVersion)
	if err != nil {
		return out, err
	}
	mapping, err := cluster.Resource(version.WithKind(l.kind))
	if action.ReasonOf(err) == kube.ReasonNotFound {
		return out, nil // A cluster that does not know the kind has none.
	}
	if err != nil {
		return out, err
	}
	options := metav1.ListOptions{LabelSelector: l.selector, Limit: maxObjects}
	objects, err := cluster.For(mapping, namespace).List(ctx, options)
	if err != nil {
		return out, kube.Failure("list "+mapping.Resource.Resource+" in namespace "+namespace, err, action.ExtentNone)
	}
	for i := range objects.Items {
		out = append(out, objects.Items[i].Object)
	}
	return out, nil
}
