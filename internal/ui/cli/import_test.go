package cli_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealRunbooks imports and plans pages that people really follow, where they
// are at hand: they are not part of the source.
func TestRealRunbooks(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../../shared/source/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Log("not tried: there is no folder ../shared/source beside the checkout")
	}
	dir := t.TempDir()
	shell := newShell(t, dir, "")
	for i, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		out := shell(fmt.Sprintf("refit import %s --save %d -o json > %d.json", file, i, i))
		lint := strings.Join(shell(fmt.Sprintf("refit lint %d/procedure.yaml %d/platform.yaml", i, i)), "\n")
		if lint != "2 files: no problems" {
			t.Errorf("%s: %s\n%s", file, strings.Join(out, "\n"), lint)
		}
		plan := strings.Join(shell(fmt.Sprintf("refit plan %d/platform.yaml --save %d/plan.json", i, i)), "\n")
		if !strings.HasSuffix(plan, fmt.Sprintf("saved to %d/plan.json", i)) || !strings.Contains(plan, "no undo") ||
			strings.Contains(plan, "exec.") {
			t.Errorf("%s is not planned as work of people alone:\n%s", file, plan)
		}
	}
}
