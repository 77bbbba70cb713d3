package service_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/service"
)

func TestFilesStayInTheirFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"outside.yaml": "kind: Versions", "in/procedure.yaml": `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: A procedure of a test.}
versions: link.yaml
from: "1"
stages:
  - id: only
    steps:
      first: {phase: prepare, action: file.read, with: {path: x}}
`})
	if err := os.Symlink(w.path("outside.yaml"), w.path("in/link.yaml")); err != nil {
		t.Fatal(err)
	}
	result, err := w.Lint(t.Context(), []string{w.path("in/procedure.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(result.Diagnostics.Error(), "it leads out of the folder of the procedure: put the file itself into the folder") {
		t.Errorf("a link out of the folder was followed: %v", result.Diagnostics)
	}
}

func TestPipesAreNotOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	result, err := w.Lint(t.Context(), []string{os.DevNull})
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Diagnostics.Error(); !strings.Contains(got, "it is not a regular file") {
		t.Errorf("got %s", got)
	}
}

func TestSavePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": platformFile, "procedure.yaml": procedureFile(), "login.txt": "ana:x",
		"plans/other.json": `{"a": "kind: Plan"}`, "plans/empty.json": "",
		"plans/cut.json": `{"apiVersion": "refit.dev/v1alpha1", "kind": "Plan", "dig`,
	})
	p := w.plan(t)
	if err := syscall.Mkfifo(w.path("plans/pipe.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link.json": "plans/new.json", "lost.json": "nowhere", "yaml.json": "platform.yaml"} {
		if err := os.Symlink(w.path(to), w.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		reason, file string
		replace      bool
		want         string
	}{
		{reason: "A new file is written.", file: "plans/new.json"},
		{reason: "The same plan may be saved again.", file: "plans/new.json"},
		{reason: "Through a link its target is written.", file: "link.json"},
		{reason: "Nothing is lost.", file: "plans/other.json", want: "exists and is not a plan file"},
		{reason: "Not even with replace.", file: "plans/other.json", replace: true, want: "--replace replaces only plan files"},
		{reason: "A damaged plan stays.", file: "plans/cut.json", want: "is not a plan that can be read"},
		{reason: "Unless somebody says so.", file: "plans/cut.json", replace: true},
		{reason: "In an empty file there is nothing to lose.", file: "plans/empty.json", replace: true},
		{reason: "The plan's own platform file stays.", file: "platform.yaml", replace: true, want: "is not a plan file"},
		{reason: "So does its procedure.", file: "procedure.yaml", replace: true, want: "is not a plan file"},
		{reason: "Also through a link.", file: "yaml.json", replace: true, want: "is not a plan file"},
		{reason: "A link to nothing is no name.", file: "lost.json", replace: true, want: "leads nowhere"},
		{reason: "A pipe is not replaced.", file: "plans/pipe.json", replace: true, want: "is not a regular file"},
		{reason: "A folder is never replaced.", file: "plans", replace: true, want: "is a folder"},
		{reason: "Folders are not made.", file: "gone/plan.json", want: "create the folder"},
	} {
		err := w.CheckSave(w.path(tc.file), tc.replace)
		if err == nil {
			err = w.SavePlan(w.path(tc.file), p, tc.replace)
		} else if w.SavePlan(w.path(tc.file), p, tc.replace) == nil {
			t.Errorf("%s: %s it was checked and refused, and saved all the same: %v", tc.file, tc.reason, err)
		}
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %s got error %v, want %q", tc.file, tc.reason, err, tc.want)
		}
		if _, asked := errors.AsType[*service.UsageError](err); err != nil && !asked {
			t.Errorf("%s: %v is no usage error", tc.file, err)
		}
		if tc.want != "" {
			continue
		}
		read, err := w.ReadPlan(w.path(tc.file))
		if err != nil || read.Digest != p.Digest {
			t.Errorf("%s: read back %v, %v", tc.file, read, err)
		}
	}
	if info, err := os.Lstat(w.path("link.json")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	entries, err := os.ReadDir(w.path("plans"))
	if err != nil || len(entries) != 5 {
		t.Errorf("the folder holds %v (%v), want no temporary file", entries, err)
	}
}

// TestSaveIsChecked refuses a folder that is there and takes no file.
func TestSaveIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	// In /proc not even the superuser can make a file.
	err := w.CheckSave("/proc/plan.json", false)
	if _, asked := errors.AsType[*service.UsageError](err); !asked || !strings.Contains(err.Error(), "cannot be written to") {
		t.Errorf("got %v", err)
	}
}

// TestSaveAtOnce saves two plans to one name at the same time: exactly one of
// them is told that it was saved, and that one is in the file.
func TestSaveAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": platformFile, "procedure.yaml": procedureFile(), "login.txt": "ana:x",
	})
	plans := []*plan.Plan{w.plan(t)}
	w.write(t, "platform.yaml", strings.Replace(platformFile, "name: test", "name: other", 1))
	plans = append(plans, w.plan(t))
	for round := range 50 {
		file := w.path(fmt.Sprintf("plan-%d.json", round))
		errs := make([]error, len(plans))
		var group sync.WaitGroup
		for i, p := range plans {
			group.Go(func() { errs[i] = w.SavePlan(file, p, false) })
		}
		group.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: got %v and %v, want one of them refused", round, errs[0], errs[1])
		}
		saved := plans[0]
		if errs[1] == nil {
			saved = plans[1]
		}
		if read, err := w.ReadPlan(file); err != nil || read.Digest != saved.Digest {
			t.Fatalf("round %d: the file holds another plan than was told: %v", round, err)
		}
	}
}
