package refit

import (
	"strings"
	"testing"

	"github.com/refitproject/refit/test/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const procedure = `apiVersion: refit.dev/v1alpha1
kind: Nothing
`

// The program of the checkout runs in a pod, and judges what
// it is given there.
func TestRuns(t *testing.T) {
	t.Parallel()
	space := harness.New(t)
	space.Images("refit")
	space.Run(harness.Pod{
		Name: "refit", Image: "refit:1", Command: []string{"sleep", "infinity"},
		Files: map[string]string{"procedure.yaml": procedure},
	})
	if got := space.Must("refit", "refit", "version"); !strings.Contains(got, "testbed") {
		t.Errorf("it says that it is %q", got)
	}
	if got := space.Must("refit", "git", "--version"); !strings.HasPrefix(got, "git version 2.") {
		t.Errorf("git says that it is %q", got)
	}
	text, err := space.Exec(t.Context(), "refit", "refit", "lint", "/etc/refit/procedure.yaml")
	if err == nil || !strings.Contains(text+err.Error(), "procedure.yaml:") {
		t.Errorf("a file that is no procedure: %q, %v", text, err)
	}
}
