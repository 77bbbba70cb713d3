package all_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action/all"
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
