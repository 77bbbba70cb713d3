package service_test

import (
	"os"
	"strings"
	"testing"
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
	if !strings.Contains(result.Diagnostics.Error(), "path escapes from parent") {
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
		"plans/other.json": "{}",
	})
	p := w.plan(t)
	cases := map[string]struct {
		reason string
		file   string
		force  bool
		want   string
	}{
		"NewFile":       {reason: "A new file is written.", file: "plans/new.json"},
		"SameAgain":     {reason: "The same plan may be saved again.", file: "plans/new.json"},
		"OtherContent":  {reason: "Nothing is lost.", file: "plans/other.json", want: "is not a plan that can be read"},
		"Forced":        {reason: "Unless somebody says so.", file: "plans/other.json", force: true},
		"Folder":        {reason: "A folder is never replaced.", file: "plans", force: true, want: "is a folder"},
		"FolderMissing": {reason: "Folders are not made.", file: "gone/plan.json", want: "no such file or directory"},
	}
	for _, name := range []string{"NewFile", "SameAgain", "OtherContent", "Forced", "Folder", "FolderMissing"} {
		tc := cases[name]
		err := w.SavePlan(w.path(tc.file), p, tc.force)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %s got error %v, want %q", name, tc.reason, err, tc.want)
		}
		if tc.want != "" {
			continue
		}
		read, err := w.ReadPlan(w.path(tc.file))
		if err != nil || read.Digest != p.Digest {
			t.Errorf("%s: read back %v, %v", name, read, err)
		}
	}
	entries, err := os.ReadDir(w.path("plans"))
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v (%v), want the two plans and no temporary file", entries, err)
	}
}
