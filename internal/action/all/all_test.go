package all_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/kube"
)

func TestRegistryHoldsEverything(t *testing.T) {
	t.Parallel()
	r := registry(t)
	for _, want := range []string{"file.read", "http.get", "exec.observe"} {
		if spec, ok := r.Spec(want); !ok || spec.ID() != want+"@1" {
			t.Errorf("%s: got %v, %v", want, spec, ok)
		}
	}
	if got := r.TargetKinds(); !slices.Equal(got, []string{"directory", "git", "host", "kubernetes"}) {
		t.Errorf("TargetKinds() = %v", got)
	}
}

func TestListIsSorted(t *testing.T) {
	t.Parallel()
	var names []string
	for _, a := range all.Actions(all.NewClients(nil)) {
		names = append(names, a.Spec().Name)
	}
	if !slices.IsSortedFunc(names, strings.Compare) {
		t.Errorf("the list is read by people and must stay sorted: %v", names)
	}
}

// TestAccessIsSaid sees that no action asks a cluster for something that refit plan
// --rbac does not know of.
func TestAccessIsSaid(t *testing.T) {
	t.Parallel()
	asked := 0
	for _, a := range all.Actions(all.NewClients(nil)) {
		if !slices.Contains(a.Spec().Targets, kube.KindTarget) {
			continue
		}
		asked++
		asks, ok := a.(action.Accessor)
		if !ok {
			t.Errorf("%s does not say what it asks a cluster for", a.Spec().Name)
			continue
		}
		if _, known, _ := asks.Access(t.Context(), action.Env{}, nil); !known {
			t.Errorf("%s does not say what it asks a cluster for: give its Definition Access", a.Spec().Name)
		}
	}
	if asked == 0 {
		t.Error("no action acts on clusters")
	}
}
